"""The skin of an upper lid without what hides it: lashes, make-up, the shade of its fold.

Skin is looked at as a strip along the edge of the lid, rows from one height above it to another, in
widths of the eye.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool1d, avg_pool2d, max_pool2d

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.render.relief import membrane
from morphface.render.warp import centres, look_up
from morphface.rerender.ring_axes import BEYOND, RingAxes, sampled

__all__ = [
    "ASIDE",
    "CORE",
    "DENSE",
    "LASHES",
    "ROWS",
    "WITHIN",
    "bare",
    "between",
    "cleared",
    "smoothed",
    "strip_of",
]

LASHES = 0.2
"""How far lashes may reach beyond the edge of a lid, in widths of the eye."""
DENSE = 0.12
"""How far above that edge they may hide its skin altogether, in widths of the eye."""
OUTER = 0.6, 0.4
"""How much further they do so at the outer corner, and how far within it that begins."""
THIN = 0.025, 0.22
"""Half of how wide a single lash is at most, and how high on the lid they are looked for."""
WITHIN = 0.04
"""How far below that edge its line may lie."""
CORE = 0.013
"""How far from its edge the line of a lid is seen, however lashes stand."""
DARKER = 0.2, 0.55
"""Share of the skin's brightness that lashes take: no lash up to the first, one from the second."""
STROKE = 0.09, 0.16
"""How much darker than beside it a single lash is: none up to the first, one from the second."""
NEXT = 0.06
"""How far above the edge of a lid its skin is never seen bare."""
USUAL = 0.3
"""How far above the edge skin is as bright as that under the lashes, in widths of the eye."""
ROWS = 0.5
"""Height of the strip of skin that is kept, in widths of the eye."""
EVEN = 0.02, 0.2
"""How far around a place make-up is a mean, and how far along the eye skin is, in widths of it."""
CLEAR = 0.92, 1.05
"""How dark a closed lid may be beside the skin below the eye, which it is lit like: that above is
in the shade of the socket, which the lid comes out of, or is a low brow; and how bright beside the
brighter of the two."""
HALFWAY = 0.5
"""How far it comes from what is seen above the eye to that, by logarithms: a socket stays deep, and
make-up is on closed lids, too."""
TINT = 0.5
"""How far a lid keeps its own tint where it is bright: shades and lashes have another one than the
skin below the eye."""
HUE = 0.1, 0.25
"""Difference of a tint to all between grey and the skin below the eye, from which on it is that of
make-up, which stays: not up to the first, wholly from the second. What is redder is shade."""
REDDER = 0.7, 0.1
"""How far a lid keeps a redder tint, as shades have it, and from which difference on; the less the
darker what is seen is: in light, the red of a deep shade would be that of a wound."""
ALIKE = 1.2
"""How many times a tint of skin differs from that below the eye, at most."""
LEVEL = 0.03, 0.35, 0.2
"""Over how much of the eye skin is a mean, and heights between which that begins, in widths."""
FADING = 1.1, 0.35
"""Heights, in those of the brow, between which a lid passes into what is seen above the eye."""
ASIDE = 0.3
"""How far beyond the outer corner of an eye its lashes reach, in widths of it."""
HAIR = 0.2, 0.4
"""The same of what hangs before the eye, which stays as it is, and of what does not."""
USED = 0.8, 0.6
"""Quantiles of the colours above and below that are those of skin: above are brows, too."""


def strip_of(
    pixels: Float[Tensor, "H W 3"],
    axes: RingAxes,
    line: Float[Tensor, " K"],
    span: tuple[float, float],
    wide: int,
) -> Float[Tensor, "m n 3"]:
    """A part of a photo along the edge of a lid, rows from one height above it to another.

    Args:
        pixels: of the photo.
        axes: of the eye.
        line: edge of the lid.
        span: both heights, in widths of the eye.
        wide: columns.
    """
    low, high = span
    rows = max(round(abs(high - low) / (1 + 2 * BEYOND) * wide), 12)
    grid = centres(rows, wide, pixels) / pixels.new_tensor([wide, rows])
    along = grid[..., 0] * (1 + 2 * BEYOND) - BEYOND
    up = sampled(line[:, None], along)[..., 0] + low + grid[..., 1] * (high - low)
    place = axes.screen(torch.stack([along, up], dim=-1))
    return look_up(pixels[None], place[None])[0].clamp(0, 1)


