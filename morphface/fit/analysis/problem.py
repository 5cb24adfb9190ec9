"""What is minimised: photos of one person, their energy, and its slope and curvature."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from morphface.fit.analysis.energies import (
    Markers,
    Prior,
    Quadratic,
    colour_residuals,
    landmark_energy,
    landmark_terms,
    normal_equations,
    photometric_energy,
    photometric_scale,
    prior_energy,
    prior_terms,
)
from morphface.fit.analysis.jacobian import Gradient, colour_jacobian, colour_slope
from morphface.fit.analysis.lens import Lens, View
from morphface.fit.analysis.sampling import Samples, draw
from morphface.fit.analysis.scene import Scene, scene_of, shape_basis
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.silhouette import rim_of, silhouette_energy, silhouette_terms
from morphface.fit.analysis.state import Columns, Look
from morphface.fit.analysis.surface import Surface, surface_of
from morphface.fit.shared.bounded import solve
from morphface.models import MorphableModel

__all__ = [
    "Drawn",
    "Energy",
    "Photo",
    "Problem",
    "draw_all",
    "energy",
    "normal_of",
    "residuals_of",
    "scenes_of",
    "surface_at",
    "unexplained",
]

_RIDGE = 1e-3  # of the curvature, so that what hardly shows explains nothing
_LEAST_SHARE = 0.02


@dataclass(frozen=True, eq=False)
class Photo:
    """What is known of one photo.

    Args:
        view: at the resolution of the stage.
        lens: to the pixels of the whole photo.
        markers: its landmarks.
        priors: of the groups that it has for itself.
        mask: where the head is, in the whole photo, or None where that is not known.
    """

    view: View
    lens: Lens
    markers: Markers
    priors: tuple[Prior, ...]
    mask: Float[Tensor, "H W"] | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """What a stage solves.

    Args:
        model: the model.
        photos: of one person.
        priors: of what they share.
        columns: of the unknowns.
        limits: lowest and highest value of each expression coefficient.
        settings: weights.
        free: names of the groups that may change.
        gradient: whose colours say what motion does.
    """

    model: MorphableModel
    photos: tuple[Photo, ...]
    priors: tuple[Prior, ...]
    columns: Columns
    limits: Float[np.ndarray, "E 2"]
    settings: PhotometricSettings
    free: tuple[str, ...]
    gradient: Gradient = "mean"


@dataclass(frozen=True)
class Energy:
    """An energy and its terms: those of the pictures, and of all priors."""

    photometric: float
    landmarks: float
    silhouette: float = 0.0
    priors: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Their sum."""
        pictures = self.photometric + self.landmarks + self.silhouette
        return pictures + sum(self.priors.values())


@dataclass(frozen=True, eq=False)
class Drawn:
    """The points that one step looks at, by photo.

    Args:
        samples: the points.
        residuals: of their colours before the step.
        noise: that they show.
        worth: how many independent pixels they are, in units of that noise.
        rims: points of the outline, None where there is no mask.
    """

    samples: tuple[Samples, ...]
    residuals: tuple[Float[Tensor, "n 3"], ...]
    noise: tuple[float, ...]
    worth: tuple[float, ...]
    rims: tuple[Markers | None, ...]


def surface_at(model: MorphableModel, look: Look, *, whole: bool = False) -> Surface:
    """A model, linear around a look, laid out for the solver; `whole` leaves nothing out."""
    like = model.identity.mean
    linear = model.linearised(look.identity.to(like), look.expression.to(like))
    return surface_of(model, look.focal.device, look.focal.dtype, linear=linear, whole=whole)


def scenes_of(problem: Problem, looks: tuple[Look, ...]) -> tuple[Scene, ...]:
    """What the looks describe, each with the model linear around itself."""
    return tuple(scene_of(surface_at(problem.model, look), look) for look in looks)


def draw_all(problem: Problem, scenes: tuple[Scene, ...], *, count: int, phase: float) -> Drawn:
    """About `count` points for each photo, and the noise of their colours."""
    samples = [
        draw(scene, photo.view, count=count, phase=phase)
        for photo, scene in zip(problem.photos, scenes, strict=True)
    ]
    residuals = residuals_of(problem, scenes, samples)
    noise = [_noise(residual, problem.settings) for residual in residuals]
    return Drawn(
        tuple(samples),
        residuals,
        tuple(noise),
        tuple(problem.settings.worth(level) for level in noise),
        tuple(
            None
            if photo.mask is None
            else rim_of(_head(problem, scene), photo.view, photo.mask, photo.lens, problem.settings)
            for photo, scene in zip(problem.photos, scenes, strict=True)
        ),
    )


def _head(problem: Problem, scene: Scene) -> Scene:
    """The whole head of a scene, which is seen only where there is a mask."""
    return scene_of(surface_at(problem.model, scene.look, whole=True), scene.look)


def residuals_of(
    problem: Problem, scenes: Sequence[Scene], samples: Sequence[Samples]
) -> tuple[Float[Tensor, "n 3"], ...]:
    """Model minus photo at the points of each photo."""
    return tuple(
        colour_residuals(scene, some, photo.view)
        for photo, scene, some in zip(problem.photos, scenes, samples, strict=True)
    )


