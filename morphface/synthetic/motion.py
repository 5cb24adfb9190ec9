"""How heads and faces move: pieces of real tracks, or a random process that was fitted to some.

The process is a Gaussian copula over autoregressions. Each channel of a track (expression weights,
rotation, place, gaze) becomes normal scores by its ranks; their principal components each follow
an AR(2) process (Yule and Walker's equations); a draw runs those, mixes them, and gives each
channel the quantiles that it had in the track. What a calm clip lacks, speech and strong
expressions, is laid over it as acts (`acts.py`), and heads turn farther by `WIDER`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import roma
import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.files import atomic_write
from morphface.core.records import Record
from morphface.models import MorphableModel
from morphface.parameters import TRACKED, Track
from morphface.synthetic.acts import acted
from morphface.synthetic.dice import Dice

__all__ = ["Motion", "MotionModel", "Motions", "TrackMotions", "default_motion"]

WIDER = 3.0
"""How much farther than in the packaged clip heads turn: its yaw has a standard deviation of 4
degrees, that of people in films three times as much."""
QUANTILES = 33
RANK = 14
"""Principal components: 95 % of the variance of the packaged clip's normal scores."""
BURN_IN = 40
_PACKAGED = Path(__file__).parent / "data" / "motion.safetensors"


@dataclass(frozen=True, eq=False)
class Motion(Record):
    """Frames of a head that moves about a pose at rest.

    Args:
        expression: weights.
        rotation: from the pose at rest, rotation vectors in the camera frame.
        shift: from the place at rest, in parts of the distance from the camera.
        gaze: as of `FaceParameters`.
    """

    expression: Float[Tensor, "T E"]
    rotation: Float[Tensor, "T 3"]
    shift: Float[Tensor, "T 3"]
    gaze: Float[Tensor, "T 2 2"]


class Motions(Protocol):
    """Where motion comes from."""

    def piece(self, frames: int, dice: Dice) -> Motion:
        """Some consecutive frames."""


