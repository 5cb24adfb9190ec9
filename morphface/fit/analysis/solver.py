"""Gauss-Newton on sampled pixels, damped after Levenberg and Marquardt.

In each step pixels are drawn anew, the energy is linearised, and the normal equations are solved
between bounds. The step is accepted only if the energy at the very same surface points falls;
otherwise damping grows and the equations are solved again.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import Quadratic
from morphface.fit.analysis.problem import Drawn, Problem, energy, normal_of, scenes_of
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings, Stage
from morphface.fit.analysis.shade import drawn_in_shade
from morphface.fit.analysis.state import Look
from morphface.fit.shared.bounded import Box, bounded_minimum

__all__ = ["run_stage"]

_DAMPING = (1e-3, 1e-6, 1e3)  # at first, least and most
_TRIES = 5
_GOLDEN = 0.6180339887


def run_stage(
    problem: Problem, stage: Stage, looks: tuple[Look, ...], *, phase: float = 0.5
) -> tuple[tuple[Look, ...], tuple[float, ...]]:
    """The looks after a stage, and the energy after each step.

    Args:
        problem: with views at the resolution of the stage.
        stage: how many pixels and steps.
        looks: where to begin.
        phase: of the first draw.
    """
    damping, history = _DAMPING[0], []
    scenes = scenes_of(problem, looks)
    bases: list[Tensor | None] = [None] * len(looks)
    for count in range(stage.steps):
        turn = (phase + count * _GOLDEN) % 1.0
        scenes, drawn = drawn_in_shade(problem, scenes, count=stage.pixels, phase=turn)
        normal, drawn = normal_of(problem, scenes, drawn, bases)
        before = energy(problem, scenes, drawn, moved=False).total
        scenes, after, damping = _advance(problem, scenes, drawn, normal, (before, damping))
        history.append(after)
        if before - after <= problem.settings.tolerance * before:
            break
    return tuple(scene.look for scene in scenes), tuple(history)


def _advance(
    problem: Problem,
    scenes: tuple[Scene, ...],
    drawn: Drawn,
    normal: Quadratic,
    state: tuple[float, float],
) -> tuple[tuple[Scene, ...], float, float]:
    """The scenes after the step, their energy, and the next damping."""
    before, damping = state
    looks = tuple(scene.look for scene in scenes)
    for _ in range(_TRIES):
        there = scenes_of(problem, _moved(problem, looks, _step(problem, looks, normal, damping)))
        after = energy(problem, there, drawn).total
        if after < before:
            return there, after, max(damping / 10, _DAMPING[1])
        damping = min(damping * 10, _DAMPING[2])
    return scenes, before, damping


def _step(
    problem: Problem, looks: tuple[Look, ...], normal: Quadratic, damping: float
) -> Float[np.ndarray, " U"]:
    """The damped Gauss-Newton step between the bounds of expressions."""
    columns = problem.columns
    local = columns.mask(problem.free)
    free = np.unique(np.concatenate([columns.place(k)[local] for k in range(len(looks))]))
    here, box = _bounds(problem, looks)
    hessian = normal.hessian[np.ix_(free, free)]
    hessian = hessian + np.diag(damping * np.diag(hessian) + 1e-9)
    there = bounded_minimum(
        hessian,
        hessian @ here[free] - normal.gradient[free],
        Box(box.lower[free], box.upper[free], box.ball[free], box.radius),
    )
    out = np.zeros(columns.total)
    out[free] = there - here[free]
    return out


def _bounds(problem: Problem, looks: tuple[Look, ...]) -> tuple[Float[np.ndarray, " U"], Box]:
    """Where the unknowns with bounds are, and these: expressions have limits, and reflectance
    an ellipsoid. Those without count from where they are.
    """
    columns = problem.columns
    here, ball = np.zeros(columns.total), np.zeros(columns.total, dtype=bool)
    lower, upper = np.full(columns.total, -np.inf), np.full(columns.total, np.inf)
    for k, look in enumerate(looks):
        place = columns.place(k)
        moods, colours = (place[columns.local[name]] for name in ("expression", "reflectance"))
        lower[moods], upper[moods] = problem.limits.T
        here[moods] = look.expression.double().cpu().numpy()
        here[colours] = look.reflectance.double().cpu().numpy()
        ball[colours] = True
    radius = problem.settings.ellipsoid(columns.widths["reflectance"])
    return here, Box(lower, upper, ball, radius)


def _moved(
    problem: Problem, looks: tuple[Look, ...], step: Float[np.ndarray, " U"]
) -> tuple[Look, ...]:
    """The looks after a step, back inside bounds and ellipsoids."""
    out = []
    limits = torch.from_numpy(problem.limits).to(looks[0].focal)
    loose = ~torch.isfinite(limits).all(dim=1)
    for k, look in enumerate(looks):
        own = step[problem.columns.place(k)]
        there = look.moved(problem.columns.read(own, look))
        expression = there.expression.clamp(limits[:, 0], limits[:, 1])
        if loose.any():
            expression = torch.where(
                loose, _inside(expression * loose, problem.settings, int(loose.sum())), expression
            )
        out.append(
            replace(
                there,
                identity=_inside(there.identity, problem.settings),
                reflectance=_inside(there.reflectance, problem.settings),
                expression=expression,
            )
        )
    return tuple(out)


def _inside(
    coefficients: Float[Tensor, " k"], settings: PhotometricSettings, rank: int | None = None
) -> Float[Tensor, " k"]:
    """Coefficients in the ellipsoid."""
    radius = settings.ellipsoid(len(coefficients) if rank is None else rank)
    return coefficients * (radius / coefficients.norm().clamp(min=1e-12)).clamp(max=1.0)
