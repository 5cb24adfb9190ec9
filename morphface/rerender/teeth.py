"""Teeth where a model has them, as crowns along two arches: drawn where a photo shows none.

Only the front of an arch is ever seen, so each is a parabola in the head frame, behind the lips.
Widths of crowns are means of Wheeler's Dental Anatomy (Nelson, 10th edition, table 1-1).
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.models import MorphableModel
from morphface.rerender.ring_axes import BEYOND, COLUMNS, RingAxes, sampled

__all__ = ["DEEP", "TOOTH", "Arch", "ArchLines", "arches_of"]

WIDTHS = (8.5, 6.5, 7.5, 7.0, 7.0, 10.0), (5.0, 5.5, 7.0, 7.0, 7.0, 11.0)
"""Of upper and lower crowns from the middle, in millimetres."""
HEIGHTS = 10.0, 8.5
"""Of the crowns in the middle, in millimetres."""
SHORTER = 0.0, 0.08, -0.02, 0.06, 0.08, 0.1
"""How much less the crowns from the middle reach, in heights."""
BEND = 0.025
"""How an arch bends back, in millimetres per square millimetre."""
BEHIND = 2.0, 4.5
"""How far teeth are behind the edge of the upper lip, at least and at most, in millimetres."""
SHOWN = 2.0, -1.0
"""How far upper teeth reach below the edge of a resting upper lip, and lower ones above the lower
one's, in millimetres, in a model without teeth."""
TOOTH = 0.79, 0.73, 0.66
"""Albedo of teeth; its tint is that of five smiles beside the light that was fitted."""
DEEP = 0.25, 0.11, 0.10
"""Albedo of what is far behind the lips."""
GUM = 0.74, 0.42, 0.40
"""Albedo of gums."""
SHADE = 0.2, 0.3
"""How far, in halves of a crown, it is darker between two, and by what share at most."""
CORNER = 12.0, 30.0
"""Distances along an arch between which lips and cheeks take its light, in millimetres."""


@dataclass(frozen=True, eq=False)
class Arch:
    """The front of one row of teeth.

    Args:
        edges: points along the edge of the crowns, in the head frame, in millimetres.
        along: how far along the arch these are, 0 in the middle.
        upper: which row.
    """

    edges: Float[Tensor, "S 3"]
    along: Float[Tensor, " S"]
    upper: bool

    def moved(self, by: Float[Tensor, "3"]) -> "Arch":
        """The arch elsewhere.

        Args:
            by: in millimetres.
        """
        return replace(self, edges=self.edges + by)

    @property
    def gums(self) -> Float[Tensor, "S 3"]:
        """The points where crowns end."""
        height = HEIGHTS[0] if self.upper else -HEIGHTS[1]
        return self.edges + self.edges.new_tensor([0.0, height, 0.0])


