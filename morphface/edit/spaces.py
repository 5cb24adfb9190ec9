"""Differences, sums, means and running means of what does not live in a vector space.

Each kind of value has a chart around a reference: `away` says how far values are from it, and
`back` returns from there. What a transfer does is done in charts: rotations are composed and
gaze turns on the sphere. After the transfer formulas of Head2Head (Koujan et al. 2020) and the
intrinsic mean of Pennec (2006).
"""

from typing import Protocol

import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize, pad

from morphface.core.errors import ParameterError

__all__ = ["Directions", "Places", "Rotations", "Space", "Vectors", "mean"]

_ROUNDS = 8
_SETTLED = 1e-6


class Space(Protocol):
    """A kind of value. A reference has one row, values have T."""

    def away(self, values: Tensor, reference: Tensor) -> Tensor:
        """The chart around `reference`, in which it is zero."""

    def back(self, offsets: Tensor, reference: Tensor) -> Tensor:
        """The inverse of `away`."""

    def box(self, values: Tensor, length: int) -> Tensor:
        """The running mean over `length` frames, the first and last frame replicated."""


def mean(space: Space, values: Float[Tensor, "T ..."]) -> Float[Tensor, "1 ..."]:
    """The value around which the offsets of `values` have mean zero."""
    here = values[len(values) // 2][None]
    for _ in range(_ROUNDS):
        step = space.away(values, here).mean(dim=0, keepdim=True)
        here = space.back(step, here)
        if float(step.abs().max()) < _SETTLED:
            break
    return here


def _box(values: Float[Tensor, "T ..."], length: int) -> Float[Tensor, "T ..."]:
    rows = values.flatten(1).double()
    half = length // 2
    padded = torch.cat([rows[:1].expand(half, -1), rows, rows[-1:].expand(half, -1)])
    total = pad(padded.cumsum(dim=0), (0, 0, 1, 0))
    return ((total[length:] - total[:-length]) / length).to(values).view_as(values)


class Vectors:
    """Coefficients: differences and sums are what they are."""

    def away(self, values: Tensor, reference: Tensor) -> Tensor:
        """What is added to the reference."""
        return values - reference

    def back(self, offsets: Tensor, reference: Tensor) -> Tensor:
        """The sum."""
        return reference + offsets

    def box(self, values: Tensor, length: int) -> Tensor:
        """The mean of `length` frames."""
        return _box(values, length)


class Places(Vectors):
    """Positions in the camera frame: sideways in millimetres, depth as the logarithm of a ratio."""

    def away(self, values: Tensor, reference: Tensor) -> Tensor:
        """How far to the right, up, and by which factor away from the camera."""
        nearest = max(float(values[..., 2].max()), float(reference[..., 2].max()))
        if nearest >= 0:
            raise ParameterError(
                "a head must be in front of the camera for its depth to be a ratio, "
                f"but there is one at z {nearest:g}, which is not below 0"
            )
        ratio = (values[..., 2] / reference[..., 2]).log()
        return torch.cat([(values - reference)[..., :2], ratio[..., None]], dim=-1)

    def back(self, offsets: Tensor, reference: Tensor) -> Tensor:
        """The position."""
        depth = reference[..., 2] * offsets[..., 2].exp()
        return torch.cat([(reference + offsets)[..., :2], depth[..., None]], dim=-1)


class Rotations:
    """Rotation vectors: the rotation in the camera frame that leads from the reference."""

    def away(self, values: Tensor, reference: Tensor) -> Tensor:
        """The rotation vector of `R R_ref^T`."""
        return roma.rotvec_composition([values, -reference.expand_as(values)])

    def back(self, offsets: Tensor, reference: Tensor) -> Tensor:
        """The rotation vector of `exp(offset) R_ref`."""
        return roma.rotvec_composition([offsets, reference.expand_as(offsets)])

    def box(self, values: Tensor, length: int) -> Tensor:
        """The mean of unit quaternions, which is close to the intrinsic one for near rotations."""
        quaternions = roma.rotvec_to_unitquat(values)
        turned = (quaternions[1:] * quaternions[:-1]).sum(dim=-1) < 0
        sign = pad(1 - 2 * turned.to(values), (1, 0), value=1.0).cumprod(dim=0)
        smooth = _box(quaternions * sign[:, None], length)
        return roma.unitquat_to_rotvec(normalize(smooth, dim=-1))


class Directions:
    """Gaze (yaw, pitch): the way on the sphere from the reference, in its own frame."""

    def away(self, values: Tensor, reference: Tensor) -> Tensor:
        """Along the great circle from the reference: to the left and up, in radians."""
        local = _turned(_frame(reference).mT, _direction(values))
        across = local[..., :2].norm(dim=-1, keepdim=True)
        angle = torch.atan2(across, local[..., 2:])
        return local[..., :2] * torch.where(across > 1e-9, angle / across, 1.0)

    def back(self, offsets: Tensor, reference: Tensor) -> Tensor:
        """The gaze at the end of the great circle."""
        angle = offsets.norm(dim=-1, keepdim=True)
        across = offsets * torch.sinc(angle / torch.pi)
        local = torch.cat([across, angle.cos()], dim=-1)
        return _angles(_turned(_frame(reference), local))

    def box(self, values: Tensor, length: int) -> Tensor:
        """The mean direction."""
        return _angles(_box(_direction(values), length))


def _turned(matrix: Float[Tensor, "#T 2 3 3"], rays: Float[Tensor, "T 2 3"]) -> Tensor:
    """The products of many small matrices and vectors, quicker than by a loop of products."""
    return (matrix * rays[..., None, :]).sum(dim=-1)


def _frame(gaze: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 3 3"]:
    """`gaze_rotation` in closed form: left, up and ahead of an eye as columns."""
    (s, t), (c, d) = gaze.sin().unbind(-1), gaze.cos().unbind(-1)
    left, up = torch.stack([c, 0 * c, -s], dim=-1), torch.stack([-s * t, d, -c * t], dim=-1)
    return torch.stack([left, up, _direction(gaze)], dim=-1)


def _direction(gaze: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 3"]:
    (s, t), (c, d) = gaze.sin().unbind(-1), gaze.cos().unbind(-1)
    return torch.stack([s * d, t, c * d], dim=-1)


def _angles(direction: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 2"]:
    x, y, z = direction.unbind(-1)
    return torch.stack([torch.atan2(x, z), torch.atan2(y, torch.hypot(x, z))], dim=-1)
