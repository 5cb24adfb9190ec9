"""How many people of crowds a network of parts finds, and how many that are nobody."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from morphface.landmarks.parts.find import SIDES, PartsFace, find_parts
from morphface.landmarks.parts.graph import FaceGraph, face_graph
from morphface.landmarks.parts.network import PartsNetwork
from morphface.synthetic.crowds.crowd import Crowd, Crowds

__all__ = ["COUNTED", "Hits", "hits_of", "validate"]

COUNTED = 5
"""Parts that must be seen of a person who counts as missed if not found."""
_CLOSE = 0.15
"""Mean distance of parts in heights of the face up to which a face is that person's."""
_CROWDS = 24


@dataclass(frozen=True)
class Hits:
    """What was found in some pictures.

    Args:
        people: how many could have been found.
        right: scores of faces that are one of them, each counted once.
        wrong: scores of faces that are nobody's.
    """

    people: int
    right: tuple[float, ...]
    wrong: tuple[float, ...]

    @property
    def recall(self) -> float:
        """Share of the people that were found."""
        return len(self.right) / max(self.people, 1)

    @property
    def surest_recall(self) -> float:
        """Share of the people whose score is above that of every wrong face."""
        most = max(self.wrong, default=-1.0)
        return sum(score > most for score in self.right) / max(self.people, 1)

    def __add__(self, other: "Hits") -> "Hits":
        """Of both together."""
        right, wrong = self.right + other.right, self.wrong + other.wrong
        return Hits(self.people + other.people, right, wrong)


def hits_of(
    found: Sequence[PartsFace], crowd: Crowd, graph: FaceGraph, which: np.ndarray | None = None
) -> Hits:
    """Whom of a crowd some faces are.

    A face of somebody of whom fewer than `COUNTED` parts are seen, or who is not meant, counts
    neither way.

    Args:
        found: the surest first.
        crowd: the truth.
        graph: whose parts are looked for.
        which: people who are meant; None means all.
    """
    if not len(crowd.points):
        return Hits(0, (), tuple(face.score for face in found))
    rows = list(graph.points)
    seen = crowd.visible[:, rows]
    meant = seen.sum(axis=1) >= COUNTED
    meant = meant if which is None else meant & which
    right, wrong, taken = [], [], set()
    for face in found:
        away = _distances(face, crowd.points[:, rows], seen, crowd.height)
        who = int(away.argmin())
        if away[who] > _CLOSE or who in taken:
            wrong.append(face.score)
            continue
        taken.add(who)
        if meant[who]:
            right.append(face.score)
    return Hits(int(meant.sum()), tuple(right), tuple(wrong))


def _distances(
    face: PartsFace, points: np.ndarray, seen: np.ndarray, height: np.ndarray
) -> Float[np.ndarray, " N"]:
    """Mean distance of a face's parts from those of each person, in heights of the person's."""
    there = (face.confidence > 0) & seen
    away = np.linalg.norm(np.nan_to_num(face.points) - points, axis=-1)
    count = there.sum(axis=1)
    mean = np.where(there, away, 0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count >= 3, mean / height, np.inf)


def validate(network: PartsNetwork, crowds: Crowds, count: int = _CROWDS) -> dict[str, float]:
    """Shares of people found, at the thresholds and above every wrong face, and wrong faces.

    Args:
        network: trained.
        crowds: of people that it has not seen.
        count: of pictures.
    """
    total = Hits(0, (), ())
    graph = face_graph(network.config.graph)
    for number in range(count):
        crowd = crowds.crowd(number)
        total += hits_of(find_parts(crowd.picture, network, sides=SIDES[:1]), crowd, graph)
    return {
        "recall": round(total.recall, 4),
        "surest_recall": round(total.surest_recall, 4),
        "wrong_a_picture": round(len(total.wrong) / count, 4),
    }
