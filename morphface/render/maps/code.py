"""Maps that say which point of the model each pixel shows.

The code of a point is where it is in the mean shape, each axis from 0 to 1 (PNCC, Zhu et al. 2016;
NMFC, Koujan et al. 2020): the same for all identities, expressions and poses of a model.
"""

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ModelError
from morphface.models import MorphableModel
from morphface.render.maps.scene import Scene
from morphface.render.maps.surface import interpolated, over

__all__ = [
    "check_faces",
    "correspondence",
    "correspondence_code",
    "correspondence_flat",
    "decode_face_index",
    "encode_face_index",
    "face_index",
]


@lru_cache(maxsize=4)
def correspondence_code(model: MorphableModel) -> Float[Tensor, "V 3"]:
    """The colour of each vertex: its place in the mean shape, 0 to 1 along each axis."""
    mean = model.identity.mean
    low, high = mean.amin(0), mean.amax(0)
    return (mean - low) / (high - low).clamp(min=1e-6)


def correspondence(scene: Scene, background: float) -> Float[Tensor, "T H W 3"]:
    """The code of the surface point at each pixel's centre."""
    code = correspondence_code(scene.model)[None]
    return interpolated(scene, code, scene.model.faces, background)


def correspondence_flat(scene: Scene, background: float) -> Float[Tensor, "T H W 3"]:
    """One colour for each face: the mean code of its corners."""
    colours = correspondence_code(scene.model)[scene.model.faces].mean(1)
    return over(scene, colours[scene.fragments.face.clamp(min=0)], background)


def face_index(scene: Scene) -> Float[Tensor, "T H W 3"]:
    """The number of the face at each pixel plus one, in 24 bits from red to blue; background 0."""
    return encode_face_index(scene.fragments.face)


def encode_face_index(faces: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch 3"]:
    """The colours of numbers of faces. `decode_face_index` inverts it."""
    number = faces + 1
    return torch.stack([number >> 16, number >> 8 & 255, number & 255], dim=-1).float() / 255


def decode_face_index(
    values: Float[Tensor, "*batch 3"], *, signed: bool = False
) -> Int[Tensor, "*batch"]:
    """The numbers of faces in a map "face_index", exactly; -1 on background.

    Args:
        values: of the map, even from a picture of 8 bits a channel.
        signed: whether they are -1 to 1.

    Raises:
        ShapeError: the last axis is not 3.
    """
    check_shape("values", values, 3)
    unit = values * 0.5 + 0.5 if signed else values
    red, green, blue = (unit * 255).round().long().unbind(-1)
    return (red << 16) + (green << 8) + blue - 1


def check_faces(model: MorphableModel) -> None:
    """Refuse the map of faces.

    Raises:
        ModelError: the model has more faces than 24 bits can number.
    """
    if len(model.faces) >= 1 << 24:
        raise ModelError(
            f"map 'face_index' has room for {(1 << 24) - 1} faces, and model {model.name!r} "
            f"has {len(model.faces)}"
        )
