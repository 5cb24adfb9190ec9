"""One person through a video, and the file that holds it.

Format "morphface track", version 2: an `.npz` file with the arrays of `parameters/io.py` and
`states`, `times`, `indices`, `landmark_nme` and `boxes`, one row for each frame that was looked
at; and, where they are known, `reasons`, the number `quality` and, for each kind of warning that
there is, `warning_NAME` with its number, NaN in frames without it. Version 1 did not say
`model_revision` in its header. A version that was ever released stays readable.
"""

from collections import Counter
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.display import Displayed
from morphface.core.errors import MorphfaceError, ParameterError, ShapeError
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.parameters.archive import (
    check_suffix,
    read_entries,
    read_header,
    to_array,
    to_tensor,
    write_entries,
)
from morphface.parameters.face import FaceParameters
from morphface.parameters.io import face_entries, face_of, new_header
from morphface.parameters.upgrade import upgraded

__all__ = [
    "LOST",
    "PREDICTED",
    "REASONS",
    "STATES",
    "TRACKED",
    "Reason",
    "Track",
    "load_track",
    "save_track",
]

TRACKED, PREDICTED, LOST = 0, 1, 2
STATES = ("tracked", "predicted", "lost")
"""Names of the states, by number."""


class Reason(IntEnum):
    """Why a person is lost in a frame; of one that is seen, what is odd about it."""

    NOTHING = 0
    NO_FACE = 1
    LANDMARKS = 2
    NO_LIKENESS = 3
    ANOTHER = 4
    COLOURS = 5
    REFUSED = 6


REASONS = (
    "",
    "no face was found there",
    "landmarks do not fit the person",
    "what is there does not look like a face",
    "it is another person",
    "colours are unexplained",
    "it has a warning that is refused",
)
"""The reasons in words, by number."""

FORMAT = "morphface track"
VERSION = 2
KIND = "track file; `morphface track` and save_track write such files"
_NUMBERS = ("landmark_nme", "boxes")
_OWN = ("states", "times", "indices", *_NUMBERS)
_WARNING = "warning_"


@dataclass(frozen=True, eq=False)
class Track(Record, Displayed):
    """One person in T frames of a video.

    Args:
        parameters: of all frames. Those of a frame in which the person is lost are where they
            were seen last, or first.
        camera: one for all frames.
        states: of each frame, TRACKED (measured in it), PREDICTED (carried on by its motion, the
            pixels agree) or LOST.
        times: of each frame in the video, in seconds.
        indices: number of each frame in the video, from 0, rising.
        landmark_nme: landmark error as in `FitResult`; NaN where no landmarks were found.
        boxes: left, top, right and bottom of the face in pixels; NaN where it is lost.
        reasons: why the person is lost in each frame, or what is odd about it, see `Reason`; None
            where that is not known.
        warnings: the number of each kind of warning in each frame, NaN in frames without it; None
            where nobody judged.
        quality: the share of the frames in which the person is seen that is right, 0 to 1, as far
            as what is known of the person tells; None where that is not known. It says nothing of
            single frames, and parts of a track have that of the whole.

    Raises:
        ShapeError: the frames differ in number.
        ParameterError: a state is unknown, times are not finite, indices do not rise, or quality
            is no share.
    """

    parameters: FaceParameters
    camera: Camera
    states: Int[Tensor, " T"]
    times: Float[Tensor, " T"]
    indices: Int[Tensor, " T"]
    landmark_nme: Float[Tensor, " T"]
    boxes: Float[Tensor, "T 4"]
    reasons: Int[Tensor, " T"] | None = None
    warnings: dict[str, Float[Tensor, " T"]] | None = None
    quality: float | None = None

    def __post_init__(self) -> None:
        frames = self.parameters.frames
        for name in ("states", "times", "indices", "landmark_nme"):
            _check_rows(name, getattr(self, name), frames)
        _check_rows("boxes", self.boxes, frames, 4)
        if self.reasons is not None:
            _check_rows("reasons", self.reasons, frames)
            if not set(self.reasons.tolist()) <= set(Reason):
                raise ParameterError(f"reasons must be from 0 to {max(Reason)}")
        for name, numbers in _numbered(self.warnings).items():
            _check_rows(name, numbers, frames)
        if self.camera.focal.numel() != 1:
            raise ShapeError(
                f"camera must be one for all frames, got {self.camera.focal.numel()} cameras"
            )
        check_finite("times", self.times)
        if self.quality is not None and not 0 <= self.quality <= 1:
            raise ParameterError(f"quality must be from 0 to 1, got {self.quality:g}")
        unknown = sorted(set(self.states.tolist()) - {TRACKED, PREDICTED, LOST})
        if unknown:
            raise ParameterError(
                f"states must be {TRACKED}, {PREDICTED} or {LOST}, got {unknown[0]}"
            )
        if bool((self.indices.diff() <= 0).any()) or bool((self.indices < 0).any()):
            raise ParameterError("indices must be rising numbers of frames, from 0")

    @classmethod
    def unmeasured(
        cls,
        parameters: FaceParameters,
        camera: Camera,
        times: Float[Tensor, " T"],
        states: Int[Tensor, " T"] | None = None,
    ) -> "Track":
        """A track of consecutive frames that nobody has looked at: no landmarks, no boxes.

        Args:
            parameters: of all frames.
            camera: one for all frames.
            times: of each frame, in seconds.
            states: of each frame; None: TRACKED.
        """
        frames = parameters.frames
        nothing = torch.full((frames,), torch.nan)
        return cls(
            parameters,
            camera,
            states=torch.full((frames,), TRACKED) if states is None else states,
            times=times,
            indices=torch.arange(frames),
            landmark_nme=nothing,
            boxes=nothing[:, None].repeat(1, 4),
        )

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.parameters.frames

    def __getitem__(self, frames: int | slice) -> "Track":
        """One frame, or a range of frames."""
        rows = slice(frames, frames + 1 or None) if isinstance(frames, int) else frames
        warnings = self.warnings
        return replace(
            self,
            parameters=self.parameters[rows],
            reasons=None if self.reasons is None else self.reasons[rows],
            warnings=warnings and {name: values[rows] for name, values in warnings.items()},
            **{name: getattr(self, name)[rows] for name in _OWN},
        )

    def count(self, state: int) -> int:
        """How many frames are in a state."""
        return int((self.states == state).sum())

    def why(self, state: int) -> dict[str, int]:
        """How many frames in a state have each reason, in words, the most frequent first.

        Args:
            state: of the frames that are counted.
        """
        if self.reasons is None:
            return {}
        found = Counter(self.reasons[self.states == state].tolist())
        return {REASONS[reason]: count for reason, count in found.most_common() if reason}


