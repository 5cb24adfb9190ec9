"""A bridge between the numbers of a latent motion and parameters that have names.

Ridge regression both ways, on frames of which both are known. How strong the ridge is, and how
well each number is found again, comes from parts of the frames that were left out in turn. It lies
beside the checkpoint, so that `jawOpen` drives a generator that knows no names.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.core.files import atomic_write
from morphface.core.records import Record

__all__ = [
    "BRIDGE",
    "TAUGHT",
    "Line",
    "MotionBridge",
    "fit_bridge",
    "load_bridge",
    "save_bridge",
    "taught_values",
]

BRIDGE = "bridge.safetensors"
"""What it is called in the folder of a run."""
TAUGHT: dict[str, float] = {
    "yaw": 0.25,
    "pitch": 0.15,
    "roll": 0.1,
    "jawOpen": 0.1,
    "mouthSmileLeft": 0.2,
    "mouthSmileRight": 0.2,
    "eyeBlinkLeft": 0.15,
    "eyeBlinkRight": 0.15,
}
"""Parameters that a motion's first numbers may be taught to be, and how much of each is 1: about
their spread over rendered people, half of it for the jaw, whose number counts the more. The other
numbers stay free, for all that has no name."""
_KEY, _VERSION = "morphface bridge", 1
_RIDGES = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Strengths that are tried, by the number of frames, for inputs of unit spread."""
_STILL = 1e-6
"""Spread from which an input counts."""


@dataclass(frozen=True, eq=False)
class Line(Record):
    """A linear map with offsets: output = (input - origin) @ slope + mean.

    Args:
        origin: means of the inputs.
        slope: of each output by each input.
        mean: of the outputs.
        found: correlation of each output with what is predicted of frames that were left out.
    """

    origin: Float[Tensor, " N"]
    slope: Float[Tensor, "N M"]
    mean: Float[Tensor, " M"]
    found: Float[Tensor, " M"]

    def __call__(self, values: Float[Tensor, "B N"]) -> Float[Tensor, "B M"]:
        """Outputs of some inputs."""
        return (values - self.origin) @ self.slope + self.mean


@dataclass(frozen=True, eq=False)
class MotionBridge(Record):
    """Both ways.

    Args:
        names: of the parameters.
        to_motion: from parameters to numbers.
        to_named: from numbers to parameters.
    """

    names: tuple[str, ...]
    to_motion: Line
    to_named: Line

    def scores(self) -> dict[str, float]:
        """How well each parameter is found again from numbers, -1 to 1, frames left out."""
        return dict(zip(self.names, self.to_named.found.tolist(), strict=True))


def taught_values(named: Float[Tensor, "T P"], names: Sequence[str]) -> Float[Tensor, "T N"]:
    """What a motion's first numbers are taught to be; NaN for names that are not there.

    Args:
        named: values of some frames, angles in radians.
        names: of all of them.

    Raises:
        ShapeError: they differ in number.
    """
    check_shape("named", named, None, len(names))
    unknown = torch.full_like(named[:, :1], math.nan)
    known = torch.cat([named, unknown], dim=1)
    column = [names.index(name) if name in names else len(names) for name in TAUGHT]
    return known[:, column] / named.new_tensor(list(TAUGHT.values()))


def fit_bridge(
    motion: Float[Tensor, "B K"],
    named: Float[Tensor, "B P"],
    names: Sequence[str],
    *,
    folds: int = 6,
    taught: bool = False,
) -> MotionBridge:
    """The bridge of some frames.

    Args:
        motion: numbers of each frame.
        named: parameters of the same frames.
        names: of the parameters.
        folds: parts of the frames, in their order, so that frames of a person stay together.
        taught: whether the first numbers were taught to be `TAUGHT`. From parameters to these the
            bridge then is what was taught, and not what is read off pictures, which is less the
            worse it is read; the other numbers follow the other parameters alone.

    Raises:
        ShapeError: they differ in frames, or in names.
        ParameterError: there are fewer than two frames for each part.
    """
    check_shape("named", named, len(motion), len(names))
    if len(motion) < 2 * folds:
        raise ParameterError(
            f"a bridge needs {2 * folds} frames or more of which motion and parameters are known, "
            f"got {len(motion)}"
        )
    one, two = motion.double(), named.double()
    to_motion = _line(two, one, folds)
    if taught:
        to_motion = _told(to_motion, two, one, names, folds)
    return MotionBridge(tuple(names), to_motion, _line(one, two, folds))


