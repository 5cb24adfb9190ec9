"""A track made smooth after it was measured: offline over all of it, or a few frames late.

Everything that moves is smoothed in the space of parameters, by `rts`, with the noise that the
sequence itself shows. Rotations are not numbers: the path of the head's rotation is developed into
a plane space, each small turn from frame to frame after the last, and smoothed there; what that
changes at a frame is a small turn, which is composed with the rotation measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.fit.video.rts import Belief, measured_noise, smooth_rows, usual_power
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.parameters.track import TRACKED, Track

__all__ = ["FixedLag", "Spread", "SmoothingSettings", "smooth"]

_GROUPS = ("expression", "gaze", "illumination", "rotation", "translation")
_LEAST = 1e-6

_Place = tuple[Tensor, Float[np.ndarray, "3"]]
"""A rotation, and where it is on the developed path."""


@dataclass(frozen=True)
class Spread:
    """One number for each group: expression in its coefficients' unit, gaze and rotation in
    radians, translation in millimetres, illumination in that of its coefficients; or, as times,
    all in seconds.
    """

    expression: float
    gaze: float
    illumination: float
    rotation: float
    translation: float

    def __post_init__(self) -> None:
        for item in fields(self):
            if not getattr(self, item.name) > 0:
                raise ParameterError(
                    f"{item.name} must be positive, got {getattr(self, item.name)}"
                )

    def row(self, widths: dict[str, int]) -> Float[np.ndarray, " K"]:
        """The number of each column."""
        parts = [np.full(width, getattr(self, name)) for name, width in widths.items()]
        return np.concatenate(parts)


@dataclass(frozen=True)
class SmoothingSettings:
    """How smooth a track becomes.

    Args:
        seconds: time constants: changes that are quicker are smoothed away, unless they stand out
            of the noise (measured).
        noise: standard deviation of a measurement; None estimates that of each coefficient from
            the sequence.
        usual: the same, where a sequence is too short to tell, or comes frame by frame.
        longest_gap: seconds without a tracked frame that are bridged; over longer ones nothing is
            smoothed.
        rounds: how often it is decided what stands out.
    """

    seconds: Spread = field(default_factory=lambda: Spread(0.06, 0.05, 0.3, 0.08, 0.08))
    noise: Spread | None = None
    usual: Spread = field(default_factory=lambda: Spread(0.02, 0.02, 0.01, 0.004, 0.5))
    longest_gap: float = 0.5
    rounds: int = 4

    def __post_init__(self) -> None:
        if not (self.longest_gap > 0 and self.rounds > 0):
            raise ParameterError(
                f"longest_gap and rounds must be positive, got {self.longest_gap} and {self.rounds}"
            )


def smooth(
    track: Track, *, model: MorphableModel | None = None, settings: SmoothingSettings | None = None
) -> Track:
    """A track without the jitter of its measurements, and without lag.

    Frames that are predicted or lost count as not measured: short gaps are bridged, and beyond
    the first and last tracked frame, and in long gaps, parameters stay as they are.

    Args:
        track: of one person.
        model: for the bounds of its expressions; None keeps each in the range that it had.
        settings: how smooth; None takes the defaults.

    Raises:
        ParameterError: times do not rise, or the model has other expressions than the track.
    """
    settings = settings or SmoothingSettings()
    times, seen = track.times.double().numpy(), (track.states == TRACKED).cpu().numpy()
    if (np.diff(times) <= 0).any():
        raise ParameterError("times of a track must rise to be smoothed")
    if not seen.any():
        return track
    rows = _Rows.of(track.parameters)
    limits = _limits(track.parameters, model)
    out, _ = _smoothed(rows, times, seen, _noise(rows, times, seen, settings), settings)
    return replace(track, parameters=rows.put(out, limits))


def _smoothed(
    rows: "_Rows",
    times: Float[np.ndarray, " T"],
    seen: Bool[np.ndarray, " T"],
    noise: Float[np.ndarray, " K"],
    settings: SmoothingSettings,
    start: Belief | None = None,
) -> tuple[Float[np.ndarray, "T K"], Float[np.ndarray, " K"] | None]:
    """The path, and the power of acceleration after the first frame, if that is smoothed."""
    out, constant, first = rows.values.copy(), settings.seconds.row(rows.widths), None
    for part in _stretches(times, seen, settings.longest_gap, begun=start is not None):
        path, power = smooth_rows(
            times[part],
            rows.values[part] / noise,
            seen[part],
            constant,
            start=start if part.start == 0 else None,
            rounds=settings.rounds,
        )
        out[part] = path * noise
        if part.start == 0:
            first = power[0] if len(power) else usual_power(constant)
    return out, first


def _stretches(
    times: Float[np.ndarray, " T"],
    seen: Bool[np.ndarray, " T"],
    longest: float,
    *,
    begun: bool = False,
) -> Iterable[slice]:
    """Frames between tracked ones that are not too far apart; `begun` if one was before these."""
    where = np.flatnonzero(seen)
    if begun and len(where) and times[where[0]] - times[0] <= longest:
        where = np.union1d(where, 0)
    breaks = np.flatnonzero(np.diff(times[where]) > longest) + 1
    for run in np.split(where, breaks):
        yield slice(int(run[0]), int(run[-1]) + 1)


def _noise(
    rows: "_Rows",
    times: Float[np.ndarray, " T"],
    seen: Bool[np.ndarray, " T"],
    settings: SmoothingSettings,
) -> Float[np.ndarray, " K"]:
    given = settings.noise or settings.usual
    found = measured_noise(times, rows.values, seen) if settings.noise is None else None
    least = _LEAST * settings.usual.row(rows.widths)
    return np.maximum(given.row(rows.widths) if found is None else found, least)


def _limits(parameters: FaceParameters, model: MorphableModel | None) -> Float[Tensor, "E 2"]:
    expression = parameters.expression
    if model is None:
        return torch.stack([expression.amin(dim=0), expression.amax(dim=0)], dim=1)
    if len(model.expression.bounds) != expression.shape[1]:
        raise ParameterError(
            f"model {model.name!r} has {len(model.expression.bounds)} expressions, but the track "
            f"has {expression.shape[1]}"
        )
    return model.expression.bounds.to(expression)


@dataclass(frozen=True, eq=False)
class _Rows:
    """What moves, as rows of numbers.

    Args:
        parameters: that they come from.
        values: by frame; rotation as its developed path.
        widths: columns of each group.
    """

    parameters: FaceParameters
    values: Float[np.ndarray, "T K"]
    widths: dict[str, int]

    @classmethod
    def of(cls, parameters: FaceParameters, before: _Place | None = None) -> "_Rows":
        """The rows of parameters, whose rotation goes on from `before`."""
        parts = {
            name: getattr(parameters, name).flatten(1).double().cpu().numpy() for name in _GROUPS
        }
        parts["rotation"] = _developed(parameters.rotation, before)
        widths = {name: part.shape[1] for name, part in parts.items()}
        return cls(parameters, np.concatenate(list(parts.values()), axis=1), widths)

    @property
    def rotation(self) -> Float[np.ndarray, "T 3"]:
        """The developed path."""
        ends = np.cumsum(list(self.widths.values()))[:-1]
        return np.split(self.values, ends, axis=1)[list(self.widths).index("rotation")]

    def put(self, values: Float[np.ndarray, "T K"], limits: Float[Tensor, "E 2"]) -> FaceParameters:
        """The parameters with other values."""
        old, ends = self.parameters, np.cumsum(list(self.widths.values()))[:-1]
        fresh = dict(zip(self.widths, np.split(values, ends, axis=1), strict=True))
        out = {}
        for name in _GROUPS:
            like = getattr(old, name)
            if name == "rotation":
                turn = roma.rotvec_to_rotmat(torch.from_numpy(fresh[name] - self.rotation))
                there = turn @ roma.rotvec_to_rotmat(like.double().cpu())
                out[name] = roma.rotmat_to_rotvec(there).to(like)
            else:
                out[name] = torch.from_numpy(fresh[name]).to(like).view_as(like)
        low, high = limits.T
        out["expression"] = out["expression"].clamp(low, high)
        return replace(old, **out)


def _developed(rotation: Float[Tensor, "T 3"], before: _Place | None) -> Float[np.ndarray, "T 3"]:
    """The path of a rotation, each turn from frame to frame added to the last."""
    turns = roma.rotvec_to_rotmat(rotation.double().cpu())
    first = turns[:1] if before is None else roma.rotvec_to_rotmat(before[0].double().cpu())[None]
    whole = torch.cat([first, turns])
    steps = roma.rotmat_to_rotvec(whole[1:] @ whole[:-1].mT).numpy()
    origin = np.zeros(3) if before is None else before[1]
    return origin + steps.cumsum(axis=0)


class FixedLag:
    """The same for a stream: each frame comes back smooth when `lag` later ones are known.

    With a lag as long as the sequence it is `smooth` with the same noise.

    Args:
        lag: how many frames later; 0 filters.
        model: for the bounds of its expressions; None keeps each in the range of the frames that
            wait.
        settings: how smooth; None takes the defaults.

    Raises:
        ParameterError: the lag is negative.
    """

    def __init__(
        self,
        lag: int = 5,
        *,
        model: MorphableModel | None = None,
        settings: SmoothingSettings | None = None,
    ) -> None:
        if lag < 0:
            raise ParameterError(f"lag must not be negative, got {lag}")
        self._lag, self._model = lag, model
        self._settings = settings or SmoothingSettings()
        self._frames: list[tuple[FaceParameters, float, bool]] = []
        self._past: tuple[Belief, float, Float[np.ndarray, " K"]] | None = None
        self._place: _Place | None = None
        self._time = -np.inf

    def push(
        self, parameters: FaceParameters, time: float, state: int = TRACKED
    ) -> FaceParameters | None:
        """Takes one frame; returns that of `lag` frames before, None while there is none.

        Args:
            parameters: of one frame.
            time: of it, in seconds.
            state: TRACKED if it was measured.

        Raises:
            ParameterError: there is not one frame, or the time is not after the last.
        """
        if parameters.frames != 1:
            raise ParameterError(f"parameters must be of one frame, got {parameters.frames}")
        if time <= self._time:
            raise ParameterError(
                f"time must be after that of the last frame, got {time:g} after {self._time:g}"
            )
        self._time = time
        self._frames.append((parameters, time, state == TRACKED))
        if len(self._frames) <= self._lag:
            return None
        return self._solve(forget=True)[0]

    def flush(self) -> FaceParameters | None:
        """The frames that have not come back, if any; then a new sequence may begin."""
        out = self._solve() if self._frames else None
        self._frames, self._past, self._place, self._time = [], None, None, -np.inf
        return out

    def _solve(self, *, forget: bool = False) -> FaceParameters:
        """The frames that are waiting, smooth; the first may be forgotten then."""
        window = _joined([frame for frame, _, _ in self._frames])
        times = np.array([time for _, time, _ in self._frames])
        seen = np.array([one for _, _, one in self._frames])
        rows = _Rows.of(window, self._place)
        own = self._settings.noise or self._settings.usual
        noise, power, start, out = own.row(rows.widths), None, self._start(times[0]), window
        if seen.any():
            path, power = _smoothed(rows, times, seen, noise, self._settings, start)
            out = rows.put(path, _limits(window, self._model))
        if forget:
            self._place = window.rotation[0], rows.rotation[0]
            self._past = None
            if power is not None:
                value = rows.values[0] / noise
                now = start or Belief.vague(value)
                self._past = now.told(value) if seen[0] else now, float(times[0]), power
            del self._frames[0]
        return out

    def _start(self, time: float) -> Belief | None:
        """What the frames that are forgotten tell about that time."""
        if self._past is None:
            return None
        belief, before, power = self._past
        return belief.later(time - before, power)


def _joined(frames: Sequence[FaceParameters]) -> FaceParameters:
    """Frames of one person, one after another."""
    moving = {name: torch.cat([getattr(one, name) for one in frames]) for name in _GROUPS}
    return replace(frames[0], **moving)
