"""Which part of an expression belongs to which part of the face."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.models import MorphableModel

__all__ = ["mouth_share"]

_NOSE_BASE = -51.0
"""Height of the point between the nostrils where a model does not know it, in millimetres."""
_SUBNASALE = 33
_SOFT = 4.0
_LEAST = 1e-3


@lru_cache(maxsize=4)
def mouth_share(model: MorphableModel) -> Float[Tensor, "E E"]:
    """What takes a change of expression to that part of it which moves the mouth and the jaw.

    Weights between bounds belong to the mouth, whole, if more than half of their squared
    motion is below the base of the nose. Statistical coefficients mix the parts of a face:
    theirs is the change that moves the lower half alike and the upper half least.

    Args:
        model: whose expression it is.
    """
    basis = model.expression
    below = _below(model)
    energy = basis.directions.square().sum(dim=-1)
    own = (energy @ below > 0.5 * energy.sum(dim=1)).to(below)
    bounded = torch.isfinite(basis.bounds).all(dim=1)
    share = torch.diag(own * bounded)
    free = torch.nonzero(~bounded)[:, 0]
    if len(free):
        share[free[:, None], free] = _separated(basis.directions[free], below)
    return share


def _below(model: MorphableModel) -> Float[Tensor, " V"]:
    """Weight of the lower face over the vertices."""
    base = _NOSE_BASE
    if "68" in model.landmarks:
        points = model.landmarks["68"].points(model.identity.mean)
        base = float(points[_SUBNASALE, 1])
    return torch.sigmoid((base - model.identity.mean[:, 1]) / _SOFT)


def _separated(
    directions: Float[Tensor, "K V 3"], below: Float[Tensor, " V"]
) -> Float[Tensor, "K K"]:
    """Least squares: the lower half moves as it did, the upper half rests."""
    rows = directions.flatten(1).double()
    weight = below.double().repeat_interleave(3)
    lower, whole = (rows * weight) @ rows.T, rows @ rows.T
    ridge = _LEAST * float(whole.diagonal().mean()) * torch.eye(len(rows), dtype=rows.dtype)
    return torch.linalg.solve(whole + ridge, lower).to(directions)