@dataclass(frozen=True, eq=False)
class ArchLines:
    """An arch in a picture, by columns of a mouth.

    Args:
        table: for each column how far along the arch it is, and how high edges and gums are.
        upper: which row.
    """

    table: Float[Tensor, "K 3"]
    upper: bool

    @classmethod
    def of(
        cls, arch: Arch, edges: Float[Tensor, "S 2"], gums: Float[Tensor, "S 2"], axes: RingAxes
    ) -> "ArchLines":
        """What a picture has of an arch.

        Args:
            arch: in the head frame.
            edges: its edges in the picture, in pixels.
            gums: and where its crowns end.
            axes: of the mouth.
        """
        flat, end = axes.flat(edges), axes.flat(gums)
        order = np.argsort(flat[:, 0].numpy())
        at = np.linspace(-BEYOND, 1 + BEYOND, COLUMNS)
        rows = (arch.along, flat[:, 1], end[:, 1])
        known = [np.interp(at, flat[order, 0].numpy(), row[order].numpy()) for row in rows]
        return cls(torch.from_numpy(np.stack(known, axis=-1)).float(), arch.upper)

    def shifted(self, up: Float[Tensor, " K"]) -> "ArchLines":
        """The arch further up.

        Args:
            up: how far at each column, in widths of the mouth.
        """
        return replace(self, table=self.table + torch.stack([0 * up, up, up], dim=-1))

    @property
    def _length(self) -> Tensor:
        """Of an arch in a width of the mouth, in the middle, in millimetres."""
        far, step = self.table[:, 0], (1 + 2 * BEYOND) / (COLUMNS - 1)
        middle = COLUMNS // 2
        return ((far[middle + 1] - far[middle - 1]) / (2 * step)).abs()

    def drawn(
        self, flat: Float[Tensor, "h w 2"], colour: Float[Tensor, "3"], soft: float
    ) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 1"]]:
        """Colours of teeth and gums, and where they are.

        Args:
            flat: places in the axes of the mouth.
            colour: of teeth.
            soft: how wide edges are mixed, in widths of the mouth.
        """
        far, edge, end = sampled(self.table, flat[..., 0]).unbind(-1)
        height = torch.where((end - edge).abs() < 1e-3, 1e-3, end - edge)
        high, mixed = (flat[..., 1] - edge) / height, soft / height.abs()
        across, shorter, wide = _crown(far, WIDTHS[0] if self.upper else WIDTHS[1])
        low = shorter + 0.12 * across**4
        shown = ((high - low) / (2 * mixed) + 0.5).clamp(0, 1)
        # A pixel mixes the shade between crowns with what is beside it.
        spread = 2 * soft * self._length / wide
        gap = smoothstep((across.abs() - 1) / (SHADE[0] + spread), -1.0, 0.0)
        gap = gap * SHADE[1] * SHADE[0] / (SHADE[0] + spread)
        light = (1 - gap) * (0.86 + 0.14 * smoothstep(high, 0.0, 0.3))
        gum = smoothstep(high + 0.2 * across**2, 0.96, 1.04)[..., None]
        tint = torch.lerp(
            colour.expand_as(flat[..., :1].expand(*far.shape, 3)), _lit(GUM, colour), gum
        )
        inside = (far.abs() < sum(WIDTHS[0]) - 1) * (high > -1)
        deep = smoothstep(far.abs(), *CORNER)[..., None]
        tint = torch.lerp(tint * light[..., None], _lit(DEEP, colour), 0.85 * deep)
        return tint, (shown * inside)[..., None]


def arches_of(
    model: MorphableModel, neutral: Float[Tensor, "V 3"], lips: Float[Tensor, "2 3"]
) -> tuple[Arch, Arch]:
    """The upper and the lower arch of a head.

    Args:
        model: of the head.
        neutral: its vertices without expression.
        lips: the middle of the inner edge of the upper and of the lower lip.
    """
    teeth = model.regions.get("teeth", torch.zeros(model.size)) > 0.5
    edges = lips[0, 1] - SHOWN[0], lips[1, 1] - SHOWN[1]
    depth = lips[0, 2] - BEHIND[1]
    if bool(teeth.any()) and "jawOpen" in model.expression.names:
        opening = model.expression.directions[model.expression.names.index("jawOpen")]
        moving = opening.norm(dim=-1) > 1.0
        rows = neutral[teeth & ~moving], neutral[teeth & moving]
        if all(len(row) for row in rows):
            edges = rows[0][:, 1].min(), torch.minimum(rows[1][:, 1].max(), edges[1])
            depth = torch.stack([row[:, 2].max() for row in rows]).max()
    near, far = (lips[0, 2] - behind for behind in BEHIND)
    depth = torch.minimum(torch.maximum(depth, far), near)
    return _arch(lips[0, 0], edges[0], depth, upper=True), _arch(
        lips[0, 0], edges[1], depth - 1.5, upper=False
    )


def _arch(middle: Tensor, edge: Tensor, depth: Tensor, *, upper: bool) -> Arch:
    x = torch.linspace(-24, 24, 97)
    z = -BEND * x**2
    step = torch.stack([x.diff(), z.diff()], dim=-1).norm(dim=-1)
    along = torch.cat([step.new_zeros(1), step.cumsum(0)])
    edges = torch.stack([middle + x, edge.expand_as(x), depth + z], dim=-1)
    return Arch(edges, along - along[len(along) // 2], upper)


def _crown(far: Tensor, widths: tuple[float, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Where on its crown a place along an arch is, -1 to 1, how much less that reaches, and how
    wide it is.
    """
    ends = torch.tensor(widths).cumsum(0)
    number = torch.searchsorted(ends, far.abs().contiguous()).clamp(max=len(widths) - 1)
    wide = torch.tensor(widths)[number]
    return 2 * (far.abs() - ends[number]) / wide + 1, torch.tensor(SHORTER)[number], wide


def _lit(albedo: tuple[float, float, float], teeth: Tensor) -> Tensor:
    """The colour of something in the light in which teeth have a colour."""
    return teeth.mean() / (sum(TOOTH) / 3) * teeth.new_tensor(albedo)
