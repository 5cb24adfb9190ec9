"""Heights from the equations of all photos: sparse, regularised, robust least squares.

The energy counts in the variance of mottle, over all texels: weighted squared rows, squared slopes
over their variance, and squared heights, so that relief of the longest wavelength costs as much by
its height as by its slopes. An albedo that all photos show is told apart at each texel: it is
Gaussian, and is eliminated in closed form. Heights are found by conjugate gradients from coarse to
fine, each level the start of the next (Bornemann and Deuflhard 1996), and reweighted, so that what
no slope explains counts little (Geman and McClure 1987).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, cg
from torch import Tensor

from morphface.fit.detail import kernels
from morphface.fit.detail.equations import Rows
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.settings import DetailSettings

__all__ = ["System", "heights_of", "solved"]

STEPS = (12, 16, 24, 40, 80)
"""Conjugate gradients at each level, the finest first."""
TOLERANCE = 1e-3
SMOOTH = 0.05
"""Share of the slopes' weight that also holds neighbouring corners together, checkerboards."""
OUTLIER = 2.0
"""Residual, in standard deviations of mottle, at which a row counts half."""
_UPPER = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)


@dataclass(frozen=True, eq=False)
class System:
    """A quadratic energy of heights at the corners of R x C texels.

    Args:
        cells: of each texel, the upper triangle of a symmetric matrix for its slopes along columns
            and rows and its height.
        force: of each texel, the right side for the same three.
        hold: squared height of a corner counts so much.
        smooth: squared difference of two neighbouring corners.
    """

    cells: Float[np.ndarray, "R C 6"]
    force: Float[np.ndarray, "R C 3"]
    hold: float
    smooth: float

    def halved(self) -> "System":
        """The same energy, of heights that are linear between every other corner."""
        single = np.array([0.5, 0.5, 1.0], np.float32)
        double = single[list(_UPPER[0])] * single[list(_UPPER[1])]
        cells, force = _summed(self.cells) * double, _summed(self.force) * single
        return System(cells, force, 4 * self.hold, self.smooth)


def _summed(values: np.ndarray) -> np.ndarray:
    """Of every two by two texels."""
    rows, columns = values.shape[:2]
    whole = np.pad(values, ((0, rows % 2), (0, columns % 2), (0, 0)))
    pairs = whole[::2] + whole[1::2]
    return np.ascontiguousarray(pairs[:, ::2] + pairs[:, 1::2])


def heights_of(
    grid: Grid, rest: Ground, rows: Sequence[Rows], settings: DetailSettings
) -> Float[np.ndarray, "r c"]:
    """Heights at the corners of a grid's texels, in millimetres.

    Args:
        grid: of texels.
        rest: the surface in the pose that slopes are held in.
        rows: of each photo.
        settings: standard deviations.
    """
    metric = rest.metric
    stiff = (settings.mottle / settings.slope) ** 2
    held = stiff * torch.stack([metric[:, 0, 0], metric[:, 0, 1], metric[:, 1, 1]], dim=-1)
    even = stiff / rest.pitch**2
    cells = torch.zeros(*grid.mask.shape, 6)
    cells[..., [0, 3]] = even
    force = torch.zeros(*grid.mask.shape, 3)
    hold, smooth = stiff * (2 * math.pi / settings.coarsest) ** 2, SMOOTH * even
    heights, begun = np.empty(0), None
    slopes = np.empty(tuple(force.shape), np.float32)
    trusted = list(rows)
    for _ in range(settings.rounds):
        left, right, albedo = _normal_equations(trusted, settings)
        left[:, [0, 1, 3]] += held
        cells[grid.mask], force[grid.mask] = left, right
        system = System(cells.numpy(), force.numpy(), hold, smooth)
        heights = begun = solved(system, start=begun)
        kernels.slopes(heights, slopes)
        found = torch.from_numpy(slopes)[grid.mask]
        paint = albedo[:, 0] - (albedo[:, 1:] * found).sum(-1)
        trusted = [_reweighted(row, found, paint, settings) for row in rows]
    return heights


def _normal_equations(
    rows: Sequence[Rows], settings: DetailSettings
) -> tuple[Float[Tensor, "n 6"], Float[Tensor, "n 3"], Float[Tensor, "n 4"]]:
    """Both sides of each texel, its albedo eliminated.

    This is the first of the last four numbers, less the others times slopes and height.
    """
    count = len(rows[0].weight)
    left, right, paint = (torch.zeros(count, width) for width in (6, 3, 5))
    paint[:, 4] = (settings.mottle / settings.albedo) ** 2
    sums = [values.numpy() for values in (left, right, paint)]
    for row in rows:
        told = (row.told, row.slopes, row.weight)
        kernels.add_rows(*(values.contiguous().numpy() for values in told), *sums)
    kernels.without_albedo(*sums)
    return left, right, paint[:, :4]


def _reweighted(
    row: Rows, found: Float[Tensor, "n 3"], paint: Float[Tensor, " n"], settings: DetailSettings
) -> Rows:
    away = (row.told - (row.slopes * found).sum(-1) - paint) / (OUTLIER * settings.mottle)
    return replace(row, weight=row.weight / (1 + away.square()))


def solved(
    system: System,
    *,
    steps: Sequence[int] = STEPS,
    tolerance: float = TOLERANCE,
    start: Float[np.ndarray, "r c"] | None = None,
) -> Float[np.ndarray, "r c"]:
    """The heights of least energy.

    Args:
        system: the energy.
        steps: of conjugate gradients at most, at each level, the finest first.
        tolerance: residual, over that of no heights, that is small enough.
        start: heights to begin with; None begins on a coarser level, the last of `steps` with
            zero.
    """
    shape = system.cells.shape[0] + 1, system.cells.shape[1] + 1
    if start is None and len(steps) > 1 and min(shape) > 16:
        start = _enlarged(solved(system.halved(), steps=steps[1:], tolerance=tolerance), shape)
    forces = np.empty(system.force.shape, np.float32)
    smooth, zero = np.float32(system.smooth), np.zeros(shape, np.float32)

    def product(flat: np.ndarray) -> np.ndarray:
        heights, out = flat.reshape(shape).astype(np.float32, copy=False), np.empty_like(zero)
        kernels.push(system.cells, heights, forces)
        kernels.gather(forces, np.float32(system.hold), smooth, heights, out)
        return out.ravel()

    right, weight = np.empty_like(zero), np.empty_like(zero)
    kernels.gather(system.force, np.float32(0), np.float32(0), zero, right)
    kernels.diagonal(system.cells, np.float32(system.hold), smooth, weight)
    inverse, size = 1 / weight.ravel(), right.size
    operator = LinearOperator((size, size), matvec=product, dtype=np.float32)
    scaled = LinearOperator((size, size), matvec=lambda r: r * inverse, dtype=np.float32)
    begun = None if start is None else np.ascontiguousarray(start).ravel()
    found, _ = cg(operator, right.ravel(), begun, rtol=tolerance, maxiter=steps[0], M=scaled)
    return found.reshape(shape).astype(np.float32)


def _enlarged(values: Float[np.ndarray, "r c"], shape: tuple[int, int]) -> np.ndarray:
    """From the corners of texels twice as large, linear between them."""
    rows, columns = values.shape
    out = np.empty((2 * rows - 1, 2 * columns - 1), np.float32)
    out[::2, ::2] = values
    out[1::2, ::2] = (values[1:] + values[:-1]) / 2
    out[:, 1::2] = (out[:, :-1:2] + out[:, 2::2]) / 2
    return np.ascontiguousarray(out[: shape[0], : shape[1]])
