"""From a stream of tracked frames to one track for each person."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from morphface.core.errors import NoFaceError, ParameterError
from morphface.fit.video.person import Person
from morphface.fit.video.result import TrackedFace, TrackedFrame
from morphface.parameters import LOST, FaceParameters, Track

__all__ = ["TrackCollector", "track_people"]

_GROUPS = ("expression", "illumination", "rotation", "translation", "gaze")
_Row = dict[str, Tensor]


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
                f"no face was found in {self.frames} frames; use a video in which both eyes are "
                "seen and the face is at least 40 pixels large"
            )
        if number not in self.people:
            raise ParameterError(
                f"there is no person {number}: {len(self.people)} were found, counted from 0"
            )
        person, rows = self.people[number], _from_sight(self._rows[number])
        joined = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        return Track(
            parameters=FaceParameters(
                identity=person.identity,
                reflectance=person.reflectance,
                **{name: joined[name] for name in _GROUPS},
            ),
            camera=person.camera,
            states=joined["state"],
            times=torch.tensor(self._times, dtype=torch.float64),
            indices=torch.tensor(self._indices),
            landmark_nme=joined["nme"],
            boxes=joined["box"],
        )


def track_people(frames: Iterable[TrackedFrame]) -> dict[int, Track]:
    """The track of each person, by number.

    Args:
        frames: from `fit_video`.
    """
    collector = TrackCollector()
    for frame in frames:
        collector.add(frame)
    return {number: collector.track(number) for number in sorted(collector.people)}


def _row(face: TrackedFace) -> _Row:
    row = {name: getattr(face.parameters, name)[0] for name in _GROUPS}
    row["state"] = torch.tensor(face.state)
    row["nme"] = torch.tensor(face.landmark_nme)
    row["box"] = torch.tensor(face.box)
    return row


def _before(row: _Row) -> _Row:
    """A frame before the first of somebody."""
    nothing = {"state": torch.tensor(LOST), "nme": torch.tensor(math.nan)}
    return row | nothing | {"box": torch.full((4,), math.nan)}


def _from_sight(rows: list[_Row]) -> list[_Row]:
    """The rows; those before the person is first seen have the parameters of that frame."""
    first = next((row for row in rows if int(row["state"]) != LOST), None)
    if first is None:
        return rows
    count = next(k for k, row in enumerate(rows) if row is first)
    return [_before(first)] * count + rows[count:]
