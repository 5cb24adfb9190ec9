"""Fit, edit, transfer and render 3D morphable faces.

The names below are imported when they are first used, so that `import morphface` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from morphface.core.display import use_painter
from morphface.core.doors import lazy_names
from morphface.core.forks import safe_to_fork
from morphface.core.lean import import_lean
from morphface.core.version import __version__

if TYPE_CHECKING:
    from morphface.edit import transfer
    from morphface.fit import fit_video
    from morphface.geometry import Camera
    from morphface.media import read_image
    from morphface.models import MorphableModel, load_model
    from morphface.parameters import FaceParameters, load_parameters, save_parameters
    from morphface.pipelines import export, fit_photo, fit_photos
    from morphface.render import render_maps
    from morphface.ui import FaceEditor

__all__ = [
    "Camera",
    "FaceEditor",
    "FaceParameters",
    "MorphableModel",
    "__version__",
    "edit",
    "export",
    "fit_photo",
    "fit_photos",
    "fit_video",
    "load_model",
    "load_parameters",
    "read_image",
    "render_maps",
    "save_parameters",
    "transfer",
]

_HOMES = {
    "Camera": "geometry",
    "FaceEditor": "ui",
    "FaceParameters": "parameters",
    "MorphableModel": "models",
    "export": "pipelines",
    "fit_photo": "pipelines",
    "fit_photos": "pipelines",
    "fit_video": "fit",
    "load_model": "models",
    "load_parameters": "parameters",
    "read_image": "media",
    "render_maps": "render",
    "save_parameters": "parameters",
    "transfer": "edit",
}

use_painter("morphface.show.painters:paint")
safe_to_fork()
import_lean()


_find = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use; `edit` is a room that can be called."""
    return import_module("morphface.edit") if name == "edit" else _find(name)
