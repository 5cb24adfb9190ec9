"""Relief of skin that nobody has: wrinkles where faces fold, and fine waves of a band of lengths.

Heights are a function of points of a surface, so that a mesh of any fineness has the same relief,
and are known exactly: a test for what tells relief from pictures. They hang on the surface of the
face without expression.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.synthetic.dice import Dice

__all__ = ["ReliefSettings", "Wrinkle", "band_of_waves", "grooves", "random_relief", "wrinkles_of"]

_POINTS = 478
_ABOVE_BROWS = (68, 104, 69, 108, 151, 337, 299, 333, 298)
_HAIRLINE = (54, 103, 67, 109, 10, 338, 297, 332, 284)
_FROWNS = (((55, 8), (107, 9), (108, 151)), ((285, 8), (336, 9), (337, 151)))
_FOLDS = ((129, 203, 206, 216, 212), (358, 423, 426, 436, 432))
_EYES = ((33, 133), (263, 362))  # outer and inner corner
_UPRIGHT = (152, 10)  # chin and hairline
_FAN = (-32.0, 0.0, 30.0)
"""Degrees above the line through the corners of an eye at which lines leave it."""
_STEP = 0.2
"""Millimetres between points of a line."""
_REACH = 4.0
"""Widths of a wrinkle from its line at which it has ended."""


@dataclass(frozen=True)
class ReliefSettings:
    """How much relief there is. Chosen so that it looks like skin of the middle of life.

    Args:
        band: shortest and longest wavelength of fine waves, in millimetres.
        roughness: their root mean square, in millimetres.
        waves: how many there are at once.
        depth: least and largest depth of a wrinkle in its middle, in millimetres.
        width: standard deviations of the profile of the narrowest and the widest one, in
            millimetres.

    Raises:
        ParameterError: a range is empty or not positive, the roughness is negative, or there is not
            a single wave.
    """

    band: tuple[float, float] = (3.0, 12.0)
    roughness: float = 0.05
    waves: int = 192
    depth: tuple[float, float] = (0.25, 0.8)
    width: tuple[float, float] = (0.8, 1.5)

    def __post_init__(self) -> None:
        for name in ("band", "depth", "width"):
            low, high = getattr(self, name)
            if not 0 < low <= high < math.inf:
                raise ParameterError(
                    f"{name} must be two positive lengths in millimetres, the smaller one first, "
                    f"got {(low, high)}"
                )
        if not 0 <= self.roughness < math.inf:
            raise ParameterError(
                f"roughness must be at least 0 and finite, in millimetres, got {self.roughness}"
            )
        if self.waves < 1:
            raise ParameterError(f"waves must be at least 1, got {self.waves}")


@dataclass(frozen=True, eq=False)
class Wrinkle:
    """A groove along a line, deepest in the middle of it.

    Args:
        line: corners, near the surface, in millimetres.
        depth: in its middle, in millimetres.
        width: standard deviation of its profile, in millimetres.
    """

    line: Float[Tensor, "K 3"]
    depth: float
    width: float


def random_relief(
    points: Float[Tensor, "N 3"],
    normals: Float[Tensor, "N 3"],
    marks: Float[Tensor, "478 3"],
    dice: Dice,
    settings: ReliefSettings | None = None,
) -> Float[Tensor, " N"]:
    """Heights over a face without expression, in millimetres: wrinkles and fine waves.

    Args:
        points: of its surface, in the model frame, in millimetres.
        normals: of unit length.
        marks: MediaPipe's landmarks on it.
        dice: decide what somebody has.
        settings: how much of it there is.

    Raises:
        ShapeError: there are not 478 landmarks, or an argument lacks the axes above.
    """
    told = settings or ReliefSettings()
    check_shape("points", points, None, 3)
    check_shape("normals", normals, len(points), 3)
    wrinkles = wrinkles_of(marks, dice, told)
    return grooves(points, normals, wrinkles) + told.roughness * band_of_waves(
        points, told.band, told.waves, dice
    )


def band_of_waves(
    points: Float[Tensor, "N 3"], band: tuple[float, float], waves: int, dice: Dice
) -> Float[Tensor, " N"]:
    """A sum of plane waves from all directions, whose root mean square in space is 1.

    Amplitudes grow with wavelengths, so that all are equally steep. On a surface no wave is shorter
    than the shortest; one that meets it aslant is longer.

    Args:
        points: anywhere, in millimetres.
        band: shortest and longest wavelength in millimetres.
        waves: how many.
        dice: decide directions, lengths and phases.
    """
    low, high = (math.log(length) for length in band)
    lengths = dice.uniform(low, high, waves).exp()
    towards = torch.nn.functional.normalize(dice.normal(waves, 3), dim=-1)
    phases = dice.uniform(0, 2 * math.pi, waves)
    amplitudes = lengths / lengths.square().sum().sqrt() * math.sqrt(2)
    out = points.new_zeros(len(points))
    for each in range(waves):  # one at a time: of a fine mesh all would take gigabytes
        turn = points @ (towards[each] * (2 * math.pi / float(lengths[each])))
        out += float(amplitudes[each]) * torch.cos(turn + float(phases[each]))
    return out


def grooves(
    points: Float[Tensor, "N 3"], normals: Float[Tensor, "N 3"], wrinkles: Sequence[Wrinkle]
) -> Float[Tensor, " N"]:
    """Heights of wrinkles, in millimetres: at most 0.

    The distance from a line counts along the surface, so that one that runs a little below or above
    it does as well. A profile is a Gaussian; depth goes as the sine of the way along the line.

    Args:
        points: of the surface, in millimetres.
        normals: of unit length.
        wrinkles: any number.
    """
    from scipy.spatial import cKDTree

    out = points.new_zeros(len(points))
    tree = cKDTree(points.numpy())
    for wrinkle in wrinkles:
        line = _dense(wrinkle.line)
        _, onto = tree.query(line.numpy())
        at, up = points[torch.from_numpy(onto)], normals[torch.from_numpy(onto)]
        line = line - ((line - at) * up).sum(-1, keepdim=True) * up  # onto the surface
        away, near = cKDTree(line.numpy()).query(
            points.numpy(), distance_upper_bound=_REACH * wrinkle.width + 2 * _STEP
        )
        chosen = torch.from_numpy(away).isfinite()
        place = torch.from_numpy(near)[chosen]
        offset, normal = points[chosen] - line[place], normals[chosen]
        along = (offset * normal).sum(-1)
        square = (offset.square().sum(-1) - along.square()).clamp(min=0)
        depth = wrinkle.depth * torch.sin(math.pi * (place + 0.5) / len(line))
        out[chosen] -= depth * torch.exp(-square / (2 * wrinkle.width**2))
    return out


def wrinkles_of(
    marks: Float[Tensor, "478 3"], dice: Dice, settings: ReliefSettings | None = None
) -> tuple[Wrinkle, ...]:
    """Wrinkles across the forehead, between the brows, beside eyes and from nose to mouth.

    Args:
        marks: MediaPipe's landmarks on a face, in millimetres.
        dice: decide how deep and wide each is, and where.
        settings: between which limits.

    Raises:
        ShapeError: there are not 478 landmarks.
    """
    check_shape("marks", marks, _POINTS, 3)
    told = settings or ReliefSettings()
    return tuple(
        Wrinkle(line, dice.number(*told.depth), dice.number(*told.width))
        for line in _lines(marks, dice)
    )


def _lines(marks: Tensor, dice: Dice) -> list[Tensor]:
    low, high = marks[list(_ABOVE_BROWS)], marks[list(_HAIRLINE)]
    out = []
    for level in (0.1, 0.35, 0.6):
        share = level + dice.number(-0.08, 0.08)
        first, last = int(dice.whole(2)), len(low) - int(dice.whole(2))
        out.append((low + share * (high - low))[first:last])
    out += [torch.stack([marks[list(pair)].mean(0) for pair in frown]) for frown in _FROWNS]
    out += [marks[list(fold)] for fold in _FOLDS]
    up = torch.nn.functional.normalize(marks[_UPRIGHT[1]] - marks[_UPRIGHT[0]], dim=0)
    for outer, inner in _EYES:
        out_of_eye = torch.nn.functional.normalize(marks[outer] - marks[inner], dim=0)
        for angle in _FAN:
            turned = math.radians(angle + dice.number(-6, 6))
            way = math.cos(turned) * out_of_eye + math.sin(turned) * up
            ends = dice.number(5, 8), dice.number(18, 26)
            out.append(torch.stack([marks[outer] + end * way for end in ends]))
    return out


def _dense(line: Tensor) -> Tensor:
    """Points of a line of corners, evenly close."""
    lengths = (line[1:] - line[:-1]).norm(dim=-1)
    pieces = [
        begin + (end - begin) * torch.arange(count)[:, None] / count
        for begin, end, count in zip(
            line[:-1],
            line[1:],
            (lengths / _STEP).ceil().clamp(min=1).int().tolist(),
            strict=True,
        )
    ]
    return torch.cat([*pieces, line[-1:]])
