"""Everybody in a video: which face of a frame is whose.

Faces go to the people who were there by the overlap of boxes, and by identity where boxes leave
doubt; the rest go to people who are lost by identity and place. Both are assignments at the least
total cost (the Hungarian method).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.optimize import linear_sum_assignment

from morphface.fit.linear import fit_linear
from morphface.fit.video.actor import Actor
from morphface.fit.video.looks import STRANGER, Likeness, likeness_of
from morphface.fit.video.result import TrackedFace
from morphface.fit.video.watch import Seen
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import Box, area, overlap
from morphface.models import MorphableModel
from morphface.parameters import Reason

__all__ = ["Cast"]

_NEVER = 1e3
_APART = 0.05  # overlap below which a face is somebody else, or somewhere else
_FOLLOWED = 0.3  # what it counts that the same follower saw the person before
_LIKENESS = 0.15  # what a standard deviation of identity counts against the overlap of boxes
_PATIENCE = 25  # frames after which a face that gave no person is looked at again
_NEAR = 0.05  # what it counts against being somebody to be away by the size of the face ...
_FAR = 10.0  # ... up to so many sizes
_PLACE = 0.2  # overlap from which a face is where the person was lost in the same shot, ...
_THERE = 0.5  # ... by which its being unlike is multiplied


class Cast:
    """The people of a video.

    Args:
        model: of all people.
        limit: the most people there are.
    """

    def __init__(self, model: MorphableModel, limit: int) -> None:
        self._model, self._limit = model, limit
        self.actors: list[Actor] = []
        self._strangers: dict[int, int] = {}

    @property
    def full(self) -> bool:
        """Whether nobody else can be admitted."""
        return len(self.actors) >= self._limit

    def admit(self, actor: Actor) -> None:
        """Somebody new."""
        self.actors.append(actor)

    def refuse(self, source: int) -> None:
        """What this follower sees is no face of a person, as far as the next frames show."""
        self._strangers[source] = _PATIENCE

    def known(self, likeness: Likeness) -> Actor | None:
        """Who of those that are away looks like this; None if nobody does.

        Args:
            likeness: of somebody, over several frames.
        """
        away = [actor for actor in self.actors if not actor.active]
        best = min(away, key=lambda actor: actor.likeness.distance(likeness), default=None)
        return best if best and best.likeness.distance(likeness) < STRANGER else None

    def newcomers(self, seen: Seen) -> list[int]:
        """Which faces of a frame are of people whom nobody knows yet."""
        if seen.cut:
            for actor in self.actors:
                actor.forget()
        if self.full:
            return []
        self._strangers = {k: left - 1 for k, left in self._strangers.items() if left > 1}
        taken = set(self._assign(seen).values())
        return [
            index
            for index, source in enumerate(seen.sources)
            if index not in taken and source not in self._strangers
        ]

    def play(self, seen: Seen) -> tuple[TrackedFace, ...]:
        """Everybody in a frame."""
        chosen, looks = self._assign(seen), _Looks(self._model, seen, self.actors)
        out = []
        for number, actor in enumerate(self.actors):
            face = None
            actor.reason = Reason.ANOTHER if len(seen.faces) > len(chosen) else Reason.NO_FACE
            if number in chosen:
                index = chosen[number]
                stranger = partial(looks.strange, number, index)
                face = actor.track(seen.frame, seen.faces[index], seen.sources[index], stranger)
            out.append(actor.miss(seen.frame) if face is None else face)
        return tuple(out)

    def _assign(self, seen: Seen) -> dict[int, int]:
        """For each person who is there, which face of the frame is theirs."""
        here = [number for number, actor in enumerate(self.actors) if actor.active]
        looks = _Looks(self._model, seen, self.actors)
        chosen = _cheapest(
            {
                (number, index): _moving_cost(self.actors[number], seen, index, looks)
                for number in here
                for index in range(len(seen.faces))
            },
            limit=1 + _LIKENESS * STRANGER,
        )
        away = [number for number in range(len(self.actors)) if number not in here]
        left = [i for i in range(len(seen.faces)) if i not in chosen.values()]
        chosen |= _cheapest(
            {
                (number, index): _return_cost(self.actors[number], seen, index, looks)
                for number in away
                for index in left
            },
            limit=STRANGER,
        )
        return chosen


def _moving_cost(actor: Actor, seen: Seen, index: int, looks: "_Looks") -> float:
    """What it costs that a face is that of somebody who was there."""
    shared = overlap(actor.box, seen.faces[index].box)
    if shared < _APART:
        return _NEVER
    cost = 1 - shared - _FOLLOWED * (actor.source == seen.sources[index])
    rivals = sum(overlap(other.box, seen.faces[index].box) > _APART for other in looks.here)
    if rivals > 1:
        cost += _LIKENESS * looks.distance(looks.actors.index(actor), index)
    return cost


def _return_cost(actor: Actor, seen: Seen, index: int, looks: "_Looks") -> float:
    """What it costs that a face is that of somebody who is away."""
    unlike = looks.distance(looks.actors.index(actor), index)
    if not np.isfinite(actor.box).all() or actor.source < 0:
        return unlike
    face = seen.faces[index].box
    if overlap(actor.box, face) > _PLACE:
        return unlike * _THERE
    return unlike + _NEAR * min(_distance(actor.box, face), _FAR)


def _distance(a: Box, b: Box) -> float:
    """Of the middles of boxes, in sizes of the first."""
    x = (a[0] + a[2] - b[0] - b[2]) / 2
    y = (a[1] + a[3] - b[1] - b[3]) / 2
    return float(np.hypot(x, y) / max(area(a), 1e-9) ** 0.5)


def _cheapest(costs: dict[tuple[int, int], float], limit: float) -> dict[int, int]:
    """The assignment of least total cost, without pairs at the limit."""
    if not costs:
        return {}
    rows = sorted({row for row, _ in costs})
    columns = sorted({column for _, column in costs})
    matrix = np.array([[costs[row, column] for column in columns] for row in rows])
    pairs = zip(*linear_sum_assignment(np.minimum(matrix, _NEVER)), strict=True)
    return {rows[i]: columns[j] for i, j in pairs if matrix[i, j] < limit}


class _Looks:
    """Looks of the faces of a frame, found when they are asked for."""

    def __init__(self, model: MorphableModel, seen: Seen, actors: Sequence[Actor]) -> None:
        self._model, self._seen, self.actors = model, seen, actors
        self.here = [actor for actor in actors if actor.active]
        self._known: dict[int, Likeness] = {}

    def distance(self, number: int, index: int) -> float:
        """How unlike a person a face is."""
        if index not in self._known:
            self._known[index] = self._look(self._seen.faces[index])
        return self.actors[number].likeness.distance(self._known[index])

    def strange(self, number: int, index: int) -> bool:
        """Whether a face is somebody else's than this person's."""
        return self.distance(number, index) > STRANGER

    def _look(self, face: Landmarks) -> Likeness:
        photo, first = self._seen.frame.photo, self.actors[0]
        focal, camera = float(first.person.camera.focal), first.settings.camera
        fit = fit_linear(self._model, face, size=photo.size, focal=focal, camera=camera)
        return likeness_of(photo, face, fit)
