"""What hangs before an eye and stays while its lids move: a fringe, or a hat.

Make-up, lashes and shades beside an eye are easily taken for a cover, so little of one counts for
nothing there. Its edges are those of the photo: the guided filter of He, Sun and Tang (2010).
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.render.warp import centres, look_up
from morphface.rerender.lid_skin import strip_of
from morphface.rerender.ring_axes import RingAxes

__all__ = ["LidCover"]

AROUND = 0.9
"""How far around an eye it is looked at, in its widths."""
MIDDLE = 0.5, 0.15
"""Middle of an eye and its lashes, along it and up, in its widths."""
EYE = 0.75, 0.45
"""Half of the width and of the height of what is an eye and its lashes, in its widths."""
LEAST = 0.35
"""Share of that which must be covered. Of 43 portraits a fringe has 0.5 of one eye; in five others
lashes beside hair are taken for it, up to 0.25."""
SMOOTH = 0.12, 2e-3
"""How far around a pixel the photo tells whether it is covered, in widths of an eye, and what
variance of brightness tells nothing."""
SURE = 0.35, 0.65
"""How likely a pixel is covered: it is not up to the first, and wholly from the second."""


@dataclass(frozen=True, eq=False)
class LidCover:
    """A part of a photo around an eye.

    Args:
        near: how far each pixel shows something that hangs before the eye, 0 to 1.
        corner: of the part, x and y in pixels.
    """

    near: Float[Tensor, "h w 1"]
    corner: Float[Tensor, "2"]

    @classmethod
    def of(
        cls, pixels: Float[Tensor, "H W 3"], occlusion: Float[Tensor, "H W"], axes: RingAxes
    ) -> "LidCover | None":
        """What covers much of an eye; None where nothing does.

        Args:
            pixels: of the photo.
            occlusion: how likely each of them shows something before the face.
            axes: of the eye.
        """
        middle = axes.screen(torch.tensor(MIDDLE))
        (left, top), (right, bottom) = (
            (middle + way * (0.5 + AROUND) * axes.width).int().tolist() for way in (-1, 1)
        )
        box = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
        part, seen = occlusion[box], pixels[box]
        corner = middle.new_tensor([max(left, 0), max(top, 0)])
        if not part.numel() or not bool((part > 0.5).any()):
            return None
        flat = axes.flat(centres(part.shape[0], part.shape[1], part) + corner)
        eye = ((flat - flat.new_tensor(MIDDLE)) / flat.new_tensor(EYE)).norm(dim=-1) < 1
        if not bool(eye.any()) or float(part[eye].mean()) < LEAST:
            return None
        light = seen @ seen.new_tensor(LUMINANCE)
        near = _guided(part, light, max(round(SMOOTH[0] * axes.width), 1))
        return cls(smoothstep(near, *SURE)[..., None], corner)

    def at(self, place: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
        """How far places show it.

        Args:
            place: x and y in pixels of the photo.
        """
        return look_up(self.near[None], (place - self.corner)[None], "bilinear")[0]

    def strip(
        self, axes: RingAxes, line: Float[Tensor, " K"], span: tuple[float, float], wide: int
    ) -> Float[Tensor, "m n 1"]:
        """The same along the edge of a lid.

        Args:
            axes: of the eye.
            line: edge of the lid.
            span: heights above it, in widths of the eye.
            wide: columns.
        """
        moved = replace(axes, origin=axes.origin - self.corner)
        return strip_of(self.near, moved, line, span, wide)


def _guided(
    values: Float[Tensor, "h w"], guide: Float[Tensor, "h w"], reach: int
) -> Float[Tensor, "h w"]:
    """Values whose edges are those of the guide: nearby, a linear function of it."""

    def mean(each: Tensor) -> Tensor:
        return avg_pool2d(each[None], 2 * reach + 1, 1, reach, count_include_pad=False)[0]

    about, level = mean(guide), mean(values)
    slope = (mean(guide * values) - about * level) / (mean(guide * guide) - about**2 + SMOOTH[1])
    return mean(slope) * guide + mean(level - slope * about)
