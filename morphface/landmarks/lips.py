"""Landmarks of the inner lips on the right lip.

Where lips touch, what the detector sees between them may be cast onto either. An expression that
opens the mouth tells the lips apart: each inner landmark moves with the outer one of its lip.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.geometry.closest import closest_on_mesh
from morphface.models import MorphableModel

__all__ = ["on_their_lips"]

_UPPER = {191: 185, 80: 40, 81: 39, 82: 37, 13: 0, 312: 267, 311: 269, 310: 270, 415: 409}
_LOWER = {95: 146, 88: 91, 178: 181, 87: 84, 14: 17, 317: 314, 402: 405, 318: 321, 324: 375}
"""From each inner landmark to the outer one of its lip, both from the subject's right."""

_OPENED = 5.0
"""Millimetres that lips must part, in the middle, to be told apart."""


def on_their_lips(
    model: MorphableModel,
    triangles: Int[Tensor, "N 3"],
    barycentric: Float[Tensor, "N 3"],
    skin: Bool[Tensor, " F"],
) -> tuple[Int[Tensor, "N 3"], Float[Tensor, "N 3"]]:
    """The 478 landmarks, those of the inner lips that were on the wrong one moved to the other.

    A model whose mouth no expression opens stays as it is.

    Args:
        model: on whose mean they lie.
        triangles: vertices of the faces that hold them.
        barycentric: weights of these.
        skin: the faces that they may lie on.
    """
    drop = _drop(model, triangles, barycentric)
    if drop is None:
        return triangles, barycentric
    triangles, barycentric = triangles.clone(), barycentric.clone()
    at = (drop[triangles] * barycentric).sum(-1)
    lips = (_UPPER, _LOWER)
    for lip, other in (lips, lips[::-1]):
        for (inner, own), across in zip(lip.items(), other.values(), strict=True):
            wrong = (at[inner] - at[own]).abs() > (at[inner] - at[across]).abs()
            if wrong:
                near = (drop - at[own]).abs() < (drop - at[across]).abs()
                faces = model.faces[skin & near[model.faces].all(-1)]
                mean = model.identity.mean
                place = (mean[triangles[inner]] * barycentric[inner][:, None]).sum(0)
                found, weights = closest_on_mesh(place[None], mean, faces)
                triangles[inner], barycentric[inner] = faces[found[0]], weights[0]
    return triangles, barycentric


def _drop(
    model: MorphableModel, triangles: Int[Tensor, "N 3"], barycentric: Float[Tensor, "N 3"]
) -> Float[Tensor, " V"] | None:
    """How far each vertex drops when the mouth is opened widest; None if no expression does."""
    falls = -model.expression.directions[:, :, 1]
    marks = torch.einsum("knc,nc->kn", falls[:, triangles], barycentric)
    parts = marks[:, 17] - marks[:, 0]  # outer lips, in the middle
    if not len(parts) or float(parts.abs().max()) < _OPENED:
        return None
    widest = int(parts.abs().argmax())
    return falls[widest] * parts[widest].sign()
