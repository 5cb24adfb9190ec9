"""Eyes and mouths as openings between two lines, in axes of their own.

Places are given along from one corner to the other, and up, both in widths of the opening, so that
its edges are functions of how far along.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d
from torch import Tensor

from morphface.core.curves import monotone

__all__ = ["BEYOND", "COLUMNS", "RingAxes", "edge_lines", "sampled"]

BEYOND = 0.25
"""How far lines go on beyond the corners, in widths."""
COLUMNS = 121
"""Places at which lines are known."""
SOFT = 7
"""Places over whose mean corners are rounded."""


@dataclass(frozen=True, eq=False)
class RingAxes:
    """The axes of an eye or a mouth in a picture.

    Args:
        origin: one corner, in pixels.
        along: to the other corner, of length 1.
        up: of length 1, at right angles.
        width: between the corners, in pixels.
    """

    origin: Float[Tensor, "2"]
    along: Float[Tensor, "2"]
    up: Float[Tensor, "2"]
    width: float

    @classmethod
    def of(cls, ring: Float[Tensor, "R 2"], above: Float[Tensor, "B 2"]) -> "RingAxes":
        """Those of landmarks.

        Args:
            ring: from one corner along the lower edge to the other, and back along the upper one.
            above: others, on the side that is up.
        """
        span = ring[len(ring) // 2] - ring[0]
        width = max(float(span.norm()), 1e-3)
        along = span / width
        across = torch.stack([-along[1], along[0]])
        sign = torch.sign(((above.mean(0) - ring.mean(0)) * across).sum())
        return cls(ring[0], along, across * (sign if sign else 1.0), width)

    def flat(self, place: Float[Tensor, "*pixels 2"]) -> Float[Tensor, "*pixels 2"]:
        """Places of a picture in these axes.

        Args:
            place: x and y in pixels.
        """
        return (place - self.origin) @ torch.stack([self.along, self.up], dim=-1) / self.width

    def screen(self, flat: Float[Tensor, "*pixels 2"]) -> Float[Tensor, "*pixels 2"]:
        """The inverse of `flat`.

        Args:
            flat: along and up, in widths.
        """
        return self.origin + flat @ torch.stack([self.along, self.up]) * self.width


def edge_lines(ring: Float[Tensor, "R 2"], axes: RingAxes) -> tuple[Tensor, Tensor]:
    """Smooth lines through landmarks: the upper and the lower edge of an opening.

    Args:
        ring: the landmarks, as for `RingAxes.of`.
        axes: of the opening.
    """
    flat, half = axes.flat(ring), len(ring) // 2
    lower = _line(flat[: half + 1])
    upper = _line(torch.cat([flat[:1], flat[half:].flip(0)]))
    return torch.maximum(upper, lower), lower


def sampled(table: Float[Tensor, "K C"], along: Float[Tensor, "*pixels"]) -> Tensor:
    """Values of lines between their places.

    Args:
        table: at `COLUMNS` places from `BEYOND` before to as much behind the corners.
        along: where, in widths.
    """
    place = ((along + BEYOND) / (1 + 2 * BEYOND) * (len(table) - 1)).clamp(0, len(table) - 1)
    first = place.floor().long().clamp(max=len(table) - 2)
    return torch.lerp(table[first], table[first + 1], (place - first)[..., None])


def _line(points: Float[Tensor, "n 2"]) -> Float[Tensor, " K"]:
    """A smooth line through points, level beyond them."""
    along, up = points.double().numpy().T
    along = np.maximum.accumulate(along) + 1e-3 * np.arange(len(along))  # also where it turns back
    at = np.linspace(-BEYOND, 1 + BEYOND, COLUMNS).clip(along[0], along[-1])
    line = monotone(along, up, at)
    return torch.from_numpy(uniform_filter1d(line, SOFT, mode="nearest")).float()
