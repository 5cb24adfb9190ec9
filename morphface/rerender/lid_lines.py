"""The lids of an eye as two lines over its width, and how a model moves them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.rerender.eye_place import LOWER
from morphface.rerender.ring_axes import BEYOND, RingAxes, edge_lines, sampled

__all__ = ["LidLines", "LidMotion", "lids_apart"]

SHUT = 0.06
"""Share of its opening up to which an eye counts as closed: lids are soft, meshes are not."""
RISE = 0.12
"""How far the lower lid comes to meet the upper one, as a share of the opening that closes."""
LEAST = 0.06
"""Opening of a mesh, in widths of the eye, below which it is no measure of its closing."""
MOST = 0.12
"""How much wider, in its widths, an eye opens than in the photo, if it is open there."""
WIDEST = 0.3
"""How wide, in its widths, one opens that is closed there."""
PEAK = 1.4
"""How far lids are apart in the middle of an eye, beside the mean."""


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
    def of(cls, ring: Float[Tensor, "R 2"], axes: RingAxes) -> "LidLines":
        """Smooth lines through the landmarks of an eye.

        Args:
            ring: the edge of the lids, as in `EyePlace`.
            axes: of the eye.
        """
        return cls(*edge_lines(ring, axes))

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
        cls,
        before: Float[Tensor, "R 2"],
        after: Float[Tensor, "R 2"],
        axes: RingAxes,
        opened: float,
        shut: float = 0.0,
    ) -> "LidMotion":
        """The motion of a ring of landmarks on the mesh, of which the rest is still.

        Args:
            before: the ring, as in the photo.
            after: with its lids moved.
            axes: of the eye in the photo.
            opened: how far its lids are apart there, in widths of the eye.
            shut: how far those of the mesh are when the eye closes; below 0 they cross, as those
                of an eye do that is narrow already.
        """
        lower = torch.arange(1, LOWER)
        was, now = (axes.flat(ring)[:, 1] for ring in (before, after))
        wide, found = (lids_apart(ring, axes) for ring in (before, after))
        whole = max(wide - shut, (1 - SHUT) * max(wide, LEAST))
        closed = min((wide - found) / whole, 1.0)
        raised = float((now - was)[lower].mean())
        wider = min(PEAK * max(found - wide, 0.0), max(MOST, WIDEST - opened))
        return cls(max(closed, 0.0), wider, raised)

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


def lids_apart(ring: Float[Tensor, "R 2"], axes: RingAxes) -> float:
    """How far the lids of a ring of landmarks are apart, in widths of the eye; below 0 they cross.

    Args:
        ring: as in `EyePlace`.
        axes: of the eye.
    """
    lower, high = torch.arange(1, LOWER), axes.flat(ring)[:, 1]
    return float((high[len(high) - lower] - high[lower]).mean())