def _noise(residuals: Float[Tensor, "n 3"], settings: PhotometricSettings) -> float:
    """Standard deviation of a channel, from the median length over three."""
    if not len(residuals):
        return settings.starting_noise
    return max(float(residuals.norm(dim=1).median()) / 1.54, settings.least_noise)


def energy(
    problem: Problem, scenes: tuple[Scene, ...], drawn: Drawn, *, moved: bool = True
) -> Energy:
    """The energy at the points that were drawn.

    Args:
        problem: photos and priors.
        scenes: where the fit stands.
        drawn: the points.
        moved: whether it no longer stands where the points were drawn.
    """
    colour, points, outline = 0.0, 0.0, 0.0
    priors = {prior.title: prior_energy(prior, scenes[0].look) for prior in problem.priors}
    residuals = residuals_of(problem, scenes, drawn.samples) if moved else drawn.residuals
    for k, (photo, scene) in enumerate(zip(problem.photos, scenes, strict=True)):
        trust = drawn.samples[k].trust
        colour += photometric_energy(residuals[k], trust, drawn.noise[k], drawn.worth[k])
        points += landmark_energy(scene, photo.markers, photo.lens)
        rim = drawn.rims[k]
        if rim is not None:
            outline += silhouette_energy(_head(problem, scene), rim, photo.lens)
        for prior in photo.priors:
            priors[prior.title] = priors.get(prior.title, 0.0) + prior_energy(prior, scene.look)
    return Energy(colour, points, outline, priors)


def normal_of(
    problem: Problem, scenes: tuple[Scene, ...], drawn: Drawn, bases: list[Tensor | None]
) -> tuple[Quadratic, Drawn]:
    """Slope and curvature over all unknowns, and what the points turn out to be worth."""
    worth = list(drawn.worth)
    columns = problem.columns
    gradient, hessian = np.zeros(columns.total), np.zeros((columns.total, columns.total))
    for k, (photo, scene) in enumerate(zip(problem.photos, scenes, strict=True)):
        basis = bases[k] = shape_basis(scene, bases[k])
        part, left = _colour_terms(problem, photo, scene, basis, (drawn, k))
        likely = problem.settings.worth(drawn.noise[k] * left**0.5) / left
        worth[k] = min(likely, problem.settings.independent_pixels)
        factor = worth[k] / drawn.worth[k]
        part = Quadratic(part.gradient * factor, part.hessian * factor)
        part.add(landmark_terms(scene, basis, photo.markers, photo.lens), slice(None))
        rim = drawn.rims[k]
        if rim is not None:
            part.add(silhouette_terms(_head(problem, scene), rim, photo.lens), slice(None))
        for prior in (*photo.priors, *(problem.priors if k == 0 else ())):
            part.add(prior_terms(prior, scene.look), columns.local[prior.name])
        place = columns.place(k)
        gradient[place] += part.gradient
        hessian[np.ix_(place, place)] += part.hessian
    return Quadratic(gradient, hessian), replace(drawn, worth=tuple(worth))


def _colour_terms(
    problem: Problem, photo: Photo, scene: Scene, basis: Tensor, drawn: tuple[Drawn, int]
) -> tuple[Quadratic, float]:
    """Slope and curvature of the colours, and what of their variance nothing explains."""
    (points, k), view = drawn, photo.view
    samples, residual = points.samples[k], points.residuals[k]
    scale = photometric_scale(residual, samples.trust, points.noise[k], points.worth[k])
    slope = colour_slope(scene, samples, view, problem.gradient)
    free = problem.columns.mask(problem.free)
    # Where no shape is free, its columns, most of the work, are left out.
    first = basis.shape[2] if len(free) and free.min() >= basis.shape[2] else 0
    jacobian = colour_jacobian(
        scene, basis[..., first:].contiguous(), samples, slope, view, scale=scale
    )
    part = _from_column(normal_equations(jacobian, residual * scale), first)
    least = (problem.settings.least_noise / points.noise[k]) ** 2
    return part, unexplained(part, free, float((residual * scale).square().sum()), least=least)


def _from_column(part: Quadratic, first: int) -> Quadratic:
    """The same with so many columns before it on which nothing depends."""
    if not first:
        return part
    count = first + len(part.gradient)
    out = Quadratic(np.zeros(count), np.zeros((count, count)))
    out.add(part, slice(first, None))
    return out


def unexplained(
    part: Quadratic, free: Int[np.ndarray, " m"], squares: float, *, least: float
) -> float:
    """The share of squared residuals that least squares without any prior would leave.

    The noise is judged by it, so that the pull of the priors does not pass for noise.

    Args:
        part: normal equations without priors.
        free: columns that may move.
        squares: the sum of squared residuals.
        least: the smallest share.
    """
    hessian, gradient = part.hessian[np.ix_(free, free)], part.gradient[free]
    damped = hessian + np.diag(
        _RIDGE * np.diag(hessian) + 1e-12 + _RIDGE * hessian.trace() / max(len(free), 1) * 1e-3
    )
    explained = float(gradient @ solve(damped, gradient)) if len(free) else 0.0
    return min(max(1 - explained / max(squares, 1e-12), least, _LEAST_SHARE), 1.0)
