"""How far a result is from its reference: every measure that applies, each with its convention."""

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import (
    MissingDependencyError,
    MissingFileError,
    NoFaceError,
    ParameterError,
)
from morphface.core.files import atomic_write
from morphface.evaluate import Score
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.parameters.archive import library_versions
from morphface.pipelines.actors import file_of, is_parameters, model_of
from morphface.pipelines.evaluate.clips import Clip, counted, pairs
from morphface.pipelines.evaluate.faces import Faces, find_faces, read_faces, score_faces
from morphface.pipelines.evaluate.networks import find_networks
from morphface.pipelines.evaluate.pictures import Looks, score_pictures
from morphface.pipelines.photo import Progress

__all__ = ["MASKS", "Evaluation", "Wishes", "evaluate_files"]

MASKS = ("face",)
_SLACK = 2  # frames by which a video may have more or fewer than its file says


@dataclass(frozen=True)
class Wishes:
    """How to compare.

    Args:
        track: find the faces of pictures and compare their parameters, too.
        mask: "face" lets only pixels of the reference's face count; None lets all.
        shorter: compare as many frames as the shorter one has.
        resize: scale the larger pictures to the size of the smaller ones.
        model: name or path of the model that faces are found with.
        lpips_weights: path of torchvision's AlexNet; None looks in the caches.
        lpips_channels: path of LPIPS' own weights; None looks there and in the package `lpips`.
        sface: path of the network of CSIM; None looks in the folder of models.

    Raises:
        ParameterError: there is no such mask.
    """

    track: bool = False
    mask: str | None = None
    shorter: bool = False
    resize: bool = False
    model: str | None = None
    lpips_weights: str | Path | None = None
    lpips_channels: str | Path | None = None
    sface: str | Path | None = None

    def __post_init__(self) -> None:
        if self.mask not in (None, *MASKS):
            raise ParameterError(f"mask must be one of {', '.join(MASKS)}, got {self.mask!r}")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured.

    Args:
        result: path of what was made.
        reference: path of what it should be.
        scores: one for each measure.
        notes: what was left out, and why.
    """

    result: str
    reference: str
    scores: tuple[Score, ...]
    notes: tuple[str, ...]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """A table: measure, value, unit, which way is better, what is missing, convention."""
        for score in self.scores:
            m = score.measure
            unit = m.unit or "-"
            remark = score.remark or "-"
            yield m.name, f"{score.mean:.4g}", unit, f"{m.better} is better", remark, m.convention

    def to_json(self) -> str:
        """All of it as text; values that are not finite are null."""
        values: dict[str, Any] = {
            "result": self.result,
            "reference": self.reference,
            "scores": [_plain(score) for score in self.scores],
            "notes": list(self.notes),
            "versions": library_versions(),
        }
        return json.dumps(values, indent=2, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> None:
        """Write `to_json` to a file.

        Raises:
            OutputError: it cannot be written there.
        """
        with atomic_write(path) as temporary:
            temporary.write_text(self.to_json(), encoding="utf-8")


def evaluate_files(
    result: str | Path,
    reference: str | Path,
    *,
    wishes: Wishes | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare two files, frame by frame.

    Args:
        result: what was made: a video, a folder of pictures, a picture, or parameters (`.npz`).
        reference: what it should be, likewise. If one holds parameters, only these are compared,
            and the faces of the other are found.
        wishes: how to compare; None takes the defaults.
        progress: is told what begins now.

    Raises:
        ParameterError: the two differ in length, in size or in model.
        NoFaceError: only faces can be compared, and there are none.
        MorphfaceError: the subclass and its message say what is wrong with a file.
    """
    tell = progress or (lambda _: None)
    paths = file_of(result), file_of(reference)
    return _Run(paths, wishes or Wishes(), tell).make()


