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
from torch.nn.functional import avg_pool1d, avg_pool2d, interpolate, max_pool2d

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.render.relief import membrane
from morphface.render.warp import centres, look_up
from morphface.rerender.lid_lines import LidLines
from morphface.rerender.ring_axes import BEYOND, RingAxes, sampled

__all__ = ["DENSE", "LidPhoto", "MovedLids"]

LASHES = 0.2
"""How far lashes may reach beyond the edge of a lid, in widths of the eye."""
DENSE = 0.12
"""How far above that edge they may hide its skin altogether, in widths of the eye."""
THIN = 0.025, 0.22
"""Half of how wide a single lash is at most, and how high on the lid they are looked for."""
WITHIN = 0.04
"""How far below that edge its line may lie."""
CORE = 0.02
"""How far from its edge the line of a lid is seen, however lashes stand."""
DARKER = 0.2, 0.55
"""Share of the skin's brightness that lashes take: no lash up to the first, one from the second."""
STROKE = 0.09, 0.16
"""How much darker than beside it a single lash is: none up to the first, one from the second."""
NEXT = 0.06
"""How far above the edge of a lid its skin is never seen bare."""
USUAL = 0.3
"""How far above the edge skin is as bright as that under the lashes, in widths of the eye."""
BROW = 0.8, 0.2, 0.45
"""Where the skin of an upper lid is still: a share of the way to the brow, within widths."""
SAFE = 0.025
"""How far below its edge a lower lid that meets the upper one is taken from, in widths."""
CHEEK = 0.35
"""The same of the lower lid, below its edge."""
TURNED = 1.8
"""How far lashes turn while an eye closes; 1 leaves them straight ahead."""
FADE = 0.12
"""How wide the passage is to what is around, in widths of the eye."""
UNDER = 0.1, 0.4
"""Between which distances below an eye there is skin whose grain is that of its lid, in widths."""
GRAIN = 0.02, 0.03
"""How wide grain of skin is at most, in widths of the eye, and how much brighter or darker."""
ROWS = 0.5
"""Height of the strip of skin that is kept, in widths of the eye."""


