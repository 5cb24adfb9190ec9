"""Plain tables: parameters and landmarks as CSV whose columns say their names and units."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.core.files import atomic_write
from morphface.exchange.clip import Clip
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["parameter_table", "write_landmark_table", "write_parameter_table"]

_SCHEMES = ("478", "68")
_AXES = ("x", "y", "z")
_COLOURS = ("red", "green", "blue")


def write_parameter_table(path: str | Path, clip: Clip) -> None:
    """Write parameters, a row a frame; each column says its name and, in brackets, its unit.

    Identity and reflectance are the same in all rows. Yaw, pitch and roll are another way to say
    the rotation.

    Args:
        path: the file to write or replace.
        clip: whose parameters.

    Raises:
        OutputError: the file cannot be written there.
    """
    names, values = parameter_table(clip.model, clip.parameters, clip.camera)
    rows = ((*_frame(clip, k), *_cells(values[k])) for k in range(clip.frames))
    _write(path, ("frame", "time [s]", "seen", *names), rows)


def parameter_table(
    model: MorphableModel, face: FaceParameters, camera: Camera
) -> tuple[list[str], Float[Tensor, "T N"]]:
    """All parameters as columns with names and units, a row a frame.

    Args:
        model: that they belong to.
        face: the parameters.
        camera: one for all frames.
    """
    angles = torch.rad2deg(rotvec_to_angles(face.rotation))
    groups: list[tuple[list[str], Tensor]] = [
        ([f"{name} [degrees]" for name in ("yaw", "pitch", "roll")], angles),
        ([f"rotation_{axis} [radians]" for axis in _AXES], face.rotation),
        ([f"translation_{axis} [mm]" for axis in _AXES], face.translation),
        (
            [f"gaze_{s}_{a} [radians]" for s in ("left", "right") for a in ("yaw", "pitch")],
            face.gaze.flatten(1),
        ),
        (_expressions(model, face.expression.shape[1]), face.expression),
        (_numbered("identity", face.identity.shape[1]), face.identity),
        (_numbered("reflectance", face.reflectance.shape[1]), face.reflectance),
        (
            [f"illumination_{k}_{colour}" for k in range(9) for colour in _COLOURS],
            face.illumination.flatten(1),
        ),
        (
            ["focal [pixels]", "principal_x [pixels]", "principal_y [pixels]"],
            torch.cat([camera.focal.reshape(1), camera.principal.reshape(2)])[None],
        ),
    ]
    names = [name for group, _ in groups for name in group]
    values = torch.cat([rows.expand(face.frames, -1) for _, rows in groups], dim=1)
    return names, values


def write_landmark_table(path: str | Path, clip: Clip, *, scheme: str | None = None) -> None:
    """Write where the landmarks of the fitted face are, a row for each point of each frame.

    Pixels count from the upper left corner of the picture; the depth is the distance from the
    camera along its axis. The last three columns are the place in the model frame.

    Args:
        path: the file to write or replace.
        clip: whose landmarks.
        scheme: which points; None: 478, or 68 where the model has no others.

    Raises:
        ModelError: the model has no landmarks, or none of that scheme.
        OutputError: the file cannot be written there.
    """
    chosen = scheme or next((name for name in _SCHEMES if name in clip.model.landmarks), None)
    if chosen is None:
        raise ModelError(
            f"model {clip.model.name!r} has no landmarks: run morphface models embed on it first"
        )
    names = ("frame", "time [s]", "seen", "scheme", "landmark", "x [pixels]", "y [pixels]")
    ends = ("depth [mm]", *(f"model_{axis} [mm]" for axis in _AXES))
    _write(path, (*names, *ends), _points(clip, chosen))


def _points(clip: Clip, scheme: str) -> Iterator[Sequence[object]]:
    embedding = clip.model.landmark_embedding(scheme)
    for k in range(clip.frames):
        screen = clip.camera.project(embedding.points(clip.vertices_in_camera(k)))
        both = torch.cat([screen, embedding.points(clip.vertices(k))], dim=1)
        for number, row in enumerate(both):
            yield (*_frame(clip, k), scheme, number, *(f"{value:.4f}" for value in row.tolist()))


def _frame(clip: Clip, k: int) -> tuple[int, str, int]:
    return int(clip.indices[k]), f"{float(clip.times[k]):.6f}", int(clip.seen[k])


def _cells(values: Float[Tensor, " N"]) -> Iterator[str]:
    """Nine digits, with which single precision is exact."""
    return (f"{value:.9g}" for value in values.tolist())


def _expressions(model: MorphableModel, count: int) -> list[str]:
    """With units: weights are bounded, coefficients are not, and rotations are radians."""
    turns = len(model.expression.names) - getattr(getattr(model, "rig", None), "turns", 0)
    units = []
    for k, (name, bounds) in enumerate(
        zip(model.expression.names, model.expression.bounds, strict=True)
    ):
        bounded = "weight" if bool(bounds.isfinite().all()) else "standard deviations"
        units.append(f"{name} [{bounded if k < turns else 'radians'}]")
    return units[:count]


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name}_{k} [standard deviations]" for k in range(count)]


def _write(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