def _told(line: Line, named: Tensor, motion: Tensor, names: Sequence[str], folds: int) -> Line:
    """From parameters to numbers of which the first were taught."""
    slope, mean = torch.zeros_like(line.slope), line.mean.clone()
    count = min(len(TAUGHT), motion.shape[1])
    for number, (name, size) in enumerate(list(TAUGHT.items())[:count]):
        if name in names:
            slope[names.index(name), number] = 1 / size
            mean[number] = line.origin[names.index(name)] / size
    rest = [k for k, name in enumerate(names) if name not in TAUGHT]
    if rest and count < motion.shape[1]:
        slope[rest, count:] = _line(named[:, rest], motion[:, count:], folds).slope
    return Line(line.origin, slope, mean, line.found)


def _line(given: Tensor, wanted: Tensor, folds: int) -> Line:
    """Ridge regression; for each output the strength that predicts best what was left out.

    One strength for all would be that of the outputs that nothing predicts, and would flatten the
    others.
    """
    guesses = torch.stack([_left_out(given, wanted, ridge, folds) for ridge in _RIDGES])
    best = (guesses - wanted).square().mean(1).argmin(0)
    solved = [_solved(given, wanted, ridge) for ridge in _RIDGES]
    columns = torch.arange(wanted.shape[1])
    slope = torch.stack([one[1] for one in solved])[best, :, columns].T
    found = _correlation(guesses[best, :, columns].T, wanted)
    origin, _, mean = solved[0]
    return Line(*(part.float().contiguous() for part in (origin, slope, mean, found)))


def _left_out(given: Tensor, wanted: Tensor, ridge: float, folds: int) -> Tensor:
    """What is predicted of each part of the frames from the others."""
    numbers = torch.arange(len(given))
    guesses = torch.empty_like(wanted)
    for part in numbers.tensor_split(folds):
        kept = (numbers < part[0]) | (numbers > part[-1])
        origin, slope, mean = _solved(given[kept], wanted[kept], ridge)
        guesses[part] = (given[part] - origin) @ slope + mean
    return guesses


def _solved(given: Tensor, wanted: Tensor, ridge: float) -> tuple[Tensor, Tensor, Tensor]:
    origin, mean, spread = given.mean(0), wanted.mean(0), given.std(0)
    scale = torch.where(spread > _STILL, 1 / spread.clamp(min=_STILL), 0.0)
    x = (given - origin) * scale
    square = x.T @ x + ridge * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    return origin, scale[:, None] * torch.linalg.solve(square, x.T @ (wanted - mean)), mean


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Of each column; 0 where one does not vary."""
    a, b = a - a.mean(0), b - b.mean(0)
    lengths = a.norm(dim=0) * b.norm(dim=0)
    return torch.where(lengths > _STILL, (a * b).sum(0) / lengths.clamp(min=_STILL), 0.0)


def save_bridge(path: str | Path, bridge: MotionBridge) -> None:
    """Write a bridge, whole or not at all.

    Args:
        path: the file to write or replace.
        bridge: to keep.

    Raises:
        OutputError: the file cannot be written there.
    """
    lines = {"to_motion": bridge.to_motion, "to_named": bridge.to_named}
    values = {
        f"{line}.{k}": v.contiguous() for line, own in lines.items() for k, v in vars(own).items()
    }
    header = json.dumps({"version": _VERSION, "names": bridge.names})
    with atomic_write(path) as temporary:
        save_file(values, temporary, metadata={_KEY: header})


def load_bridge(path: str | Path) -> MotionBridge:
    """What `save_bridge` wrote.

    Args:
        path: of the file.

    Raises:
        MissingFileError: there is none.
        ModelError: it is none of ours, or damaged.
    """
    if not Path(path).is_file():
        raise MissingFileError(
            f"there is no bridge at {path}, by which parameters with names would drive the "
            "generator; `morphface train lia` writes it, or drive it by a video"
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_KEY])
        values, names = load_file(path), tuple(header["names"])
        lines = [
            Line(*(values[f"{line}.{part}"] for part in ("origin", "slope", "mean", "found")))
            for line in ("to_motion", "to_named")
        ]
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{Path(path).name} is not a bridge of a generator") from error
    return MotionBridge(names, *lines)