class _Run:
    """Two files while they are compared."""

    def __init__(self, paths: tuple[str, str], wishes: Wishes, tell: Progress) -> None:
        self.paths, self.wishes, self.tell = paths, wishes, tell
        self.notes: list[str] = []
        models = [model_of(path) for path in paths if is_parameters(path)]
        self.model = wishes.model or next((name for name in models if name), "open-head")
        self.clips = [None if is_parameters(path) else Clip(path) for path in paths]
        self.faces: list[Faces | None] = [
            read_faces(path, wishes.model) if is_parameters(path) else None for path in paths
        ]
        self._check_lengths()

    def make(self) -> Evaluation:
        """Compare them."""
        one, other = self.clips
        scores: list[Score] = []
        if one is not None and other is not None:
            size = self._common_size(one, other)
            if self.wishes.track:
                self._find(one, other)
            if size is not None:
                scores += self._pictures(one, other, size)
        elif self.wishes.mask:
            raise ParameterError("mask needs pictures on both sides, one side holds parameters")
        else:
            self._find_missing()
        scores += self._parameters()
        return Evaluation(*self.paths, tuple(scores), tuple(self.notes))

    def _check_lengths(self) -> None:
        """Refuse at once what would be refused after all work."""
        counts = [
            faces.frames if faces else clip.frames if clip else None
            for faces, clip in zip(self.faces, self.clips, strict=True)
        ]
        if self.wishes.shorter or counts[0] is None or counts[1] is None:
            return
        exact = all(clip is None or clip.video is None for clip in self.clips)
        if abs(counts[0] - counts[1]) > (0 if exact else _SLACK):
            rates = [clip.video.rate for clip in self.clips if clip and clip.video]
            shown = f" ({rates[0]:.4g} and {rates[1]:.4g} a second)" if len(rates) == 2 else ""
            raise ParameterError(
                f"{self.paths[0]} has {counted(counts[0])}, {self.paths[1]} {counts[1]}{shown}; "
                "give --shorter to compare as many frames as both have"
            )

    def _common_size(self, one: Clip, other: Clip) -> tuple[int, int] | None:
        """The size at which pictures are compared; None if only their faces are."""
        if one.size == other.size:
            return one.size
        small, large = sorted((one.size, other.size), key=math.prod)
        alike = abs(small[0] * large[1] / (small[1] * large[0]) - 1) < 0.01
        if self.wishes.resize and alike:
            self.notes.append(f"pictures were compared at {small[1]} x {small[0]} pixels")
            return small
        words = " and ".join(
            f"{clip.path} {clip.size[1]} x {clip.size[0]}" for clip in (one, other)
        )
        if self.wishes.track and not self.wishes.mask:
            self.notes.append(f"pictures were not compared, they differ in size: {words}")
            return None
        way = "give --resize to scale the larger one" if alike else "crop them alike"
        raise ParameterError(
            f"pictures must have one size to be compared, got {words} pixels; {way}, or --track "
            "to compare the faces alone"
        )

    def _find(self, *clips: Clip) -> None:
        """The faces of pictures; a side without any has none."""
        for side, clip in enumerate(clips):
            try:
                self.faces[side] = find_faces(clip, self.model, self.tell)
            except NoFaceError as error:
                self._note(str(error) if clip.path in str(error) else f"{clip.path}: {error}")

    def _note(self, words: str) -> None:
        if words not in self.notes:  # a file may be compared with itself
            self.notes.append(words)

    def _find_missing(self) -> None:
        for side, clip in enumerate(self.clips):
            if clip is not None:
                self.faces[side] = find_faces(clip, self.model, self.tell)

    def _pictures(self, one: Clip, other: Clip, size: tuple[int, int]) -> list[Score]:
        if self.wishes.mask and self.faces[1] is None:
            if self.wishes.track:  # then it was looked for
                raise NoFaceError(f"{other.path} shows no face to mask; leave --mask out")
            self.faces[1] = find_faces(other, self.model, self.tell)
        with ExitStack() as stack:
            faces = self.faces[1]
            if faces is not None and faces.camera.size != size:
                self.notes.append("the warping error is left out: pictures were scaled")
                faces = None
                if self.wishes.mask:
                    raise ParameterError(
                        "mask needs a reference that is not scaled; make it smaller"
                    )
            networks = find_networks(
                self._note,
                lpips=(self.wishes.lpips_weights, self.wishes.lpips_channels),
                sface=self.wishes.sface,
            )
            looks = Looks(
                size, networks, self._detector(stack), faces, masked=bool(self.wishes.mask)
            )
            frames = pairs(one, other, shorter=self.wishes.shorter)
            scores = score_pictures(frames, looks, lambda n: self.tell(f"comparing frame {n}"))
        for clip in (one, other):
            if clip.video is not None and clip.video.truncated:
                self._note(f"{clip.path} is cut off or damaged at its end")
        rates = [clip.video.rate for clip in (one, other) if clip.video is not None]
        if len(rates) == 2 and abs(rates[0] / rates[1] - 1) > 0.01:
            self.notes.append(
                f"frames were compared by their numbers, though there are {rates[0]:.4g} a second "
                f"and {rates[1]:.4g}"
            )
        if not self.wishes.track:
            self.notes.append("--track adds measures of parameters and the warping error")
        return scores

    def _parameters(self) -> list[Score]:
        one, other = self.faces
        if one is None or other is None:
            return []
        if self.wishes.shorter:
            count = min(one.frames, other.frames)
            one, other = one.first(count), other.first(count)
        return score_faces(one, other)

    def _detector(self, stack: ExitStack) -> MediaPipeDetector | None:
        try:
            detector = stack.enter_context(MediaPipeDetector())
            detector.detect(Photo(torch.zeros(64, 64, 3)))
        except (MissingDependencyError, MissingFileError) as error:
            self.notes.append(f"AKD, jitter and CSIM are left out: {error}")
            return None
        return detector


def _plain(score: Score) -> dict[str, Any]:
    measure = score.measure
    return {
        "name": measure.name,
        "value": _finite(score.mean),
        "unit": measure.unit,
        "better": measure.better,
        "convention": measure.convention,
        "frames": len(score.values),
        "missing": score.missing,
        "equal": score.infinite,
        "values": [_finite(value) for value in score.values.tolist()],
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
