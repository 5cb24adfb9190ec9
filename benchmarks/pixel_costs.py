"""Costs of pixels that should survive an albedo that nobody knows: what `bench_costs` tries.

The product compares colours. Here each colour first becomes a feature of its own, then features
are compared with those around them; both steps are linear in small errors, so that residuals and
their Jacobian go the same way through them:

- features: the colour; its logarithm, in which albedo and light add up; the logarithm of its
  luminance; or what is left of it across the colour of the light, which has no highlights
  (Mallick et al. 2005);
- around: nothing; the mean of the surroundings is taken off (a Gaussian
  over the drawn points); or
  the differences from the nearest point to the right and from the nearest below, a gradient.

`cost_in_use` puts one in the place of the product's while stages of some kind run.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

import torch
from torch import Tensor

from morphface.fit.analysis import problem as product
from morphface.fit.analysis import shade, solver
from morphface.fit.analysis.energies import (
    Quadratic,
    normal_equations,
    photometric_scale,
)
from morphface.fit.analysis.jacobian import colour_jacobian, colour_slope
from morphface.fit.analysis.lens import View, difference, look_up
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings, Stage
from morphface.geometry.spherical_harmonics import AMBIENT

__all__ = ["COSTS", "Cost", "Points", "alternating", "cost_in_use"]

LUMINANCE = (0.299, 0.587, 0.114)
DARKEST = 0.03  # added to colours before their logarithm, as noise is not relative
SPREAD = 2.28  # a single number as three that are the same, as long in the median as three are
MOST = 5000  # points that are compared with each other: what is reported of a fit looks at more
CELL = 0.5  # side of the cells in which points are averaged, in standard deviations of surroundings
LOG_SCALE = 0.4  # colours for a unit of their logarithm: skin, so that noises stay comparable


@dataclass(frozen=True)
class Cost:
    """What of pixels is compared.

    Args:
        feature: "colour", "log", "luminance" or "matte".
        around: "nothing", "mean" or "gradient".
        reach: standard deviation of the surroundings, in millimetres.
        patches: `independent_patches` while it is in use.
        alternates: whether it moves shape and pose alone, between stages of the product's cost
            that move colours.
    """

    feature: str
    around: str
    reach: float = 12.0
    patches: float = 20.0
    alternates: bool = False


COSTS = {
    "colours without their mean": Cost("colour", "mean"),
    "logarithms without their mean": Cost("log", "mean"),
    "gradients of log luminance": Cost("luminance", "gradient"),
    "matte channels": Cost("matte", "nothing"),
}


@dataclass(frozen=True, eq=False)
class Points:
    """Some drawn points: their features, and which others are around each."""

    cost: Cost
    scene: Scene
    samples: Samples
    view: View

    def colours(self) -> tuple[Tensor, Tensor]:
        """Of model and photo, n x 3 each."""
        scene, view = self.scene, self.view
        spots = view.lens.project(self.samples.blend(scene.points), scene.look.focal)[:, :2]
        return view.mixed(self.samples.blend(scene.colours)), look_up(view.image, spots)

    def feature(self, colours: Tensor) -> Tensor:
        """Of colours, n x 3."""
        if self.cost.feature == "log":
            return LOG_SCALE * (colours.clamp(min=0) + DARKEST).log()
        if self.cost.feature == "luminance":
            shown = colours.clamp(min=0) @ colours.new_tensor(LUMINANCE)
            return self._thrice(LOG_SCALE * (shown + DARKEST).log())
        return colours @ self._matte().T if self.cost.feature == "matte" else colours

    def slope(self, colours: Tensor) -> Tensor:
        """Derivatives of `feature`, n x 3 x 3."""
        if self.cost.feature == "log":
            return torch.diag_embed(LOG_SCALE / (colours.clamp(min=0) + DARKEST))
        if self.cost.feature == "luminance":
            weights = colours.new_tensor(LUMINANCE)
            shown = colours.clamp(min=0) @ weights
            return self._thrice(LOG_SCALE * weights / (shown + DARKEST)[:, None])
        whole = self._matte() if self.cost.feature == "matte" else torch.eye(3).to(colours)
        return whole.expand(len(colours), 3, 3)

    @staticmethod
    def _thrice(values: Tensor) -> Tensor:
        """Each as three channels."""
        return (SPREAD / 3**0.5) * torch.stack([values] * 3, dim=1)

    def _matte(self) -> Tensor:
        """What takes the colour of the light out of colours."""
        light = self.scene.look.illumination[0] + AMBIENT
        source = self.view.mixed(light[None])[0]
        source = source / source.norm().clamp(min=1e-6)
        return torch.eye(3).to(source) - source[:, None] * source[None]

    def places(self) -> Tensor:
        """Where the points were drawn, in pixels of the view, n x 2."""
        width = self.view.size[1]
        return torch.stack([self.samples.pixel % width, self.samples.pixel // width], 1).float()

    def spacing(self) -> float:
        """Millimetres between pixels, in the middle of the face."""
        look, lens = self.scene.look, self.view.lens
        away = -look.translation[2] if lens.weak_depth is None else lens.weak_depth
        return float(away / (look.focal * lens.scale.mean()))

    def compared(self, rows: Tensor) -> Tensor:
        """Values at points, n x m, compared with those around them."""
        if self.cost.around == "nothing" or len(rows) < 3:
            return rows
        around = self._mean if self.cost.around == "mean" else self._gradient
        return around(rows, self.places())

    def _mean(self, rows: Tensor, places: Tensor) -> Tensor:
        """What is left without the means of the surroundings: of cells, then over these."""
        side = CELL * self.cost.reach / self.spacing()
        cells, owner = (places / side).long().unique(dim=0, return_inverse=True)
        trust = self.samples.trust[:, None]
        total = rows.new_zeros(len(cells), rows.shape[1]).index_add_(0, owner, rows * trust)
        count = rows.new_zeros(len(cells), 1).index_add_(0, owner, trust)
        squares = torch.cdist(cells.float(), cells.float()).square()
        near = (-squares * CELL**2 / 2).exp()
        return rows - ((near @ total) / (near @ count).clamp(min=1e-6))[owner]

    def _gradient(self, rows: Tensor, places: Tensor) -> Tensor:
        """Differences from one of the nearest two neighbours, by turns to the right and below."""
        step = places[None] - places[:, None]
        far = step.norm(dim=2)
        axis = (torch.arange(len(places)) % 2)[:, None, None].expand(-1, len(places), 1)
        along = step.gather(2, axis)[..., 0]
        other = far + 1e6 * (along < 0.7 * far) + 1e6 * (far == 0)
        least, index = other.min(dim=1)
        return (rows[index] - rows) * (least < 1e5)[:, None]


def _residuals(cost: Cost, scene: Scene, samples: Samples, view: View) -> Tensor:
    points = Points(cost, scene, samples, view)
    model, photo = points.colours()
    kept = difference(model, photo) != 0
    return points.compared(kept * (points.feature(model) - points.feature(photo)))


def _terms(
    cost: Cost, problem: product.Problem, photo: product.Photo, scene: Scene, basis: Tensor, drawn
) -> tuple[Quadratic, float]:
    """What `_colour_terms` of the product says, for another cost."""
    (chosen, k), view = drawn, photo.view
    samples, residual = chosen.samples[k], chosen.residuals[k]
    scale = photometric_scale(residual, samples.trust, chosen.noise[k], chosen.worth[k])
    free = problem.columns.mask(problem.free)
    across = colour_slope(scene, samples, view, problem.gradient)
    whole = colour_jacobian(scene, basis, samples, across, view)
    points = Points(cost, scene, samples, view)
    model, shown = points.colours()
    rows = points.slope(model) @ whole
    rows = rows * (difference(model, shown) != 0)[..., None]
    rows = points.compared(rows.flatten(1)).unflatten(1, rows.shape[1:]) * scale[..., None]
    part = normal_equations(rows, residual * scale)
    least = (problem.settings.least_noise / chosen.noise[k]) ** 2
    squares = float((residual * scale).square().sum())
    return part, product.unexplained(part, free, squares, least=least)


def alternating(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """After the first, each stage as one of shape and pose, then one of colours."""
    colours = ("reflectance", "illumination")
    found = [stages[0]]
    for stage in stages[1:]:
        shape = tuple(name for name in stage.free if name not in colours)
        found += [replace(stage, free=shape), replace(stage, free=colours, steps=3, look=False)]
    return tuple(found)


@contextmanager
def cost_in_use(cost: Cost | None, settings: PhotometricSettings) -> Iterator[PhotometricSettings]:
    """Settings to fit with while `cost` takes the place of the product's, None for that itself.

    It does so wherever identity is free; stages of colours and pose alone keep the product's.
    """
    if cost is None:
        yield settings
        return
    if cost.alternates:
        settings = replace(settings, stages=alternating(settings.stages))
    settings = replace(settings, independent_patches=cost.patches)
    with ExitStack() as stack:
        for target, name, other in _replacements(cost):
            stack.enter_context(patch.object(target, name, other))
        yield settings


def _replacements(cost: Cost) -> list[tuple[object, str, Callable]]:
    residuals, terms = product.residuals_of, product._colour_terms

    def other_residuals(problem, scenes, samples):
        if "identity" not in problem.free:
            return residuals(problem, scenes, samples)
        if any(len(some.pixel) > MOST for some in samples):
            return residuals(problem, scenes, samples)
        each = zip(problem.photos, scenes, samples, strict=True)
        return tuple(_residuals(cost, scene, some, photo.view) for photo, scene, some in each)

    def other_terms(problem, photo, scene, basis, drawn):
        if "identity" not in problem.free:
            return terms(problem, photo, scene, basis, drawn)
        return _terms(cost, problem, photo, scene, basis, drawn)

    def other_drawn(problem, scenes, *, count, phase):
        if "identity" not in problem.free:
            return shade.drawn_in_shade(problem, scenes, count=count, phase=phase)
        return scenes, product.draw_all(problem, scenes, count=count, phase=phase)

    return [
        (product, "residuals_of", other_residuals),
        (product, "_colour_terms", other_terms),
        (solver, "drawn_in_shade", other_drawn),
    ]
