"""3DDFA-V3's face (Wang et al. 2024), `face_model.npy`: a dictionary that NumPy pickled.

35,709 vertices with 80 identities, 64 expressions and 80 colours, after the Basel Face Model 2009.
In the file: decimetres, the axes of the package, indices from 0, bases already times their
standard deviations, and colours from 0 to 255; texture coordinates of each vertex, 68 landmarks.
"""

from dataclasses import replace

import numpy as np
import torch

from morphface.core.errors import ModelError
from morphface.models.basis import LinearBasis
from morphface.models.morphable import MorphableModel
from morphface.models.readers import assembly
from morphface.models.readers.arrays import KINDS, naming, pick, read_arrays
from morphface.models.readers.assembly import Parts, components, positions
from morphface.models.readers.content import Content

__all__ = ["NAME", "read", "recognises"]

NAME = "3DDFA-V3's face (face_model.npy)"

_UNIT = 100.0
_TELLING = ("id", "exp", "u_alb", "alb", "tri")
_NAMES = {*_TELLING, "u", "ldm68", "uv_coords"}


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    return content.kind in KINDS and content.has(*_TELLING)


def read(content: Content) -> MorphableModel:
    """Read the model.

    Raises:
        ModelError: the file is damaged, or lacks an array.
    """
    with naming(content.path):
        arrays = read_arrays(content, _NAMES)
        mean = positions(pick(arrays, "u"), _UNIT)
        size = len(mean)
        colour = components(pick(arrays, "alb"), 1 / 255, size)
        model = assembly.assemble(
            Parts(
                name="3ddfa-v3",
                mean=mean,
                identity=components(pick(arrays, "id"), _UNIT, size),
                faces=assembly.triangles(pick(arrays, "tri"), size, first=0),
                expression=components(pick(arrays, "exp"), _UNIT, size),
                reflectance=LinearBasis(positions(pick(arrays, "u_alb"), 1 / 255), colour),
                landmarks=_landmarks(arrays, size),
            )
        )
        return _with_uv(model, arrays)


def _landmarks(arrays: dict[str, np.ndarray], size: int) -> np.ndarray | None:
    if "ldm68" not in arrays:
        return None
    return assembly.vertices(np.ravel(pick(arrays, "ldm68")), size, 0, "landmarks")


def _with_uv(model: MorphableModel, arrays: dict[str, np.ndarray]) -> MorphableModel:
    """The model with texture coordinates, one for each vertex, if it has any."""
    if "uv_coords" not in arrays:
        return model
    values = pick(arrays, "uv_coords")
    if values.ndim != 2 or values.shape[0] != model.size or values.shape[1] < 2:
        raise ModelError(f"its uv_coords have shape {values.shape} for {model.size} vertices")
    uv = torch.from_numpy(np.ascontiguousarray(values[:, :2], np.float32))
    if not bool(((uv >= 0) & (uv <= 1)).all()):
        raise ModelError("its uv_coords are not from 0 to 1")
    return replace(model, uv=uv, uv_faces=model.faces)
