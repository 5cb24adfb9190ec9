"""How far the eyes and the mouth of a face are open, from its parameters alone.

A gap is the height between the lids, or the lips, at their landmarks, in millimetres in the head
frame; negative means that they overlap. It is linear in a model's coefficients, so a thousand
frames cost a product of matrices.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Openings", "openings_of"]

_SCHEME = "68"
_GAPS = (((43, 47), (44, 46)), ((37, 41), (38, 40)), ((61, 67), (62, 66), (63, 65)))
"""Pairs of upper and lower landmarks of the left eye, the right eye and the mouth."""


@dataclass(frozen=True, eq=False)
class Openings:
    """Gaps of one person in T frames, and what each expression coefficient adds to them.

    Args:
        gaps: of the left eye, the right eye and the mouth, in millimetres.
        neutral: the same without expression.
        slopes: what one unit of each coefficient adds.
    """

    gaps: Float[Tensor, "T 3"]
    neutral: Float[Tensor, "3"]
    slopes: Float[Tensor, "E 3"]


def openings_of(parameters: FaceParameters, model: MorphableModel) -> Openings | None:
    """The gaps of eyes and mouth; None for a model that does not know where they are.

    Args:
        parameters: of a face, with all expression coefficients of the model.
        model: that they belong to.
    """
    if _SCHEME not in model.landmarks:
        return None
    identity, expression = parameters.identity[0], parameters.expression
    missing = model.identity.rank - len(identity)
    identity = torch.nn.functional.pad(identity, (0, missing))
    linear = model.linearised(identity, expression.mean(dim=0))
    # A model with joints is another one for each face, which is not worth keeping.
    mean, directions, slopes = _kept_rows(model) if linear is model else _rows(linear)
    neutral = mean + identity @ directions
    return Openings(neutral + expression @ slopes, neutral, slopes)


def _rows(
    model: MorphableModel,
) -> tuple[Float[Tensor, "3"], Float[Tensor, "I 3"], Float[Tensor, "E 3"]]:
    """The gaps of the mean face, and what each coefficient adds to them."""
    embedding = model.landmarks[_SCHEME]

    def gaps(directions: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch 3"]:
        height = directions[..., embedding.triangles, 1]
        points = (height * embedding.barycentric).sum(dim=-1)
        pairs = [[points[..., up] - points[..., down] for up, down in gap] for gap in _GAPS]
        return torch.stack([torch.stack(gap).mean(dim=0) for gap in pairs], dim=-1)

    identity, expression = model.identity, model.expression
    return gaps(identity.mean), gaps(identity.directions), gaps(expression.directions)


_kept_rows = lru_cache(maxsize=4)(_rows)
