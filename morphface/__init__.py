"""Fit, edit, transfer and render 3D morphable faces.

The names below are imported when they are first used, so that `import morphface` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from morphface.core.display import use_painter
from morphface.core.forks import safe_to_fork
from morphface.core.version import __version__

if TYPE_CHECKING:
    from morphface.geometry.camera import Camera
    from morphface.media.images import read_image
    from morphface.models import MorphableModel, load_model
    from morphface.parameters import FaceParameters, load_parameters, save_parameters
    from morphface.pipelines import fit_photo, fit_photos
    from morphface.ui import FaceEditor

__all__ = [
    "Camera",
    "FaceEditor",
    "FaceParameters",
    "MorphableModel",
    "__version__",
    "fit_photo",
    "fit_photos",
    "load_model",
    "load_parameters",
    "read_image",
    "save_parameters",
]

_HOMES = {
    "Camera": "geometry.camera",
    "FaceEditor": "ui",
    "FaceParameters": "parameters",
    "MorphableModel": "models",
    "fit_photo": "pipelines",
    "fit_photos": "pipelines",
    "load_model": "models",
    "load_parameters": "parameters",
    "read_image": "media.images",
    "save_parameters": "parameters",
}

use_painter("morphface.show.painters:paint")
safe_to_fork()


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'morphface' has no attribute {name!r}")
    value = getattr(import_module(f"morphface.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted(set(globals()) | set(__all__))