@dataclass(frozen=True, eq=False)
class LidPhoto:
    """What a photo shows of the lids of an eye.

    Args:
        axes: of the eye.
        lines: edges of its lids.
        still: how far above the upper one skin does not move, at each column.
        skin: of the upper lid without lashes, rows from its edge up to `ROWS`.
        lashes: how far lashes hide it, rows from `WITHIN` below the edge to `LASHES` above it.
        line: how dark the edge of the lid is, at each column.
        dark: the colour of lashes.
        grain: of the skin below the eye, rows as far as `UNDER` says.
        pixels: of the photo.
    """

    axes: RingAxes
    lines: LidLines
    still: Float[Tensor, " K"]
    skin: Float[Tensor, "m n 3"]
    lashes: Float[Tensor, "l n 1"]
    line: Float[Tensor, " K"]
    dark: Float[Tensor, "3"]
    grain: Float[Tensor, "g n 3"]
    pixels: Float[Tensor, "H W 3"]

    @classmethod
    def of(
        cls,
        pixels: Float[Tensor, "H W 3"],
        axes: RingAxes,
        lines: LidLines,
        brow: Float[Tensor, "B 2"],
    ) -> "LidPhoto":
        """Those of an eye.

        Args:
            pixels: of the photo.
            axes: of the eye.
            lines: of its lids.
            brow: landmarks along the lower edge of the brow above.
        """
        share, least, most = BROW
        far = axes.flat(brow)[:, 1].mean() - lines.upper.max()
        high = (share * float(far)) if float(far) > 0 else least
        still = torch.full_like(lines.upper, min(max(high, least), most))
        still = still + (lines.upper.max() - lines.upper).clamp(max=0.1)
        wide = min(max(round(axes.width * (1 + 2 * BEYOND)), 24), 600)
        seen = _strip(pixels, axes, lines.upper, (-WITHIN, ROWS), wide)
        skin, lashes = _bare(seen, axes.width)
        low = round(WITHIN / (ROWS + WITHIN) * len(seen))
        top = round((WITHIN + LASHES) / (ROWS + WITHIN) * len(seen))
        part = seen[:top].flatten(0, 1)
        light = part @ part.new_tensor(LUMINANCE)
        dark = part[light <= light.quantile(0.1)].mean(0)
        edge = _smoothed(lashes[:top, :, 0].amax(0), max(round(0.06 * axes.width), 1))
        line = interpolate(edge[None, None], len(still), mode="linear")[0, 0]
        grain = _grain(pixels, axes, lines, wide)
        return cls(
            axes,
            lines,
            still,
            skin[low:],
            lashes[:top],
            line=line,
            dark=dark,
            grain=grain,
            pixels=pixels,
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
        return (above * below * aside)[..., None]

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
        bare = _strip_at(photo.skin, along, above, (0.0, ROWS))
        # What is filled in has the grain of skin below the eye.
        grain = _strip_at(photo.grain, along, up - lower, (0.0, UNDER[1] - UNDER[0]))
        bare = bare + grain * smoothstep(above, 1.7 * DENSE, DENSE)[..., None]
        near = smoothstep(above, ROWS - 0.01, ROWS - 0.1) * over
        changed = smoothstep(torch.tensor(self.closed), 0.03, 0.25)
        return torch.lerp(seen, bare, (near * changed * _between(along))[..., None])

    def covering(self, flat: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
        """How far places are on the part of the upper lid that has come down over the eye.

        Args:
            flat: places in the axes of the eye.
        """
        along, up = flat.unbind(-1)
        upper, was = self.lines.at(along)[0], self.photo.lines.at(along)[0]
        on = smoothstep(up - was, DENSE, -DENSE) * (up > upper) * (was > upper)
        return (on * _between(along))[..., None]

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
            * (smoothstep(there, -WITHIN, 0.0) * smoothstep(there, LASHES, 0.9 * LASHES))[..., None]
            for there in (far / raised, -far / fallen)
        )
        core = max(CORE, 0.6 / self.photo.axes.width)
        line = sampled(self.photo.line[:, None], along)
        line = line * smoothstep(far.abs(), 2 * core, 0.5 * core)[..., None]
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


def _strip(
    pixels: Tensor, axes: RingAxes, line: Tensor, span: tuple[float, float], wide: int
) -> Float[Tensor, "m n 3"]:
    """A part of a photo along the edge of a lid, rows from one height above it to another."""
    low, high = span
    rows = max(round(abs(high - low) / (1 + 2 * BEYOND) * wide), 12)
    grid = centres(rows, wide, pixels) / pixels.new_tensor([wide, rows])
    along = grid[..., 0] * (1 + 2 * BEYOND) - BEYOND
    up = sampled(line[:, None], along)[..., 0] + low + grid[..., 1] * (high - low)
    place = axes.screen(torch.stack([along, up], dim=-1))
    return look_up(pixels[None], place[None])[0].clamp(0, 1)


def _grain(pixels: Tensor, axes: RingAxes, lines: LidLines, wide: int) -> Float[Tensor, "g n 3"]:
    """What is fine in the skin below an eye."""
    near, far = UNDER
    seen = _strip(pixels, axes, lines.lower, (-near, -far), wide).movedim(-1, 0)[None]
    reach = max(round(GRAIN[0] * axes.width), 1)
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


def _bare(
    seen: Float[Tensor, "m n 3"], width: float
) -> tuple[Float[Tensor, "m n 3"], Float[Tensor, "m n 1"]]:
    """A strip with skin in place of lashes and of what is below the edge; how far they hide it."""
    rows, columns = seen.shape[:2]
    far = ((torch.arange(rows) + 0.5) / rows * (ROWS + WITHIN) - WITHIN)[:, None]
    weights = seen.new_tensor(LUMINANCE)
    light, bare = seen @ weights, _without_strokes(seen, max(round(THIN[0] * width), 1))
    bare = torch.lerp(seen, bare, smoothstep(far, THIN[1] + 0.05, THIN[1])[..., None])
    above = bare @ weights
    usual = above[(far[:, 0] > CORE) & (far[:, 0] < USUAL)].quantile(0.7, dim=0)
    usual = _smoothed(usual, max(round(0.06 * width), 1))
    darker = 1 - above / usual.clamp(min=0.02)
    hidden = _widened(smoothstep(darker, *DARKER) * (far < DENSE), max(round(0.015 * width), 1))
    skin = membrane(bare, (hidden < 0.3) & (far > NEXT))
    skin = torch.lerp(bare, skin, smoothstep(far, 1.3 * DENSE, DENSE)[..., None])
    along = (torch.arange(columns) + 0.5) / columns * (1 + 2 * BEYOND) - BEYOND
    ratio = 1 - light / (skin @ weights).clamp(min=0.02)
    lashes = smoothstep(ratio, *DARKER) * smoothstep(far, -WITHIN, 0.0)
    lashes = lashes * smoothstep(far, LASHES, 0.7 * LASHES) * _between(along)
    return skin, lashes[..., None]


def _without_strokes(seen: Float[Tensor, "m n 3"], reach: int) -> Float[Tensor, "m n 3"]:
    """A strip without what is dark and narrow across: the closing of mathematical morphology."""
    planes, window, padding = seen.movedim(-1, 0)[None], (1, 2 * reach + 1), (0, reach)
    closed = -max_pool2d(-max_pool2d(planes, window, 1, padding), window, 1, padding)
    gone = smoothstep((closed - planes).mean(1, keepdim=True), *STROKE)
    gone = max_pool2d(gone, 2 * reach + 1, 1, reach)
    closed, gone = (
        avg_pool2d(each, 2 * reach + 1, 1, reach, count_include_pad=False)
        for each in (closed, gone)
    )
    return torch.lerp(planes, closed, gone)[0].movedim(0, -1)


def _between(along: Tensor) -> Tensor:
    """1 between the corners of an eye, 0 beyond them."""
    return smoothstep(along, -0.04, 0.04) * smoothstep(along, 1.04, 0.96)


def _widened(values: Float[Tensor, "m n"], reach: int) -> Float[Tensor, "m n"]:
    """The largest nearby."""
    return max_pool2d(values[None], 2 * reach + 1, 1, reach)[0]


def _smoothed(values: Float[Tensor, " n"], radius: int) -> Float[Tensor, " n"]:
    planes = values[None]
    for _ in range(2):
        planes = avg_pool1d(planes, 2 * radius + 1, 1, radius, count_include_pad=False)
    return planes[0]
