"""What a photo shows between lips: teeth that belong to the skull, and what goes with the jaw."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from scipy.ndimage import median_filter
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.render.relief import membrane
from morphface.render.warp import centres, look_up
from morphface.rerender.ring_axes import BEYOND, COLUMNS, RingAxes, edge_lines, sampled
from morphface.rerender.teeth import ArchLines

__all__ = ["MouthPhoto"]

OPEN = 0.04
"""Opening, in widths of the mouth, from which something is seen in it."""
WIDE = 0.08
"""The same from which more than a line is, so that a turn shows it from another side."""
RIM = 0.02
"""How far from the edge of the lips these are not seen for what is behind, in widths, at least."""
BRIGHT = 0.45, 0.6
"""Brightness, beside that of skin, from which teeth are seen; and beside theirs, where one is."""
PALE = 0.95, 1.2
"""How red teeth are, as red over green: beside skin, up to the first, or up to the second; lips
and gums are redder. Seven smiles have 0.69 to 0.91 of their skin, what is seen in three slits 0.99
to 1.67, and above 1.5 by itself."""
SLIT = 0.2
"""Opening, in widths of the mouth, up to which nothing is told apart in what is so red; in a wider
one it is what goes with the jaw."""
LIP = 0.025
"""How far from its edge a lip may show what is behind it, in widths of the mouth."""
BLUR = 1.5
"""The same in pixels, and how far lips are seen for what is behind: a small photo mixes them."""
SOFT = 0.01
"""How wide the passage to the lips is, in widths of the mouth."""
AWAY = 0.6
"""How far around a mouth it is looked at, in its widths."""
SHOWN = 0.045, 0.01
"""How far upper teeth reach below the upper lip at least, and lower ones above the lower lip at
most, in widths of the mouth, where the photo does not show them."""
TOLD = 0.08
"""Opening, in widths of the mouth, from which no teeth seen are teeth behind the upper lip."""
ROWS = 32
"""Heights at which an open mouth is looked at."""
FIRST = 0.5
"""Part of the opening in which upper teeth begin."""
HIDDEN = 0.03
"""How far a lower lip may hide upper teeth that reach it, in widths of the mouth: in a smile they
end along it."""
TIP = 0.035
"""How far below the line of their edges single teeth may reach, in widths of the mouth."""
SMOOTH = 15
"""Columns whose median says where upper teeth end."""


@dataclass(frozen=True, eq=False)
class MouthPhoto:
    """A mouth in a photo.

    Args:
        axes: of it.
        upper: height of the edge of the upper lip at each column.
        lower: of the edge of the lower lip.
        ends: how far down upper teeth are seen.
        teeth: their colour; None if none are seen.
        cut: whether the lower lip hides where they end.
        clear: whether it shows what is between the lips, and not a slit in their own light.
        lips: the part of the photo around it, with lips that go on over the opening.
        corner: of that part, x and y in pixels.
    """

    axes: RingAxes
    upper: Float[Tensor, " K"]
    lower: Float[Tensor, " K"]
    ends: Float[Tensor, " K"]
    teeth: Float[Tensor, "3"] | None
    cut: bool
    clear: bool
    lips: Float[Tensor, "h w 3"]
    corner: tuple[int, int]

    @classmethod
    def of(
        cls, pixels: Float[Tensor, "H W 3"], ring: Float[Tensor, "R 2"], above: Float[Tensor, "B 2"]
    ) -> "MouthPhoto":
        """The mouth that landmarks find.

        Args:
            pixels: of the photo.
            ring: the inner edge of the lips, as for `RingAxes.of`.
            above: landmarks of bare skin above them.
        """
        axes = RingAxes.of(ring, above)
        upper, lower = edge_lines(ring, axes)
        gap = upper - lower
        part = _closed(pixels, axes, upper, lower)
        shut = cls(axes, upper, lower, upper, None, False, True, *part)
        if float(gap.max()) < OPEN:
            return shut
        along = torch.linspace(-BEYOND, 1 + BEYOND, COLUMNS)
        share = (torch.arange(ROWS) + 0.5) / ROWS
        high = upper - RIM - share[:, None] * (gap - 2 * RIM).clamp(min=0)
        place = axes.screen(torch.stack([along.expand_as(high), high], dim=-1))
        seen = look_up(pixels[None], place[None], "bilinear")[0]
        weights, inner = seen.new_tensor(LUMINANCE), gap > 2.5 * RIM
        light = seen @ weights
        skin = look_up(pixels[None], above[None, None], "bilinear")[0, 0]
        usual = light[:, inner].quantile(0.85) if bool(inner.any()) else light.max()
        if usual < BRIGHT[0] * (skin @ weights).median():
            return shut
        bright = (light > BRIGHT[1] * usual) & inner
        ends = _ends(bright, light, gap)
        own = bright & (share[:, None] < ends)
        teeth = seen[own].mean(0) if bool(own.any()) else None
        most = max(PALE[0] * _redness(skin.median(0).values), PALE[1])
        if teeth is not None and _redness(teeth) > most:
            return shut if float(gap.max()) > SLIT else replace(shut, ends=lower, clear=False)
        cut = bool(ends[(along > 0.3) & (along < 0.7)].median() > 0.9)
        height = torch.where(ends > 0.9, lower, upper - RIM - ends * (gap - 2 * RIM).clamp(min=0))
        height = lower if cut else torch.where(ends > 0, height, upper)
        return cls(axes, upper, lower, height, teeth, cut, True, *part)

    @property
    def rim(self) -> float:
        """How far from the edge of the lips these are not seen for what is behind, in widths."""
        return max(RIM, BLUR / self.axes.width)

    @property
    def opened(self) -> bool:
        """Whether something is seen in it."""
        return self.opening >= OPEN * self.axes.width

    @property
    def wide(self) -> bool:
        """Whether more than a line is seen of it."""
        return self.opening >= WIDE * self.axes.width

    @property
    def opening(self) -> float:
        """How far the lips are apart where they are furthest, in pixels."""
        return float((self.upper - self.lower).max()) * self.axes.width

    def shows(
        self, flat: Float[Tensor, "h w 2"], soft: float, *, upper: bool
    ) -> Float[Tensor, "h w 1"]:
        """How far places of the photo show upper teeth, or what else is in the mouth.

        Args:
            flat: places in the axes of the mouth.
            soft: how wide edges are mixed, in widths of the mouth.
            upper: which of the two.
        """
        table = torch.stack([self.upper, self.lower, self.ends], dim=-1)
        top, low, end = sampled(table, flat[..., 0]).unbind(-1)
        up = flat[..., 1]
        rim = self.rim if self.clear else 0.0
        within = torch.minimum(top - rim - up, up - low - rim)
        part = up - end if upper else end - up
        part = torch.where(end <= low + 1e-6, within if upper else -torch.ones_like(up), part)
        shown = smoothstep(torch.minimum(within, part), -soft, soft) * (top - low > 2 * rim)
        return shown[..., None]

    def nearest(self, flat: Float[Tensor, "h w 2"], *, upper: bool) -> Float[Tensor, "h w 2"]:
        """The nearest places that show upper teeth, or what else is in the mouth, by columns.

        Args:
            flat: places in the axes of the mouth.
            upper: which of the two; where neither is seen, places stay infinitely far away.
        """
        top, low = self.upper - self.rim, self.lower + self.rim
        top, low = (top, torch.maximum(low, self.ends)) if upper else (top.minimum(self.ends), low)
        known = torch.nonzero(top > low)[:, 0]
        if not len(known) or not self.clear:
            return torch.full_like(flat, torch.inf)
        along = torch.linspace(-BEYOND, 1 + BEYOND, COLUMNS)[known]
        across = flat[..., 0].clamp(float(along[0]), float(along[-1]))
        high, deep = sampled(torch.stack([top, low], dim=-1), across).unbind(-1)
        return torch.stack([across, torch.minimum(torch.maximum(flat[..., 1], deep), high)], -1)

    def fitted(self, row: ArchLines) -> ArchLines:
        """Upper teeth that end where those of the photo do, or behind the lip that hides that.

        In an open mouth without any they end behind the upper lip.

        Args:
            row: of a model, in the axes of this mouth.
        """
        if self.teeth is None and not (self.clear and self.opening > TOLD * self.axes.width):
            middle = COLUMNS // 2
            high = self.upper[middle] - SHOWN[0] - row.table[middle, 1]
            return row.shifted(high.clamp(max=0.0).expand(COLUMNS))
        known = torch.nonzero(self.upper - self.lower > 2.5 * RIM)[:, 0]
        edge, columns = row.table[:, 1], torch.arange(COLUMNS).clamp(known[0], known[-1])
        if self.teeth is None:
            return row.shifted((self.upper + RIM - edge)[columns].clamp(min=0.0))
        away = (self.ends - (RIM if self.cut else 0.0) - edge)[columns]
        return row.shifted(away - away.clamp(0, HIDDEN) if self.cut else away)

    def lowered(self, row: ArchLines) -> ArchLines:
        """Lower teeth that are not higher above the lower lip than resting ones.

        Args:
            row: of a model, in the axes of this mouth.
        """
        middle = COLUMNS // 2
        high = self.lower[middle] + SHOWN[1] - row.table[middle, 1]
        return row.shifted(high.clamp(max=0.0).expand(COLUMNS))


def _closed(
    pixels: Tensor, axes: RingAxes, upper: Tensor, lower: Tensor
) -> tuple[Float[Tensor, "h w 3"], tuple[int, int]]:
    """The part of a photo around a mouth with lips that go on over its opening, and its corner."""
    deep = [[0.5, float(upper.max())], [0.5, float(lower.min())]]
    ends = axes.screen(torch.tensor([[-AWAY, 0.0], [1 + AWAY, 0.0], *deep]))
    (x, y), (right, bottom) = ends.amin(0) - AWAY * axes.width, ends.amax(0) + AWAY * axes.width
    left, top = max(int(x), 0), max(int(y), 0)
    part = pixels[top : max(int(bottom), top + 1), left : max(int(right), left + 1)]
    if not part.numel() or float((upper - lower).max()) < OPEN:
        return (part if part.numel() else pixels), ((left, top) if part.numel() else (0, 0))
    here = centres(part.shape[0], part.shape[1], pixels) + pixels.new_tensor([left, top])
    flat = axes.flat(here)
    above, below = sampled(torch.stack([upper, lower], dim=-1), flat[..., 0]).unbind(-1)
    aside = (flat[..., 0] - flat[..., 0].clamp(0, 1)).abs()
    far = torch.maximum(flat[..., 1] - above, below - flat[..., 1]).clamp(min=0)
    open_here = torch.maximum(smoothstep(above - below, 0.0, OPEN), (aside > 0).to(far))
    away = (far.square() + aside.square()).sqrt() - max(LIP, BLUR / axes.width)
    hidden = smoothstep(away, SOFT, 0.0) * open_here
    return torch.lerp(part, membrane(part, hidden == 0), hidden[..., None]), (left, top)


def _redness(colour: Float[Tensor, "3"]) -> float:
    return float(colour[0] / colour[1].clamp(min=1e-3))


def _ends(
    bright: Bool[Tensor, "R K"], light: Float[Tensor, "R K"], gap: Float[Tensor, " K"]
) -> Float[Tensor, " K"]:
    """The share of each column at which what is bright from above ends, 0 without that.

    It ends where it is darkest just below, so that no tips of teeth are left to what is under them.
    """
    count, first = len(bright), int(FIRST * len(bright))
    begins, begun = bright[:first].int().argmax(0), bright[:first].any(0)
    rows = torch.arange(count)[:, None]
    dark = ~bright & (rows > begins)
    last = torch.where(dark.any(0), dark.int().argmax(0), count)
    reach = (TIP * count / (gap - 2 * RIM).clamp(min=RIM)).clamp(max=count)
    near = (rows >= last) & (rows <= last + reach)
    darkest = torch.where(near, light, torch.inf).argmin(0)
    darkest = torch.where(near.any(0), darkest, count)
    share = [torch.where(begun, each / count, 0.0) for each in (last, darkest)]
    tips, ends = (
        torch.from_numpy(median_filter(each.numpy(), SMOOTH, mode="nearest")) for each in share
    )
    most = tips + reach / count
    return torch.where(ends > 0, torch.maximum(ends, share[0].minimum(most)), ends)