class TrackMotions:
    """Pieces of tracks.

    Args:
        tracks: of any people.

    Raises:
        ParameterError: no track has a frame in which its person is seen.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._runs = [_motion_of(track, rows) for track in tracks for rows in _seen(track)]
        if not self._runs:
            raise ParameterError("tracks must have frames in which a person is seen, got none")

    def piece(self, frames: int, dice: Dice) -> Motion:
        """Some consecutive frames; the first again, where a run is shorter."""
        lengths = torch.tensor([len(run.expression) for run in self._runs], dtype=torch.float32)
        run = self._runs[int(torch.multinomial(lengths, 1, generator=dice.generator))]
        last = int(dice.whole(len(run.expression)))
        rows = torch.arange(last - frames + 1, last + 1).clamp(min=0)
        return run.map(lambda values: values[rows])


@dataclass(frozen=True, eq=False)
class MotionModel(Record):
    """The process.

    Args:
        expressions: names of the expression channels.
        quantiles: of each channel, at even levels from 0 to 1.
        mixing: normal scores of the channels for one unit of each component.
        memory: two coefficients of each component's autoregression.
        wider: factor of rotations.
        acts: whether acts are laid over it.
    """

    expressions: tuple[str, ...]
    quantiles: Float[Tensor, "Q C"]
    mixing: Float[Tensor, "R C"]
    memory: Float[Tensor, "R 2"]
    wider: float = WIDER
    acts: bool = True

    @classmethod
    def of(
        cls, tracks: Sequence[Track], expressions: Sequence[str], *, rank: int = RANK
    ) -> "MotionModel":
        """The process that moves as some tracks do.

        Args:
            tracks: of one model.
            expressions: names of its expressions.
            rank: how many components.

        Raises:
            ParameterError: fewer than 100 frames of them are seen.
        """
        motions = [_motion_of(track, rows) for track in tracks for rows in _seen(track)]
        runs = [_rows(motion) for motion in motions]
        frames = sum(map(len, runs))
        if frames < 100:
            raise ParameterError(f"tracks must have 100 frames with a person, got {frames}")
        rows = torch.cat(runs)
        levels = torch.linspace(0, 1, QUANTILES)
        scores = _normal_scores(rows)
        _, _, axes = torch.linalg.svd(scores, full_matrices=False)
        components = (scores @ axes[:rank].mT).split([len(run) for run in runs])
        size = torch.cat(components).std(dim=0)
        mixing = axes[:rank] * size[:, None]
        mixing = mixing / mixing.norm(dim=0).clamp(min=1e-6)
        memory = _autoregression([part / size for part in components])
        return cls(tuple(expressions), rows.quantile(levels, dim=0), mixing, memory)

    def piece(self, frames: int, dice: Dice) -> Motion:
        """Some consecutive frames, at a random time."""
        values = self._run(dice.normal(BURN_IN + frames, len(self.mixing)))[BURN_IN:]
        levels = torch.special.ndtr(values @ self.mixing) * (QUANTILES - 1)
        low = levels.long().clamp(0, QUANTILES - 2)
        column = torch.arange(low.shape[1]).expand_as(low)
        rows = torch.lerp(
            self.quantiles[low, column], self.quantiles[low + 1, column], levels - low
        )
        expression, rotation, shift, gaze = rows.split([len(self.expressions), 3, 3, 4], dim=-1)
        if self.acts:
            expression = acted(expression, self.expressions, dice)
        found = Motion(expression, self.wider * rotation, shift, gaze.unflatten(-1, (2, 2)))
        return _mirrored(found, self.expressions) if dice.chance(0.5) else found

    def _run(self, noise: Float[Tensor, "T R"]) -> Float[Tensor, "T R"]:
        """The autoregressions, with unit variance."""
        first, second = self.memory.unbind(-1)
        # Yule and Walker: the innovation that leaves the variance at 1
        lag1 = first / (1 - second)
        lag2 = first * lag1 + second
        size = (1 - first * lag1 - second * lag2).clamp(min=1e-6).sqrt()
        out = [noise[0], lag1 * noise[0] + (1 - lag1.square()).sqrt() * noise[1]]
        for row in noise[2:]:
            out.append(first * out[-1] + second * out[-2] + size * row)
        return torch.stack(out)

    def save(self, path: str | Path, note: str) -> None:
        """Write to a `.safetensors` file.

        Args:
            path: where to.
            note: what it was fitted to.
        """
        tensors = {
            name: getattr(self, name).contiguous() for name in ("quantiles", "mixing", "memory")
        }
        header = {"expressions": json.dumps(self.expressions), "note": note}
        with atomic_write(Path(path)) as temporary:
            save_file(tensors, temporary, header)

    @classmethod
    def load(cls, path: str | Path) -> "MotionModel":
        """Read what `save` wrote."""
        with safe_open(path, "pt") as file:
            names = tuple(json.loads(file.metadata()["expressions"]))
            tensors = [file.get_tensor(name) for name in ("quantiles", "mixing", "memory")]
        return cls(names, *tensors)


def default_motion(model: MorphableModel) -> MotionModel:
    """The packaged process.

    Args:
        model: that shall move; it must have the expressions of the open head.

    Raises:
        ParameterError: it has others.
    """
    found = MotionModel.load(_PACKAGED)
    if found.expressions != model.expression.names:
        raise ParameterError(
            f"the packaged motion is of the open head's expressions, which model {model.name!r} "
            "has not; pass motion=TrackMotions(tracks) with tracks of that model"
        )
    return found


def _mirrored(motion: Motion, names: Sequence[str]) -> Motion:
    """What a mirror shows: left is right, and turns are the other way about."""
    other = {"Left": "Right", "Right": "Left"}
    swapped = [re.sub("Left|Right", lambda side: other[side[0]], name) for name in names]
    column = [names.index(name) for name in swapped]
    return Motion(
        motion.expression[:, column],
        motion.rotation * motion.rotation.new_tensor([1.0, -1.0, -1.0]),
        motion.shift * motion.shift.new_tensor([-1.0, 1.0, 1.0]),
        motion.gaze.flip(1) * motion.gaze.new_tensor([-1.0, 1.0]),
    )


def _seen(track: Track) -> list[Tensor]:
    """Rows of consecutive frames in which the person is tracked."""
    rows = torch.nonzero(track.states == TRACKED)[:, 0]
    if not len(rows):
        return []
    gaps = torch.nonzero(track.indices[rows].diff() > 1)[:, 0] + 1
    return list(torch.tensor_split(rows, gaps))


def _motion_of(track: Track, rows: Tensor) -> Motion:
    parameters = track.parameters
    turns = roma.rotvec_to_rotmat(parameters.rotation)
    middle = roma.special_procrustes(turns.mean(0))
    away = parameters.translation[:, 2].abs().mean()
    shift = (parameters.translation - parameters.translation.mean(0)) / away
    rotation = roma.rotmat_to_rotvec(turns @ middle.mT)
    whole = Motion(parameters.expression, rotation, shift, parameters.gaze)
    return whole.map(lambda values: values[rows])


def _rows(motion: Motion) -> Float[Tensor, "T C"]:
    return torch.cat(
        [motion.expression, motion.rotation, motion.shift, motion.gaze.flatten(1)], dim=-1
    )


def _normal_scores(rows: Float[Tensor, "T C"]) -> Float[Tensor, "T C"]:
    """What a normal variable would be at the rank of each value; equal values share theirs."""
    ordered = rows.sort(dim=0).values.mT.contiguous()
    columns = rows.mT.contiguous()
    below = torch.searchsorted(ordered, columns)
    upto = torch.searchsorted(ordered, columns, right=True)
    return torch.special.ndtri((below + upto).mT / (2 * len(rows)))


def _autoregression(runs: Sequence[Float[Tensor, "T R"]]) -> Float[Tensor, "R 2"]:
    """Coefficients of AR(2) by Yule and Walker, of components with unit variance."""

    def lag(k: int) -> Tensor:
        pairs = [(run[k:] * run[: len(run) - k]) for run in runs if len(run) > k]
        return torch.cat(pairs).mean(0)

    power = lag(0)
    first, second = lag(1) / power, lag(2) / power
    first = first.clamp(-0.998, 0.998)
    least = 2 * first.square() - 1
    second = torch.maximum(second.clamp(max=0.999), least + 1e-3)
    below = 1 - first.square()
    return torch.stack([first * (1 - second) / below, (second - first.square()) / below], dim=-1)