def _numbered(warnings: dict[str, Float[Tensor, " T"]] | None) -> dict[str, Float[Tensor, " T"]]:
    """The arrays of warnings, by their names in a file."""
    return {_WARNING + name: values for name, values in (warnings or {}).items()}


def _check_rows(name: str, value: Tensor, frames: int, *rest: int) -> None:
    if value.ndim != 1 + len(rest):
        raise ShapeError(f"{name} must have {1 + len(rest)} axes, got {tuple(value.shape)}")
    check_shape(name, value, frames, *rest)


def save_track(
    path: str | Path, track: Track, *, model: str, extra: dict[str, Any] | None = None
) -> None:
    """Write `track` to an `.npz` file, whole or not at all.

    Args:
        path: the file to write or replace; its suffix must be `.npz`.
        track: of one person.
        model: name of the morphable model that the coefficients belong to.
        extra: what else the header shall hold; plain JSON values.

    Raises:
        ParameterError: the suffix is wrong.
        OutputError: the file cannot be written there.
    """
    check_suffix(path, "tracks are")
    entries = face_entries(track.parameters, track.camera)
    entries |= {name: to_array(getattr(track, name)) for name in _NUMBERS}
    entries |= {name: to_array(values) for name, values in _numbered(track.warnings).items()}
    if track.quality is not None:
        entries["quality"] = np.array(track.quality)
    entries["states"] = track.states.cpu().numpy().astype(np.uint8)
    if track.reasons is not None:
        entries["reasons"] = track.reasons.cpu().numpy().astype(np.uint8)
    entries["indices"] = track.indices.cpu().numpy().astype(np.int64)
    entries["times"] = track.times.cpu().numpy().astype(np.float64)
    write_entries(path, entries, new_header(FORMAT, VERSION, model, extra))


def load_track(path: str | Path) -> tuple[Track, dict[str, Any]]:
    """Read what `save_track` wrote: the track, and the header.

    A track of an older revision of the open head is converted, as in `load_parameters`.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: the file is of another kind, damaged, too large, made by a newer
            morphface, holds what no track can have, or cannot be converted.
    """
    entries = read_entries(Path(path), KIND)
    header = read_header(
        path, entries.pop("header", None), kind="track file", name=FORMAT, newest=VERSION
    )
    missing = sorted(set(_OWN) - set(entries))
    if missing:
        raise ParameterError(f"{path} lacks {', '.join(missing)}")
    parameters, camera = face_of(path, entries)
    parameters, header = upgraded(path, parameters, header)
    try:
        return Track(parameters, camera, **_own_of(entries)), header
    except MorphfaceError as error:
        raise ParameterError(f"{path} is not usable: {error}") from error


def _own_of(entries: dict[str, np.ndarray]) -> dict[str, Any]:
    """The arrays of a track that are not of its parameters or its camera."""
    out: dict[str, Any] = {name: to_tensor(name, entries[name]) for name in _NUMBERS}
    if entries["times"].dtype.kind != "f":
        raise ParameterError(
            f"times must hold floating-point numbers, got {entries['times'].dtype}"
        )
    out["times"] = torch.from_numpy(entries["times"].astype(np.float64))
    for name in ("states", "indices", *(("reasons",) if "reasons" in entries else ())):
        if entries[name].dtype.kind not in "iu":
            raise ParameterError(f"{name} must hold whole numbers, got {entries[name].dtype}")
        out[name] = torch.from_numpy(entries[name].astype(np.int64))
    names = [name for name in entries if name.startswith(_WARNING)]
    warnings = {name.removeprefix(_WARNING): to_tensor(name, entries[name]) for name in names}
    if "quality" in entries:
        quality = to_tensor("quality", entries["quality"])
        if quality.ndim:
            raise ShapeError(f"quality must be one number, got shape {tuple(quality.shape)}")
        out["quality"] = float(quality)
    return out | {"warnings": warnings or None}
