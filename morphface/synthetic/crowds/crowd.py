"""Crowds of 0 to 30 people, pasted of heads that were drawn once: who covers whom is known.

Larger heads are mostly nearer. People stand anywhere, in part outside of the picture, before walls
and things of the colour of skin; things and hands come between, too.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from morphface.core.errors import ParameterError
from morphface.landmarks.parts.graph import point_mirror
from morphface.synthetic.crowds.heads import FILLED, HeadBank
from morphface.synthetic.crowds.spoil import spoilt
from morphface.synthetic.dice import Dice
from morphface.synthetic.walls import random_wall

__all__ = ["MOST", "Crowd", "Crowds"]

MOST = 30
"""People in a picture."""
SMALLEST, LARGEST = 20.0, 200.0
"""Heights of faces, from mid-forehead to below the chin, in pixels."""
WALLS, WALL = 48, 384
"""How many backgrounds are drawn, and their side in pixels; a picture shows a part of one."""
_EMPTY, _ALONE = 0.06, 0.22
"""Shares of pictures with nobody, and with one person."""
_ORDER = 0.25
"""Standard deviation of the logarithm of size by which nearness is mistaken for it."""
_TILT = 0.25
"""Standard deviation of the angle that heads are pasted at, in radians."""
_COVERS = 0.5
"""Opacity from which something hides what is behind it."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """A picture of people.

    Args:
        picture: RGB.
        points: of `landmarks.parts.POINTS`, in pixels.
        visible: whether they are in the picture and nothing is before them.
        yaw: of each head, in radians; positive to the subject's left.
        height: of each face, from mid-forehead to below the chin, in pixels.
    """

    picture: UInt8[np.ndarray, "H W 3"]
    points: Float[np.ndarray, "N P 2"]
    visible: Bool[np.ndarray, "N P"]
    yaw: Float[np.ndarray, " N"]
    height: Float[np.ndarray, " N"]


class Crowds:
    """Crowds by number; the same number is the same picture.

    Args:
        heads: that they are made of.
        seed: of all of them: other seeds are other crowds.
        size: height and width of the pictures.
        people: how many there are in each; None draws it, from none to `MOST`.
        clean: leave out what cameras and files do to pictures.

    Raises:
        ParameterError: the size or the number of people makes no sense.
    """

    def __init__(
        self,
        heads: HeadBank,
        seed: int = 0,
        size: tuple[int, int] = (256, 256),
        *,
        people: int | None = None,
        clean: bool = False,
    ) -> None:
        if min(size) < 32 or (people is not None and not 0 <= people <= MOST):
            raise ParameterError(
                f"crowds need 32 pixels or more and 0 to {MOST} people, got {size} and {people}"
            )
        self._seed, self._size, self._people, self._clean = seed, size, people, clean
        self._points = heads.points.numpy().astype(np.float64)
        self._visible, self._yaw = heads.visible.numpy(), heads.yaw.numpy()
        self._side = heads.pictures.shape[1]
        self._levels = _levels(heads.pictures.numpy())
        self._walls = [
            (random_wall(WALL, Dice(seed, k, 3)).numpy() * 255).round().astype(np.uint8)
            for k in range(WALLS)
        ]

    def crowd(self, number: int) -> Crowd:
        """A picture.

        Args:
            number: from 0.
        """
        dice = Dice(self._seed, number, 5)
        heights = self._heights(dice)
        picture = self._ground(dice)
        points: list[Float[np.ndarray, "P 2"]] = []
        visible: list[Bool[np.ndarray, " P"]] = []
        yaw: list[float] = []
        for height in heights:
            which = int(dice.whole(len(self._yaw)))
            there = self._place(height, dice)
            self._paste(picture, which, there).hide(points, visible)
            points.append(self._points[which] @ there[:, :2].T + there[:, 2])
            visible.append(self._visible[which] & _inside(points[-1], self._size))
            yaw.append(self._yaw[which])
        for _ in range(int(dice.whole(4)) if dice.chance(0.4) else 0):
            _thing(picture, dice, float(np.mean(heights or [60.0]))).hide(points, visible)
        shape = (len(points), self._points.shape[1])
        found = Crowd(
            picture if self._clean else spoilt(picture, dice),
            np.array(points).reshape(*shape, 2),
            np.array(visible, bool).reshape(shape),
            np.array(yaw),
            np.array(heights),
        )
        return mirrored(found) if dice.chance(0.5) else found

    def _heights(self, dice: Dice) -> list[float]:
        """Of the faces, the farthest person first."""
        count = self._count(dice)
        each = min(self._size) * 1.1 / max(count, 1) ** 0.5
        low, high = np.log(max(0.35 * each, SMALLEST)), np.log(min(each, LARGEST))
        sizes = dice.uniform(min(low, high), max(low, high), count)
        order = (sizes + _ORDER * dice.normal(count)).argsort()
        return sizes[order].exp().tolist()

    def _count(self, dice: Dice) -> int:
        if self._people is not None:
            return self._people
        kind = dice.number(0, 1)
        if kind < _EMPTY + _ALONE:
            return int(kind >= _EMPTY)
        return round(2 * (MOST / 2) ** dice.number(0, 1))

    def _ground(self, dice: Dice) -> UInt8[np.ndarray, "H W 3"]:
        """A part of a wall at any scale, and things before it."""
        import cv2

        wall = dice.pick(self._walls)
        height, width = self._size
        scale = max(self._size) / (WALL * dice.number(0.3, 1.0))
        x, y = (dice.number(0, max(WALL * scale - side, 0)) for side in (width, height))
        there = np.array([[scale, 0, -x], [0, scale, -y]])
        out = cv2.warpAffine(
            wall, there, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        for _ in range(int(dice.whole(5)) if dice.chance(0.6) else 0):
            _thing(out, dice, dice.number(20, 120))
        return out

    def _place(self, height: float, dice: Dice) -> Float[np.ndarray, "2 3"]:
        """From a head's own picture to the crowd's."""
        scale, angle = height / (FILLED * self._side), _TILT * float(dice.normal())
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        turn = np.array([[c, -s], [s, c]])
        rows, columns = self._size
        at = np.array([dice.number(-0.05, 1.05) * columns, dice.number(-0.02, 1.0) * rows])
        return np.c_[turn, at - turn @ np.array([0.5, 0.42]) * self._side]

    def _paste(
        self, picture: UInt8[np.ndarray, "H W 3"], which: int, there: Float[np.ndarray, "2 3"]
    ) -> "_Cover":
        """Lay a head over `picture`, in place; where it is opaque."""
        import cv2

        scale = float(np.hypot(*there[:, 0]))
        level = int(np.clip(np.floor(-np.log2(max(scale, 1e-6))), 0, len(self._levels) - 1))
        step, head = 2**level, self._levels[level][which]
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * head.shape[1::-1] * step
        moved = corners @ there[:, :2].T + there[:, 2]
        left, top = np.clip(np.floor(moved.min(0)), 0, picture.shape[1::-1]).astype(int)
        right, bottom = np.clip(np.ceil(moved.max(0)), 0, picture.shape[1::-1]).astype(int)
        if right <= left or bottom <= top:
            return _Cover(np.zeros((0, 0), np.float32), 0, 0)
        # Pixels have their centres at halves; OpenCV counts from the first centre.
        shift = there[:, :2] @ np.full(2, 0.5 * step) + there[:, 2] - 0.5 - [left, top]
        matrix = np.c_[there[:, :2] * step, shift]
        laid = cv2.warpAffine(head, matrix, (int(right - left), int(bottom - top)))
        part = picture[top:bottom, left:right]
        opaque = laid[..., 3:].astype(np.float32) / 255
        part[:] = np.clip(part * (1 - opaque) + laid[..., :3], 0, 255).astype(np.uint8)
        return _Cover(opaque[..., 0], int(left), int(top))


@dataclass(frozen=True, eq=False)
class _Cover:
    """What hides things behind it.

    Args:
        opaque: of a part of the picture.
        left: where that part begins.
        top: where that part begins.
    """

    opaque: Float[np.ndarray, "H W"]
    left: int
    top: int

    def hide(
        self, points: list[Float[np.ndarray, "P 2"]], visible: list[Bool[np.ndarray, " P"]]
    ) -> None:
        """Mark as hidden, in place, what lies behind."""
        height, width = self.opaque.shape
        for where, seen in zip(points, visible, strict=True):
            column, row = (where - [self.left, self.top]).astype(int).T
            near = seen & (column >= 0) & (row >= 0) & (column < width) & (row < height)
            seen[near] = self.opaque[row[near], column[near]] < _COVERS


def mirrored(crowd: Crowd) -> Crowd:
    """The same people in a mirror. Its own inverse.

    Args:
        crowd: to mirror.
    """
    order, width = list(point_mirror()), crowd.picture.shape[1]
    points = crowd.points[:, order] * [-1, 1] + [width, 0]
    picture = np.ascontiguousarray(crowd.picture[:, ::-1])
    return Crowd(picture, points, crowd.visible[:, order], -crowd.yaw, crowd.height)


def _levels(pictures: UInt8[np.ndarray, "N S S 4"]) -> list[list[UInt8[np.ndarray, "H W 4"]]]:
    """The heads at full, half and quarter size, with their clothes going on below."""
    import cv2

    tall = [np.pad(one, ((0, one.shape[0] // 2), (0, 0), (0, 0)), mode="edge") for one in pictures]
    out = [tall]
    for _ in range(2):
        out.append(
            [
                cv2.resize(
                    one, (one.shape[1] // 2, one.shape[0] // 2), interpolation=cv2.INTER_AREA
                )
                for one in out[-1]
            ]
        )
    return out


def _inside(points: Float[np.ndarray, "P 2"], size: tuple[int, int]) -> Bool[np.ndarray, " P"]:
    return np.asarray(((points >= 0) & (points < [size[1], size[0]])).all(axis=-1))


def _thing(picture: UInt8[np.ndarray, "H W 3"], dice: Dice, size: float) -> _Cover:
    """Draw something, in place: round or angular, of any colour or that of skin; where it is."""
    import cv2

    reach = int(1.5 * size) + 2
    x, y = (int(dice.number(0, side)) for side in picture.shape[1::-1])
    left, top = max(x - reach, 0), max(y - reach, 0)
    part, at = picture[top : y + reach, left : x + reach], [x - left, y - top]
    mask = np.zeros(part.shape[:2], np.uint8)
    if dice.chance(0.5):
        axes = [int(size * dice.number(0.15, 0.6)) + 1 for _ in range(2)]
        cv2.ellipse(mask, at, axes, dice.number(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    else:
        corners = at + size * 0.4 * dice.normal(int(dice.whole(4)) + 3, 2).numpy()
        cv2.fillPoly(mask, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    skin = np.array([1.0, dice.number(0.62, 0.82), dice.number(0.45, 0.72)])
    colour = skin if dice.chance(0.5) else dice.uniform(0, 1, 3).numpy()
    rows, columns = part.shape[:2]
    row, column = (np.arange(n) / size * dice.number(1, 5) for n in (rows, columns))
    shade = 1 + 0.25 * np.sin(dice.number(0, 6) + row[:, None] + column)
    opaque = mask.astype(np.float32)[..., None] / 255
    drawn = shade[..., None].astype(np.float32) * (255 * dice.number(0.15, 1.0) * colour)
    part[:] = np.clip(part * (1 - opaque) + drawn * opaque, 0, 255).astype(np.uint8)
    return _Cover(opaque[..., 0], left, top)
