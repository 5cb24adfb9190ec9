"""One frame of one person: warm-started Gauss-Newton with a temporal prior.

The landmarks come first, as they see far; pixels follow. Each step minimises the energies of
`fit_photometric` that depend on what changes from frame to frame, and the distance from where
the temporal prior expects the face.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import photometric_scale
from morphface.fit.analysis.lens import View, box_around
from morphface.fit.analysis.priors import light_precision
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.bounded import Box, bounded_minimum
from morphface.fit.shared.coefficients import coefficient_priors
from morphface.fit.video.exposure import brightened, gain_of, likeness
from morphface.fit.video.gaze import look
from morphface.fit.video.inertia import evidence, learned, released, spreads
from morphface.fit.video.person import Person
from morphface.fit.video.pixels import (
    Compared,
    compare,
    hidden_by_others,
    hidden_by_self,
    pixel_terms,
)
from morphface.fit.video.points import (
    Sighting,
    errors_of,
    point_terms,
    predict,
    sighting,
)
from morphface.fit.video.settings import VideoSettings
from morphface.fit.video.skin import Skin, skin_of
from morphface.fit.video.state import POSE, Span, State, span_of
from morphface.fit.video.view import image_of, view_of
from morphface.landmarks import Landmarks
from morphface.media.images import Photo

__all__ = ["Memory", "Solved", "Tools", "solve_frame", "tools_for"]

_POINT_STEPS = 3
_NEAR = 0.2  # millimetres: a step of the head's place below which landmarks have had their say
_BIAS = 0.1  # share of a frame in what is usual of the landmarks' errors
_FAR = 0.5  # millimetres: a motion of the head from which landmarks lead the way for pixels
_Pair = tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " E"]]


@dataclass(frozen=True, eq=False)
class Tools:
    """What all frames of a person share.

    Args:
        person: who it is.
        settings: of tracking.
        skin: None where pixels are not asked, or the person's colours are not known.
        span: columns.
        box: bounds of all columns.
        light: precision of the light around that of the person.
    """

    person: Person
    settings: VideoSettings
    skin: Skin | None
    span: Span
    box: Box
    light: Float[np.ndarray, "27 27"]

    @property
    def extent(self) -> Float[np.ndarray, " E"]:
        """Range of each expression, 1 where it has no bounds."""
        extent = self.box.upper[self.span.expression] - self.box.lower[self.span.expression]
        return np.where(np.isfinite(extent), extent, 1.0)


@dataclass(frozen=True, eq=False)
class Memory:
    """What is kept of a person from one frame to the next.

    Args:
        state: as last seen.
        time: of that frame.
        usual: errors of the landmarks, in millimetres, and of the scores; None at first.
        noise: of the landmarks, as learned; None at first.
        before: landmarks and expected expressions of the last two frames.
        open: how far nothing hides each point of the skin.
        velocity: of rotation and translation, by second.
        exposure: how many times as bright as usual each channel is.
    """

    state: State
    time: float
    usual: _Pair | None = None
    noise: Float[np.ndarray, " Q"] | None = None
    before: tuple[_Pair, ...] = ()
    open: Float[Tensor, " n"] | None = None
    velocity: Float[np.ndarray, "6"] | None = None
    exposure: Float[np.ndarray, "3"] = field(default_factory=lambda: np.ones(3))


@dataclass(frozen=True, eq=False)
class Solved:
    """What was found in a frame.

    Args:
        state: of the person.
        memory: for the next frame.
        predicted: where the face has the landmarks, in pixels; None where none were detected.
        nme: landmark error, NaN where none were detected.
        rmse: difference of colours, NaN where pixels were not asked.
        share: of the skin that is seen.
        likeness: of brightness over the skin, see `exposure.likeness`; NaN where unknown.
    """

    state: State
    memory: Memory
    predicted: Float[np.ndarray, "N 2"] | None
    nme: float
    rmse: float
    share: float
    likeness: float


def tools_for(person: Person, settings: VideoSettings) -> Tools:
    """What the frames of a person need."""
    bounds = to_numpy(person.model.expression.bounds)
    span = span_of(len(bounds))
    lower, upper = np.full(span.width, -np.inf), np.full(span.width, np.inf)
    lower[span.expression], upper[span.expression] = bounds.T
    return Tools(
        person=person,
        settings=settings,
        skin=skin_of(person, settings.points) if person.coloured(settings) else None,
        span=span,
        box=Box(lower, upper, np.zeros(span.width, dtype=bool), np.inf),
        light=light_precision(settings.photometric),
    )


def solve_frame(
    tools: Tools, memory: Memory, photo: Photo, landmarks: Landmarks | None, time: float
) -> Solved:
    """The person in a frame.

    Args:
        tools: of the person.
        memory: of the last frame.
        photo: the frame.
        landmarks: that the detector found; None where it missed the face.
        time: of the frame, in seconds.
    """
    seen = None
    if landmarks is not None:
        seen = sighting(tools.person, landmarks, memory.state, tools.settings.photometric)
    problem = _Problem(tools, memory, seen, time)
    state = problem.start
    if seen is not None and (problem.far or tools.skin is None):
        state = problem.fit_points(state)
    compared = None
    if tools.skin is not None:
        state, compared = problem.fit_pixels(state, photo, tools.skin)
    if seen is not None:
        state = look(tools.person, seen, state, memory.state, tools.settings)
    return problem.finish(state, compared)


class _Problem:
    """One frame to fit."""

    def __init__(self, tools: Tools, memory: Memory, seen: Sighting | None, time: float) -> None:
        self.tools, self.memory, self.seen, self.time = tools, memory, seen, time
        self.seconds = max(time - memory.time, 1e-3)
        scores = {} if seen is None else seen.landmarks.scores
        self.settings = tools.settings.photometric
        mean, spread = coefficient_priors(
            tools.person.model.expression,
            scores,
            expression_spread=self.settings.expression_spread,
            score_spread=self.settings.score_spread,
        )
        self.expected, self.precision = mean, 1 / spread**2
        self.start = memory.state
        self.noise, self.exposure = memory.noise, memory.exposure
        self.far = True
        self.scale = float(tools.person.camera.focal) / -memory.state.translation[2]
        self.temporal = self._temporal()

    def _temporal(self) -> Float[np.ndarray, " P"]:
        """Precision of the temporal prior."""
        inertia = self.tools.settings.inertia
        if inertia is None:
            return np.full(self.tools.span.width, 1e-9)
        spread = spreads(inertia, self.start, self.tools.extent, self.seconds)
        if self.seen is not None:
            found, unit = self._evidence(self.seen)
            self.far = bool(np.abs(found[3:5, 0] * unit[3:5]).max() > _FAR)
            if len(self.memory.before) == 2:
                self.noise = learned(self.noise, found[:, 1])
            spread = released(spread, (found[:, 0], unit), self.noise, inertia)
        return 1 / spread**2

    def _evidence(self, seen: Sighting) -> tuple[np.ndarray, np.ndarray]:
        """What landmarks and scores show to have moved since the last frame, and how they bend."""
        memory, now = self.memory, errors_of(seen, self.start)
        score = self.expected - self.start.expression
        bias, lean = (0.0, 0.0) if memory.usual is None else memory.usual
        bend, turn = 0 * now, 0 * score
        if len(memory.before) == 2:
            (first, mood), (second, temper) = memory.before
            bend = seen.targets - 2 * second + first
            turn = self.expected - 2 * temper + mood
        explain = (now - bias * self.scale, bend)
        hessian, gradient = point_terms(seen, self.start, now, explain)
        gradient[POSE:] -= self.precision[:, None] * np.stack([score - lean, turn], axis=1)
        return evidence(hessian, gradient, self.precision)

    def fit_points(self, state: State) -> State:
        """The state that the landmarks show."""
        for _ in range(_POINT_STEPS):
            hessian, gradient = self._terms(state)
            step = self._step(state, hessian, gradient)
            state = state.moved(step)
            if np.abs(step[3:5]).max() < _NEAR:
                break
        return state

    def fit_pixels(self, state: State, photo: Photo, skin: Skin) -> tuple[State, Compared]:
        """The state that landmarks and pixels show, and the last comparison."""
        settings = self.settings
        skin = skin.around(state.expression)
        view = self._view(state, photo, skin)
        image = image_of(view)
        opened = self.memory.open
        opened = torch.ones(len(skin.vertices)) if opened is None else opened
        compared = compare(skin, state, view, image, opened)
        gain = gain_of(compared)
        if gain is not None:
            state = self._exposed(state, gain)
            compared = compare(skin, state, view, image, opened)
        seen = 1 - hidden_by_self(compared)
        opened, compared = opened * seen, replace(compared, trust=compared.trust * seen)
        for _ in range(self.tools.settings.steps):
            noise = max(compared.noise, settings.least_noise)
            scale = photometric_scale(
                compared.residual, compared.trust, noise, settings.worth(noise)
            )
            hessian, gradient = pixel_terms(compared, scale)
            more, slope = self._terms(state)
            state = state.moved(self._step(state, hessian + more, gradient + slope))
            compared = compare(skin, state, view, image, opened)
        return state, compared

    def _exposed(self, state: State, gain: Float[np.ndarray, "3"]) -> State:
        """The state in another exposure, in which all that is expected of light is, too."""
        self.exposure = self.exposure * gain
        self.start = replace(self.start, light=brightened(self.start.light, gain))
        return replace(state, light=brightened(state.light, gain))

    def _view(self, state: State, photo: Photo, skin: Skin) -> View:
        camera = self.tools.person.camera
        span = skin.mean @ state.rotation.T + state.translation
        flat = span[:, :2] * [1, -1] * float(camera.focal) / -span[:, 2:]
        spots = torch.from_numpy(flat).float() + camera.principal
        step = max(1, int(self.tools.settings.spacing * self.scale))
        return view_of(photo, camera.principal, box_around(spots, photo.size), step)

    def _terms(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks and priors, all of them quadratic."""
        span = self.tools.span
        hessian, gradient = np.zeros((span.width, span.width)), np.zeros(span.width)
        if self.seen is not None:
            part = slice(0, span.light.start)
            errors = errors_of(self.seen, state)
            hessian[part, part], slope = point_terms(self.seen, state, errors, (errors,))
            gradient[part] = slope[:, 0]
        off = state.minus(self.start)
        diagonal = self.temporal.copy()
        gradient += diagonal * off
        diagonal[span.expression] += self.precision
        gradient[span.expression] += self.precision * (state.expression - self.expected)
        hessian[np.diag_indices(span.width)] += diagonal
        light = brightened(to_numpy(self.tools.person.illumination), self.exposure)
        hessian[span.light, span.light] += self.tools.light
        gradient[span.light] += self.tools.light @ (state.light - light).ravel()
        return hessian, gradient

    def _step(self, state: State, hessian: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        here = np.zeros(self.tools.span.width)
        here[self.tools.span.expression] = state.expression
        damped = hessian + np.diag(1e-6 * np.diag(hessian) + 1e-9)
        return bounded_minimum(damped, damped @ here - gradient, self.tools.box) - here

    def finish(self, state: State, compared: Compared | None) -> Solved:
        """What was found, and what is kept of it."""
        predicted, nme, usual = None, float("nan"), self.memory.usual
        before = self.memory.before[:0]
        if self.seen is not None:
            predicted, nme = predict(self.seen, state)
            before = (*self.memory.before[-1:], (self.seen.targets, self.expected))
            left = (errors_of(self.seen, state) / self.scale, self.expected - state.expression)
            old = left if usual is None else usual
            usual = (old[0] + _BIAS * (left[0] - old[0]), old[1] + _BIAS * (left[1] - old[1]))
        opened = self.memory.open
        if compared is not None:
            opened = 1 - hidden_by_others(compared, self.settings)
        velocity = state.minus(self.start)[:POSE] / self.seconds
        kept = Memory(state, self.time, usual, self.noise, before, opened, velocity, self.exposure)
        return Solved(
            state=state,
            memory=kept,
            predicted=predicted,
            nme=nme,
            rmse=float("nan") if compared is None else compared.rmse,
            share=1.0 if compared is None else compared.share,
            likeness=float("nan") if compared is None else likeness(compared),
        )