def bare(
    seen: Float[Tensor, "m n 3"], width: float, covered: Float[Tensor, "m n 1"]
) -> tuple[Float[Tensor, "m n 3"], Float[Tensor, "m n 1"]]:
    """A strip with skin in place of lashes and of what is below the edge; how far they hide it.

    Args:
        seen: the strip, rows from `WITHIN` below the edge up to `ROWS`.
        width: of the eye, in pixels.
        covered: how far something else hides the skin, as hair does.
    """
    rows, columns = seen.shape[:2]
    far = ((torch.arange(rows) + 0.5) / rows * (ROWS + WITHIN) - WITHIN)[:, None]
    weights = seen.new_tensor(LUMINANCE)
    light, clean = seen @ weights, _without_strokes(seen, max(round(THIN[0] * width), 1))
    clean = torch.lerp(seen, clean, smoothstep(far, THIN[1] + 0.05, THIN[1])[..., None])
    above = clean @ weights
    usual = _usual(above, (far > CORE) & (far < USUAL) & (covered[..., 0] < 0.5))
    usual = smoothed(usual, max(round(0.06 * width), 1))
    darker = 1 - above / usual.clamp(min=0.02)
    along = (torch.arange(columns) + 0.5) / columns * (1 + 2 * BEYOND) - BEYOND
    dense = DENSE * (1 + OUTER[0] * smoothstep(along, OUTER[1], 0.0))
    hidden = _widened(smoothstep(darker, *DARKER) * (far < dense), max(round(0.015 * width), 1))
    hidden = torch.maximum(hidden, covered[..., 0])
    skin = membrane(clean, (hidden < 0.3) & (far > NEXT))
    filled = torch.maximum(smoothstep(far / dense, 1.3, 1.0)[..., None], covered)
    skin = torch.lerp(clean, skin, filled)
    # What is stretched over the lid would be streaks.
    level = smoothed(skin.movedim(1, -1), max(round(LEVEL[0] * width), 1)).movedim(-1, 1)
    skin = torch.lerp(skin, level, smoothstep(far, *LEVEL[1:])[..., None])
    ratio = 1 - light / (skin @ weights).clamp(min=0.02)
    lashes = smoothstep(ratio, *DARKER) * smoothstep(far, -WITHIN, 0.0)
    lashes = lashes * smoothstep(far, LASHES, 0.7 * LASHES) * between(along, aside=ASIDE)
    lashes = lashes * (1 - covered[..., 0])
    lashes = _rooted(lashes, far[:, 0])
    soft = avg_pool2d(lashes[None], 3, 1, 1, count_include_pad=False)[0]  # no stairs where it turns
    return skin, soft[..., None]


def _usual(light: Float[Tensor, "m n"], chosen: Tensor) -> Float[Tensor, " n"]:
    """How bright skin is in each column; where none is seen, as elsewhere."""
    known = torch.where(chosen, light, torch.nan)
    found = known.nanquantile(0.7, dim=0)
    return torch.where(found.isnan(), known.nanmedian().nan_to_num(float(light.median())), found)


def _rooted(lashes: Float[Tensor, "m n"], far: Float[Tensor, " m"]) -> Float[Tensor, "m n"]:
    """Lashes that begin at the edge of the lid: landmarks are a little beside it, in the eye."""
    near = (far > 0) & (far < NEXT)
    grown = lashes.clone()
    grown[near] = lashes[near].flip(0).cummax(0).values.flip(0)
    return grown


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


