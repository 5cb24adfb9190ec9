"""The lids of an eye as two lines over its width, and how a model moves them.

Places around an eye are given in its own axes: along from the outer corner to the inner one, up
towards the brow, both in widths of the eye, so that lines are functions of how far along.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import uniform_filter1d
from torch import Tensor

from morphface.rerender.eye_place import LOWER

__all__ = ["BEYOND", "EyeAxes", "LidLines", "LidMotion"]

BEYOND = 0.25
"""How far lines go on beyond the corners, in widths of the eye."""
COLUMNS = 121
"""Places along an eye at which lines are known."""
SOFT = 7
"""Places over whose mean corners are rounded."""
SHUT = 0.06
"""Share of its opening up to which an eye counts as closed: lids are soft, meshes are not."""
RISE = 0.12
"""How far the lower lid comes to meet the upper one, as a share of the opening that closes."""
LEAST = 0.06
"""Opening of a mesh, in widths of the eye, below which it is no measure of its closing."""
MOST = 0.12
"""How much wider, in its widths, an eye opens than in the photo."""


@dataclass(frozen=True, eq=False)
class EyeAxes:
    """The axes of an eye in a picture.

    Args:
        origin: its outer corner, in pixels.
        along: to the inner corner, of length 1.
        up: towards the brow, of length 1, at right angles.
        width: between the corners, in pixels.
    """

    origin: Float[Tensor, "2"]
    along: Float[Tensor, "2"]
    up: Float[Tensor, "2"]
    width: float

    @classmethod
    def of(cls, ring: Float[Tensor, "R 2"], brow: Float[Tensor, "B 2"]) -> "EyeAxes":
        """Those of the landmarks of an eye.

        Args:
            ring: the edge of the lids, as in `EyePlace`.
            brow: landmarks of the brow above.
        """
        span = ring[LOWER] - ring[0]
        width = max(float(span.norm()), 1e-3)
        along = span / width
        across = torch.stack([-along[1], along[0]])
        sign = torch.sign(((brow.mean(0) - ring.mean(0)) * across).sum())
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
            flat: along and up, in widths of the eye.
        """
        return self.origin + flat @ torch.stack([self.along, self.up]) * self.width


@dataclass(frozen=True, eq=False)
class LidLines:
    """How high lids are, at `COLUMNS` places from `BEYOND` before to as much behind the eye.

    Args:
        upper: edge of the upper lid.
        lower: edge of the lower lid.
    """

    upper: Float[Tensor, " K"]
    lower: Float[Tensor, " K"]

    @classmethod
    def of(cls, ring: Float[Tensor, "R 2"], axes: EyeAxes) -> "LidLines":
        """Smooth lines through the landmarks of an eye.

        Args:
            ring: the edge of the lids, as in `EyePlace`.
            axes: of the eye.
        """
        flat = axes.flat(ring)
        lower = _line(flat[: LOWER + 1])
        upper = _line(torch.cat([flat[:1], flat[LOWER:].flip(0)]))
        return cls(torch.maximum(upper, lower), lower)

    def at(self, along: Float[Tensor, "*pixels"]) -> tuple[Tensor, Tensor]:
        """Heights of the upper and of the lower edge.

        Args:
            along: where, in widths of the eye.
        """
        both = sampled(torch.stack([self.upper, self.lower], dim=-1), along)
        return both[..., 0], both[..., 1]

    @property
    def open(self) -> float:
        """How far the lids are apart where they are furthest, in widths of the eye."""
        return float((self.upper - self.lower).max())


@dataclass(frozen=True)
class LidMotion:
    """How a model moves the lids of an eye, in widths of it.

    Args:
        closed: share of the photo's opening that closes; below 0 it opens.
        wider: by how much it opens further than in the photo.
        raised: how far the lower lid rises.
    """

    closed: float
    wider: float
    raised: float

    @classmethod
    def between(
        cls, before: Float[Tensor, "R 2"], after: Float[Tensor, "R 2"], axes: EyeAxes
    ) -> "LidMotion":
        """The motion of a ring of landmarks on the mesh, of which the rest is still.

        Args:
            before: the ring, as in the photo.
            after: with its lids moved.
            axes: of the eye in the photo.
        """
        lower = torch.arange(1, LOWER)
        was, now = (axes.flat(ring)[:, 1] for ring in (before, after))
        apart = [line[len(line) - lower] - line[lower] for line in (was, now)]
        wide, found = (float(gap.mean()) for gap in apart)
        share = 1 + (found - wide) / max(wide, LEAST)
        closed = 1 - max(share - SHUT, 0.0) / (1 - SHUT)
        raised = float((now - was)[lower].mean())
        return cls(max(closed, 0.0), min(max(found - wide, 0.0) * 1.4, MOST), raised)

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return self.closed == 0 and self.wider == 0 and abs(self.raised) < 1e-4

    def of(self, lines: LidLines) -> LidLines:
        """Lids of a photo after this motion.

        Args:
            lines: of the photo.
        """
        gap = lines.upper - lines.lower
        along = torch.linspace(-BEYOND, 1 + BEYOND, len(gap))
        dome = (4 * along * (1 - along)).clamp(min=0)
        lower = lines.lower + torch.maximum(self.raised * dome, RISE * self.closed * gap)
        opened = gap * (1 - self.closed) + self.wider * dome
        return LidLines(lower + opened, lower)


def sampled(table: Float[Tensor, "K C"], along: Float[Tensor, "*pixels"]) -> Tensor:
    """Values of lines between their places."""
    place = ((along + BEYOND) / (1 + 2 * BEYOND) * (len(table) - 1)).clamp(0, len(table) - 1)
    first = place.floor().long().clamp(max=len(table) - 2)
    return torch.lerp(table[first], table[first + 1], (place - first)[..., None])


def _line(points: Float[Tensor, "n 2"]) -> Float[Tensor, " K"]:
    """A smooth line through points, level beyond them."""
    along, up = points.double().numpy().T
    along = np.maximum.accumulate(along + 1e-3 * np.arange(len(along)))
    at = np.linspace(-BEYOND, 1 + BEYOND, COLUMNS).clip(along[0], along[-1])
    line = PchipInterpolator(along, up)(at)
    return torch.from_numpy(uniform_filter1d(line, SOFT, mode="nearest")).float()
