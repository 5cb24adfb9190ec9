"""How the mean head is turned to show some parts where they were found, and the face's box then.

Weak perspective: depths that nobody saw are taken from the head as it is turned so far, and the
similarity of Horn 1987 is solved again, from several first turns; the best one is kept.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["HeadPose", "head_pose"]

_FIRST = (-75.0, -25.0, 25.0, 75.0)
"""Yaws that are begun with, in degrees."""
_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Where the mean head is in the picture.

    Args:
        turn: rotation, head to camera.
        scale: pixels for a millimetre.
        middle: where the head's origin is, in pixels.
        error: mean distance of the parts from where they were found, in pixels.
    """

    turn: Float[np.ndarray, "3 3"]
    scale: float
    middle: Float[np.ndarray, "2"]
    error: float

    @property
    def yaw(self) -> float:
        """In radians; positive to the subject's left."""
        return float(np.arctan2(self.turn[0, 2], self.turn[2, 2]))

    def screen(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 2"]:
        """Where points of the head are seen, in pixels.

        Args:
            points: in millimetres, in the model frame.
        """
        return self.middle + self.scale * (points @ self.turn[:2].T) * [1, -1]


def head_pose(
    template: Float[np.ndarray, "P 3"],
    points: Float[np.ndarray, "P 2"],
    weight: Float[np.ndarray, " P"],
) -> HeadPose:
    """The turn of the mean head that shows its parts nearest to where they were found.

    Args:
        template: the parts in the model frame, in millimetres.
        points: where they were found, in pixels; what of parts without weight does not count.
        weight: of each part, at least three of them above 0.
    """
    there = weight > 0
    seen = points[there] * [1, -1]
    head, share = template[there].astype(np.float64), weight[there] / weight[there].sum()
    tries = [_settled(head, seen, share, np.deg2rad(yaw)) for yaw in _FIRST]
    turn, scale, middle, error = min(tries, key=lambda each: each[3])
    return HeadPose(turn, scale, middle * [1, -1], error)


_Found = tuple[Float[np.ndarray, "3 3"], float, Float[np.ndarray, "2"], float]


def _settled(
    head: Float[np.ndarray, "N 3"],
    seen: Float[np.ndarray, "N 2"],
    share: Float[np.ndarray, " N"],
    yaw: float,
) -> _Found:
    """From one first turn; y is up."""
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    near, far = share @ head, share @ seen
    centred, flat = head - near, seen - far
    scale = 0.0
    for _ in range(_ROUNDS):
        shown = centred @ turn.T
        size = (share * (shown[:, :2] ** 2).sum(1)).sum()
        scale = max(float((share * (shown[:, :2] * flat).sum(1)).sum() / max(size, 1e-9)), 1e-6)
        solid = np.c_[flat, scale * shown[:, 2]]
        u, _, v = np.linalg.svd((solid * share[:, None]).T @ centred)
        turn = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    shown = scale * (centred @ turn.T)[:, :2]
    error = float(share @ np.linalg.norm(shown - flat, axis=1))
    return turn, scale, far - scale * (turn @ near)[:2], error