def cleared(
    skin: Float[Tensor, "m n 3"], below: Float[Tensor, "g n 3"], width: float, brow: float
) -> Float[Tensor, "m n 3"]:
    """How much brighter a lid is that is lit as the skin below the eye.

    Make-up and the shade of a fold end at the brow: nothing there. What is dark has lost the tint
    of skin, which it gets from below, too.

    Args:
        skin: of the lid, rows from its edge up to `ROWS`.
        below: skin below the eye.
        width: of the eye, in pixels.
        brow: how far above the edge that is.
    """
    rows, high = len(skin), min(brow, ROWS)
    far = ((torch.arange(rows) + 0.5) / rows * ROWS)[:, None, None]
    reach = max(round(EVEN[1] * width), 1)
    above, under = (
        smoothed(each.quantile(share, dim=0).mT, reach).mT
        for each, share in zip((skin, below), USED, strict=True)
    )
    around = max(round(EVEN[0] * width), 1)
    mean = skin.movedim(-1, 0)[None]
    for _ in range(2):
        mean = avg_pool2d(mean, 2 * around + 1, 1, around, count_include_pad=False)
    mean = mean[0].movedim(0, -1)
    light, up, low = (_light(each) for each in (mean, above, under))
    goal = CLEAR[0] * low
    goal = torch.minimum(goal, up ** (1 - HALFWAY) * goal**HALFWAY)
    bright = torch.minimum(torch.maximum(light, goal), CLEAR[1] * torch.maximum(up, low))
    tint = _lid_tint(mean / light, under / low, light / bright)
    change = bright * tint - mean
    free = smoothstep((above.mean(-1) / under.mean(-1).clamp(min=0.02)), *HAIR)[:, None]
    return free * change * smoothstep(far, *(share * high for share in FADING))


def _lid_tint(
    seen: Float[Tensor, "m n 3"], skin: Float[Tensor, "n 3"], dark: Float[Tensor, "m n 1"]
) -> Float[Tensor, "m n 3"]:
    """The tint of a lid: that of skin, a little as it is seen, and that of make-up where that is.

    Args:
        seen: tints, of luminance 1.
        skin: that of the skin below the eye.
        dark: how bright what is seen is beside the lid.
    """
    redder = smoothstep((seen - skin)[..., :1], 0.0, REDDER[1])
    dark = dark.clamp(max=1)
    own = torch.maximum(TINT * dark**4, REDDER[0] * redder * dark)
    near = torch.minimum(torch.maximum(seen, skin / ALIKE), skin * ALIKE)
    away, axis = seen - 1, skin - 1
    share = (away * axis).sum(-1, keepdim=True) / axis.square().sum(-1, keepdim=True).clamp(1e-4)
    beside = (away - share.clamp(0, 1) * axis).norm(dim=-1, keepdim=True)
    hue = torch.minimum(beside, (seen - skin)[..., 1:].amax(-1, keepdim=True))
    return torch.lerp(torch.lerp(skin, near, own), seen, smoothstep(hue, *HUE))


def _light(colours: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 1"]:
    """Luminance, above zero."""
    return (colours @ colours.new_tensor(LUMINANCE)).clamp(min=0.02)[..., None]


def between(along: Tensor, within: float = 0.04, aside: float = 0.0) -> Tensor:
    """1 between the corners of an eye, 0 beyond them.

    Args:
        along: where, in widths of the eye.
        within: how far from the corners it is 1.
        aside: how far beyond the outer corner it is not 0, either; then it is 1 up to that corner.
    """
    outer = (-aside, -aside / 3) if aside else (-0.04, within)
    return smoothstep(along, *outer) * smoothstep(along, 1.04, 1 - within)


def _widened(values: Float[Tensor, "m n"], reach: int) -> Float[Tensor, "m n"]:
    """The largest nearby."""
    return max_pool2d(values[None], 2 * reach + 1, 1, reach)[0]


def smoothed(values: Float[Tensor, "*C n"], radius: int) -> Float[Tensor, "*C n"]:
    """Values along an eye, each the mean of those around it.

    Args:
        values: of the columns of a strip.
        radius: how many on each side, twice.
    """
    planes = values[None] if values.ndim == 1 else values
    for _ in range(2):
        planes = avg_pool1d(planes, 2 * radius + 1, 1, radius, count_include_pad=False)
    return planes.reshape(values.shape)
