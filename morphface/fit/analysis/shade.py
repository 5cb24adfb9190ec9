"""How much of the light a head is seen to hide from itself, in each photo.

Colours are linear in that share: where everything else stays, it is one number by least squares.
"""

from dataclasses import replace

import torch

from morphface.fit.analysis.energies import charbonnier
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.problem import Drawn, Problem, draw_all, residuals_of
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings

__all__ = ["drawn_in_shade"]


def drawn_in_shade(
    problem: Problem, scenes: tuple[Scene, ...], *, count: int, phase: float
) -> tuple[tuple[Scene, ...], Drawn]:
    """The points of a step, and the scenes with the shade that explains them best.

    Args:
        problem: photos and priors.
        scenes: where the fit stands.
        count: how many points.
        phase: where the first lies within its step, 0 to 1.
    """
    drawn = draw_all(problem, scenes, count=count, phase=phase)
    scenes = tuple(
        _shaded(scene, photo.view, (drawn, k), problem.settings)
        for k, (scene, photo) in enumerate(zip(scenes, problem.photos, strict=True))
    )
    return scenes, replace(drawn, residuals=residuals_of(problem, scenes, drawn.samples))


def _shaded(
    scene: Scene, view: View, drawn: tuple[Drawn, int], settings: PhotometricSettings
) -> Scene:
    points, k = drawn
    samples, residual = points.samples[k], points.residuals[k]
    shade = scene.look.shade
    if not len(residual) or settings.shade_spread == 0:
        return scene
    slope = _slope(scene, samples, view)
    _, weight = charbonnier(residual, points.noise[k])
    weight = weight * samples.trust * (points.worth[k] / samples.trust.sum().clamp(min=1e-9))
    weight = weight[:, None] * (residual != 0)
    precision = settings.shade_spread**-2
    curvature = (weight * slope.square()).sum() + precision
    downhill = -(weight * slope * residual).sum() - precision * (shade - settings.shade)
    return scene.shaded((shade + downhill / curvature).clamp(0.0, 1.0))


def _slope(scene: Scene, samples: Samples, view: View) -> torch.Tensor:
    """How colours change with the shade."""
    return view.mixed(samples.blend(scene.albedo * scene.shading))
