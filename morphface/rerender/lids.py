"""The skin of lids that close or open, from the skin of the photo.

Along each column of an eye what is above the edge of the upper lid is one smooth monotone map of
what is there in the photo: still at the brow, so that the crease moves down with the lid. Lashes
and the line of the lid are taken off the skin first, and are put back where the edge is now,
turned down as the lid closes; so nothing dark is stretched. What they hide of the skin goes on
from above.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.render.warp import look_up
from morphface.rerender.lid_cover import LidCover
from morphface.rerender.lid_lines import LidLines
from morphface.rerender.lid_skin import (
    ASIDE,
    CORE,
    DENSE,
    LASHES,
    ROWS,
    WITHIN,
    bare,
    between,
    cleared,
    smoothed,
    strip_of,
)
from morphface.rerender.ring_axes import BEYOND, RingAxes, sampled

__all__ = ["LidPhoto", "MovedLids"]

BROW = 0.8, 0.2, 0.45
"""Where the skin of an upper lid is still: a share of the way to the brow, within widths."""
SAFE = 0.025
"""How far below its edge a lower lid that meets the upper one is taken from, in widths."""
CHEEK = 0.35
"""The same of the lower lid, below its edge."""
TURNED = 1.8
"""How far lashes turn while an eye closes; 1 leaves them straight ahead."""
HANGING = 0.11, 0.0
"""Where lashes of closed eyes end, and are as dense as those of open ones, in widths of the eye."""
LINE = 0.8
"""How far the line in which lids meet hides what is there, at most."""
FADE = 0.12
"""How wide the passage is to what is around, in widths of the eye."""
CORNER = 0.12
"""How far within its corners skin of a lid passes into that of the photo, in widths of the eye."""
LIGHTER = -0.1, 0.35
"""Distances from both corners between which that a lid gets brighter begins."""
UNDER = 0.1, 0.4
"""Between which distances below an eye there is skin whose grain is that of its lid, in widths."""
GRAIN = 0.02, 0.03
"""How wide grain of skin is at most, in widths of the eye, and how much brighter or darker."""


@dataclass(frozen=True, eq=False)
class LidPhoto:
    """What a photo shows of the lids of an eye.

    Args:
        axes: of the eye.
        lines: edges of its lids.
        still: how far above the upper one skin does not move, at each column.
        skin: of the upper lid without lashes, rows from its edge up to `ROWS`.
        clear: how much brighter that is when the eye has closed, without make-up.
        lashes: how far lashes hide it, rows from `WITHIN` below the edge to `LASHES` above it.
        line: how dark the edge of the lid is, at each column.
        dark: the colour of lashes.
        grain: of the skin below the eye, rows as far as `UNDER` says.
        pixels: of the photo.
        cover: what hangs before the eye; None is nothing.
    """

    axes: RingAxes
    lines: LidLines
    still: Float[Tensor, " K"]
    skin: Float[Tensor, "m n 3"]
    clear: Float[Tensor, "m n 3"]
    lashes: Float[Tensor, "l n 1"]
    line: Float[Tensor, " K"]
    dark: Float[Tensor, "3"]
    grain: Float[Tensor, "g n 3"]
    pixels: Float[Tensor, "H W 3"]
    cover: LidCover | None = None

    @classmethod
    def of(
        cls,
        pixels: Float[Tensor, "H W 3"],
        axes: RingAxes,
        lines: LidLines,
        brow: Float[Tensor, "B 2"],
        cover: LidCover | None = None,
    ) -> "LidPhoto":
        """Those of an eye.

        Args:
            pixels: of the photo.
            axes: of the eye.
            lines: of its lids.
            brow: landmarks along the lower edge of the brow above.
            cover: what hangs before them; None is nothing.
        """
        share, least, most = BROW
        far = axes.flat(brow)[:, 1].mean() - lines.upper.max()
        high = (share * float(far)) if float(far) > 0 else least
        still = torch.full_like(lines.upper, min(max(high, least), most))
        still = still + (lines.upper.max() - lines.upper).clamp(max=0.1)
        wide = min(max(round(axes.width * (1 + 2 * BEYOND)), 24), 600)
        seen = strip_of(pixels, axes, lines.upper, (-WITHIN, ROWS), wide)
        covered = torch.zeros_like(seen[..., :1])
        if cover is not None:
            covered = cover.strip(axes, lines.upper, (-WITHIN, ROWS), wide)
        skin, lashes = bare(seen, axes.width, covered)
        low = round(WITHIN / (ROWS + WITHIN) * len(seen))
        top = round((WITHIN + LASHES) / (ROWS + WITHIN) * len(seen))
        part = seen[:top].flatten(0, 1)
        light = part @ part.new_tensor(LUMINANCE)
        dark = part[light <= light.quantile(0.1)].mean(0)
        edge = smoothed(lashes[:top, :, 0].amax(0), max(round(0.06 * axes.width), 1))
        line = interpolate(edge[None, None], len(still), mode="linear")[0, 0]
        below = strip_of(pixels, axes, lines.lower, (-UNDER[0], -UNDER[1]), wide)
        clear = cleared(skin[low:], below, axes.width, min(high, most))
        return cls(
            axes,
            lines,
            still,
            skin[low:],
            lashes=lashes[:top],
            line=line,
            dark=dark,
            clear=clear,
            grain=_grain(below, axes.width),
            pixels=pixels,
            cover=cover,
        )


@dataclass(frozen=True, eq=False)
class MovedLids:
    """The lids of a photo in another place.

    Args:
        photo: what is known of them.
        lines: where their edges are now.
        closed: share of the opening that is closed, 0 to 1.
    """

    photo: LidPhoto
    lines: LidLines
    closed: float

    def inside(self, flat: Float[Tensor, "h w 2"]) -> tuple[Tensor, Tensor]:
        """How far places are between the lids, and below the upper one, in widths of the eye.

        Args:
            flat: places in the axes of the eye.
        """
        upper, lower = self.lines.at(flat[..., 0])
        below = upper - flat[..., 1]
        inside = torch.stack([below, flat[..., 1] - lower, flat[..., 0], 1 - flat[..., 0]])
        return inside.amin(0), below

    def weight(self, flat: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
        """How far the surroundings of the eye are drawn with it, 0 to 1.

        Args:
            flat: places in the axes of the eye.
        """
        along, up = flat.unbind(-1)
        upper, lower = self.photo.lines.at(along)
        end = upper + sampled(self.photo.still[:, None], along)[..., 0]
        above = smoothstep(up - end, FADE, 0.0)
        below = smoothstep(lower - CHEEK - up, FADE, 0.0)
        aside = smoothstep(along, -BEYOND, -0.08) * smoothstep(along, 1 + BEYOND, 1.08)
        weight = (above * below * aside)[..., None]
        cover = self.photo.cover
        return weight if cover is None else weight * (1 - cover.at(self.photo.axes.screen(flat)))

    def colours(self, flat: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 3"]:
        """The skin of both lids.

        Args:
            flat: places in the axes of the eye.
        """
        photo, axes = self.photo, self.photo.axes
        along, up = flat.unbind(-1)
        upper, lower = self.lines.at(along)
        was, under = photo.lines.at(along)
        still = sampled(photo.still[:, None], along)[..., 0]
        above = _carried(up - upper, still + was - upper, still, rigid=self.closed == 0)
        below = _carried(lower - up, CHEEK + lower - under, torch.full_like(up, CHEEK))
        # Landmarks miss the edge of the lower lid: what closes shows nothing from within it.
        below = below + self.closed * SAFE * torch.exp(-below.clamp(min=0) / (3 * SAFE))
        over = up - lower > upper - up
        there = torch.where(over, was + above, under - below)
        place = axes.screen(torch.stack([along, there], dim=-1))
        seen = look_up(photo.pixels[None], place[None])[0]
        skin = _strip_at(photo.skin, along, above, (0.0, ROWS))
        lit = 1 - (1 - self.closed) ** 2  # a lid comes out of its fold before it meets the other
        # What is filled in has the grain of skin below the eye.
        grain = _strip_at(photo.grain, along, up - lower, (0.0, UNDER[1] - UNDER[0]))
        skin = skin + grain * smoothstep(above, 1.7 * DENSE, DENSE)[..., None]
        near = smoothstep(above, ROWS - 0.01, ROWS - 0.1) * over
        changed = smoothstep(torch.tensor(self.closed), 0.03, 0.25)
        sides = between(along, CORNER, ASIDE)
        found = torch.lerp(seen, skin, (near * changed * sides)[..., None])
        clear = _strip_at(photo.clear, along, above, (0.0, ROWS))
        sides = smoothstep(along, *LIGHTER) * smoothstep(1 - along, *LIGHTER)
        return found + clear * (lit * near * changed * sides)[..., None]

    def covering(self, flat: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
        """How far places are on the part of the upper lid that has come down over the eye.

        Args:
            flat: places in the axes of the eye.
        """
        along, up = flat.unbind(-1)
        upper, was = self.lines.at(along)[0], self.photo.lines.at(along)[0]
        on = smoothstep(up - was, DENSE, -DENSE) * (up > upper) * (was > upper)
        return (on * between(along))[..., None]

    def lashes(self, flat: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
        """How far the line of the upper lid and its lashes hide what is there.

        Args:
            flat: places in the axes of the eye.
        """
        along, up = flat.unbind(-1)
        far = up - self.lines.at(along)[0]
        turn = 1 - TURNED * self.closed
        span = -WITHIN, LASHES
        raised, fallen = max(turn, 0.25), max(-turn, 0.25)
        down = smoothstep(torch.tensor(-turn), -0.25, 0.25)
        standing, hanging = (
            _strip_at(self.photo.lashes, along, there, span)
            * (smoothstep(there, -thick, 0.0) * smoothstep(there, *ends))[..., None]
            for there, thick, ends in (
                (far / raised, WITHIN, (LASHES, 0.9 * LASHES)),
                (-far / fallen, WITHIN / 2, HANGING),
            )
        )
        core = max(CORE, 0.6 / self.photo.axes.width)
        line = sampled(self.photo.line[:, None], along)
        line = LINE * line * smoothstep(far.abs(), 2 * core, 0.5 * core)[..., None]
        found = torch.maximum(torch.lerp(standing, hanging, down), line)
        return found * smoothstep(torch.tensor(self.closed), 0.03, 0.25)


def _carried(far: Tensor, now: Tensor, was: Tensor, *, rigid: bool = True) -> Tensor:
    """Where what is so far from an edge was, if what was `was` away is `now` away and stays there.

    The monotone rational quadratic of Gregory and Delbourgo (1982), of slope 1 at the far end and
    beyond. At the edge its slope is 1, too, if what is near it is rigid, or else that of the mean.
    """
    now = now.clamp(min=1e-3)
    x, end = (far / now).clamp(0, 1), now / was
    start = end if rigid else torch.ones_like(end)
    y = x * (x + start * (1 - x)) / (1 + (start + end - 2) * x * (1 - x))
    return torch.where(far > now, far - now + was, was * y) + far.clamp(max=0)


def _grain(below: Float[Tensor, "g n 3"], width: float) -> Float[Tensor, "g n 3"]:
    """What is fine in the skin below an eye."""
    seen, reach = below.movedim(-1, 0)[None], max(round(GRAIN[0] * width), 1)
    mean = avg_pool2d(seen, 2 * reach + 1, 1, reach, count_include_pad=False)
    return (seen - mean)[0].movedim(0, -1).clamp(-GRAIN[1], GRAIN[1])


def _strip_at(
    strip: Float[Tensor, "m n C"], along: Tensor, far: Tensor, span: tuple[float, float]
) -> Float[Tensor, "h w C"]:
    """Values of a strip at places so far from the edge."""
    low, high = span
    x = (along + BEYOND) / (1 + 2 * BEYOND) * strip.shape[1]
    y = (far - low) / (high - low) * strip.shape[0]
    return look_up(strip[None], torch.stack([x, y], dim=-1)[None], "bilinear")[0]
