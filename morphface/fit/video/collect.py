"""From a stream of tracked frames to one track for each person."""

import math
from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import NoFaceError, ParameterError
from morphface.fit.verdict.people import PersonMeasures, lost_nearby, person_quality
from morphface.fit.video.person import Person
from morphface.fit.video.result import TrackedFace, TrackedFrame
from morphface.landmarks.boxes import Box
from morphface.parameters import LOST, FaceParameters, Reason, Track

__all__ = ["TrackCollector", "track_people"]

_SHAPES = {"illumination": (9, 3), "rotation": (3,), "translation": (3,), "gaze": (2, 2)}
_REST = 8  # entries after the parameters: state, landmark error, box, reason, blind
_Row = Float[np.ndarray, " K"]


class TrackCollector:
    """Keeps the parameters of everybody, some hundred numbers a frame, and no pictures.

    Somebody who appears late is lost in the frames before, with the parameters of the first frame
    that shows them.
    """

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self._rows: dict[int, list[_Row]] = {}
        self._times: list[float] = []
        self._indices: list[int] = []
        self._shots: list[int] = []

    @property
    def frames(self) -> int:
        """How many frames were added."""
        return len(self._times)

    def add(self, tracked: TrackedFrame) -> None:
        """The next frame."""
        for face in tracked.faces:
            rows = self._rows.setdefault(face.number, [])
            row = _row(face)
            rows += [_before(row)] * (self.frames - len(rows))
            rows.append(row)
            self.people[face.number] = face.person
        self._times.append(tracked.frame.time)
        self._indices.append(tracked.frame.index)
        self._shots.append(tracked.shot)

    def gaps(self, number: int) -> list[range]:
        """Runs of frames in which a person is lost and after which they are seen, in one shot.

        Args:
            number: of the person.
        """
        states = [row[-_REST] for row in self._rows[number]]
        found, begin = [], 0
        for k, state in enumerate(states):
            if k and self._shots[k] != self._shots[k - 1]:
                begin = k
            if state == LOST:
                continue
            if k > begin:
                found.append(range(begin, k))
            begin = k + 1
        return found

    def occupied(self, number: int, row: int) -> list[Box]:
        """The boxes of the other people in a frame.

        Args:
            number: of the person who is not meant.
            row: of the frame, from 0.
        """
        rows = [rows[row] for other, rows in self._rows.items() if other != number]
        return [tuple(one[2 - _REST : 6 - _REST].tolist()) for one in rows if one[-_REST] != LOST]

    def replace(self, number: int, row: int, face: TrackedFace) -> None:
        """Another look at a frame found a person that was lost in it.

        Args:
            number: of the person.
            row: of the frame, from 0.
            face: what was found.
        """
        self._rows[number][row] = _row(face)

    def seen(self) -> list[int]:
        """The numbers of those who are seen in some frame."""
        return [
            number
            for number in sorted(self.people)
            if any(row[-_REST] != LOST for row in self._rows[number])
        ]

    def tracks(self) -> dict[int, Track]:
        """The track of each person who is seen, by number.

        Raises:
            NoFaceError: nobody is; the message says why, as far as that is known.
        """
        seen = self.seen()
        if self.people and not seen:
            track = self.track(min(self.people))
            why = next(iter(track.why(LOST)), "unknown")
            raise NoFaceError(
                f"nobody could be tracked in {self.frames} frames, though a face is in some: "
                f"{why}; use a video that shows the face larger, brighter, or for longer"
            )
        return {number: self.track(number) for number in seen or [0]}

    def track(self, number: int = 0) -> Track:
        """The track of one person.

        Args:
            number: of the person.

        Raises:
            ParameterError: there is nobody of that number.
            NoFaceError: nobody was found in the video.
        """
        if not self.people:
            raise NoFaceError(
                f"no face was found in {self.frames} frames that could be fitted; use a video in "
                "which both eyes are seen and the face is at least 40 pixels large"
            )
        if number not in self.people:
            raise ParameterError(
                f"there is no person {number}: {len(self.people)} were found, counted from 0"
            )
        person, rows = self.people[number], _from_sight(self._rows[number])
        parameters, rest = _unpacked(torch.from_numpy(np.stack(rows)))
        return Track(
            parameters=FaceParameters(
                identity=person.identity, reflectance=person.reflectance, **parameters
            ),
            camera=person.camera,
            states=rest[:, 0].long(),
            times=torch.tensor(self._times, dtype=torch.float64),
            indices=torch.tensor(self._indices),
            landmark_nme=rest[:, 1],
            boxes=rest[:, 2:6],
            reasons=rest[:, 6].long(),
            quality=self._quality(person, rest),
        )

    def measures(self, number: int) -> PersonMeasures:
        """What is known of somebody who is seen; the track's quality is made of it.

        Args:
            number: of the person.
        """
        rows = torch.from_numpy(np.stack(self._rows[number]))
        return self._measures(self.people[number], rows[:, -_REST:])

    def _measures(self, person: Person, rest: Float[Tensor, "T 8"]) -> PersonMeasures:
        lost = rest[:, 0] == LOST
        times = torch.tensor(self._times, dtype=torch.float64)
        return PersonMeasures(
            usual=person.nme,
            blind=float(rest[~lost, 7].mean()),
            lost=lost_nearby(lost, times, torch.tensor(self._shots)),
        )

    def _quality(self, person: Person, rest: Float[Tensor, "T 8"]) -> float | None:
        """The share that is right; None of tracks by landmarks, of which that is not known."""
        if not person.compared or bool((rest[:, 0] == LOST).all()):
            return None
        return person_quality(self._measures(person, rest))


def track_people(frames: Iterable[TrackedFrame]) -> dict[int, Track]:
    """The track of each person, by number.

    Args:
        frames: from `fit_video`.
    """
    collector = TrackCollector()
    for frame in frames:
        collector.add(frame)
    return collector.tracks() if collector.seen() else {}


def _row(face: TrackedFace) -> _Row:
    """One frame in one row: expression, the other groups, and the rest."""
    parts = [getattr(face.parameters, name)[0].flatten() for name in ("expression", *_SHAPES)]
    rest = [face.state, face.landmark_nme, *face.box, face.reason, _blind(face)]
    parts.append(torch.tensor(rest))
    return torch.cat(parts).numpy().copy()


def _blind(face: TrackedFace) -> float:
    """1 where pixels had no say, 0 where they had; NaN where the person is lost."""
    if not face.seen:
        return math.nan
    return float(face.reason == Reason.COLOURS or math.isnan(face.photometric_rmse))


def _unpacked(rows: Float[Tensor, "T K"]) -> tuple[dict[str, Tensor], Float[Tensor, "T 8"]]:
    """The groups of parameters in rows, and what comes after them."""
    widths = [math.prod(shape) for shape in _SHAPES.values()]
    expression = rows.shape[1] - sum(widths) - _REST
    first, *groups, rest = rows.split([expression, *widths, _REST], dim=1)
    named = zip(_SHAPES.items(), groups, strict=True)
    return {"expression": first} | {n: part.unflatten(1, s) for (n, s), part in named}, rest


def _before(row: _Row) -> _Row:
    """A frame before the first of somebody."""
    out = row.copy()
    out[-_REST:] = [LOST, *[math.nan] * (_REST - 3), Reason.NO_FACE, math.nan]
    return out


def _from_sight(rows: list[_Row]) -> list[_Row]:
    """The rows; those before the person is first seen have the parameters of that frame."""
    first = next((k for k, row in enumerate(rows) if row[-_REST] != LOST), None)
    if first is None:
        return rows
    return [_before(rows[first])] * first + rows[first:]
