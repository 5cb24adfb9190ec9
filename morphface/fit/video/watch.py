"""Who is seen in each frame: faces are found once, and then followed.

A face is followed by a detector of its own, which looks where it was: that is quicker and steadier
than finding it anew in each frame, and a small face is shown to it enlarged. While somebody is
missing the whole picture is looked at now and then, and searched for small faces more rarely.
Nothing here knows what was fitted, so it can run ahead.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from morphface.fit.video.cuts import Cuts
from morphface.fit.video.settings import VideoSettings
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import Box, area, largest_first, overlap
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.points import moved
from morphface.landmarks.schemes import tilt
from morphface.landmarks.search import confirm, search_faces
from morphface.landmarks.unseen import follow_mesh
from morphface.media.images import Photo
from morphface.media.video import Frame

__all__ = ["Follow", "Seen", "Watch", "find_all", "see_square", "square_around"]

Follow = Callable[[Photo, float | None], list[Landmarks]]
"""Looks for a face in the next frame of a video, given its time in seconds."""


_LARGE = (0.12, 0.25)  # of the picture's longer side: a face above is followed in all of it, and
# stays so until it is below
_SIDE = 3.0  # of a smaller face's crop, in sizes of the face
_OFF = 0.2  # of that crop: a face farther from its centre needs another
_RATIO = 1.5  # of its size, likewise
_AROUND = 4.0  # sizes of a face around where it was lost that are looked at
_NEARBY = 0.01  # overlap from which a face that is found is the one that was lost there
_AREA = 640 * 360
_SHOWN = 256  # pixels that a crop is shown with at least
_SAME = 0.4  # overlap from which two boxes are of one face
_DOUBT = 0.04  # between two looks at a new face, above which it is none
_NOTHING = Photo(torch.zeros(64, 64, 3, dtype=torch.uint8))
_PATIENCE = 10  # frames in a row in which a face is missed before nobody follows it


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame, and who is seen in it.

    Args:
        frame: the frame.
        faces: that were found.
        sources: for each, a number that is the same as long as it is followed.
        cut: whether a new shot begins.
        seconds: that detection took.
    """

    frame: Frame
    faces: tuple[Landmarks, ...] = ()
    sources: tuple[int, ...] = ()
    cut: bool = False
    seconds: float = 0.0


@dataclass
class _Follower:
    """Follows one face."""

    number: int
    see: Follow
    box: Box
    direct: bool = False
    tilted: float = 0.0
    missed: int = 0
    whole: bool | None = None
    square: tuple[int, int, int] | None = None

    def look(self, frame: Frame) -> Landmarks | None:
        """The face, or None where it is not seen."""
        photo = frame.photo
        if self._aim(photo):
            self.see(_NOTHING, None)  # what it remembers is not where it will look
        face = self._see(photo, frame.time) or self._directly(photo)
        self.missed = 0 if face else self.missed + 1
        if face is not None:
            self.box = face.box
            self.tilted = float(tilt(face)) if self.direct else 0.0
        return face

    def _directly(self, photo: Photo) -> Landmarks | None:
        """What the landmark network sees where the face was: of small faces it knows more."""
        face = follow_mesh(photo, self.box, self.tilted) if self.direct else None
        return face if face is not None and overlap(face.box, self.box) > _SAME else None

    def _aim(self, photo: Photo) -> bool:
        """Chooses the part of the picture to look at, and says whether it is another one."""
        left, top, right, bottom = self.box
        size = max(right - left, bottom - top)
        if size >= _LARGE[self.whole is not True] * max(photo.size):
            fresh, self.whole, self.square = self.whole is False, True, None
            return fresh
        fresh = self.whole is not None
        middle = ((left + right) / 2, (top + bottom) / 2)
        if self.square is not None:
            y, x, side = self.square
            off = max(abs(middle[0] - x - side / 2), abs(middle[1] - y - side / 2))
            if off < _OFF * side and 1 / _RATIO < size * _SIDE / side < _RATIO:
                return False
        self.square, self.whole = square_around(self.box, _SIDE), False
        return fresh

    def _see(self, photo: Photo, now: float | None) -> Landmarks | None:
        if self.square is None:
            found = self.see(photo, now)
        else:
            found = see_square(photo, self.square, self.see, now)
        known = [face for face in found if overlap(face.box, self.box) > 0.05]
        return max(known, key=lambda face: overlap(face.box, self.box), default=None)


def square_around(box: Box, sizes: float) -> tuple[int, int, int]:
    """Top, left and side of a square around a face, as large as so many of it.

    Args:
        box: of the face.
        sizes: side of the square, in those of the face.
    """
    left, top, right, bottom = box
    side = max(int(sizes * max(right - left, bottom - top)), 16)
    return round((top + bottom - side) / 2), round((left + right - side) / 2), side


def see_square(
    photo: Photo, square: tuple[int, int, int], see: Follow, now: float | None
) -> list[Landmarks]:
    """Faces in a square of a picture, shown with enough pixels.

    Args:
        photo: the picture.
        square: top, left and side; beyond the border, its edge is repeated.
        see: who looks.
        now: time of the frame, in seconds.
    """
    top, left, side = square
    height, width = photo.size
    rows = torch.arange(top, top + side).clamp(0, height - 1)
    columns = torch.arange(left, left + side).clamp(0, width - 1)
    pixels = photo.to_uint8()[rows][:, columns]
    scale = 1.0
    if side < _SHOWN:
        planes = pixels.permute(2, 0, 1)[None].float()
        large = torch.nn.functional.interpolate(planes, size=(_SHOWN, _SHOWN), mode="bicubic")
        pixels = large[0].permute(1, 2, 0).round().clamp(0, 255).byte().contiguous()
        scale = side / _SHOWN
    found = see(Photo(pixels), now)
    return [moved(face, scale, (float(left), float(top))) for face in found]


def find_all(photo: Photo, finder: LandmarkDetector, settings: VideoSettings) -> list[Landmarks]:
    """The faces of a picture at a glance, each looked at twice.

    Args:
        photo: the picture.
        finder: who looks.
        settings: whether twice.
    """
    return [face for face in finder.detect(photo) if _sure(photo, face, finder, settings)]


def _sure(photo: Photo, face: Landmarks, finder: LandmarkDetector, settings: VideoSettings) -> bool:
    if not settings.confirm:
        return True
    again = confirm(photo, face, finder)
    return again is not None and again.doubt < _DOUBT


class Watch:
    """Finds and follows the faces of a video.

    Args:
        finder: finds faces in pictures.
        follower: makes what follows one face; None lets the finder do it.
        settings: how many people there are, and when to look for them.
    """

    def __init__(
        self,
        finder: LandmarkDetector,
        follower: Callable[[], Follow] | None,
        settings: VideoSettings,
    ) -> None:
        self._finder = finder
        self._make = follower or (lambda: lambda photo, _: finder.detect(photo))
        self._direct = follower is not None
        self._settings = settings
        self._followers: list[_Follower] = []
        self._spare: list[Follow] = []
        self._count = self._frames = 0
        self._looked = self._searched = -(10**9)
        self._cuts = Cuts()
        self._places: list[Box] = []

    def __call__(self, frame: Frame) -> Seen:
        """Who is seen in the next frame."""
        began = time.perf_counter()
        self._frames += 1
        cut = self._cuts(frame.photo)
        if cut:
            self._forget(self._followers)
            self._looked = self._searched = -(10**9)
            self._places.clear()
        found = self._follow(frame)
        if len(found) < self._settings.people:
            found += self._find(frame, [face for _, face in found])
        return Seen(
            frame,
            tuple(face for _, face in found),
            tuple(number for number, _ in found),
            cut,
            time.perf_counter() - began,
        )

    def _follow(self, frame: Frame) -> list[tuple[int, Landmarks]]:
        """The faces that are followed; of two that have become one, the younger is given up."""
        found: list[tuple[int, Landmarks]] = []
        for follower in list(self._followers):
            before = follower.box
            face = follower.look(frame)
            if face is None:
                if follower.missed > _PATIENCE:
                    self._places = [*self._places, follower.box][-self._settings.people :]
                    self._forget([follower])
            elif any(overlap(face.box, other.box) > _SAME for _, other in found):
                follower.box = before
                self._forget([follower])
            else:
                found.append((follower.number, face))
        return found

    def _forget(self, followers: list[_Follower]) -> None:
        for follower in list(followers):
            self._spare.append(follower.see)
            self._followers.remove(follower)

    def _find(self, frame: Frame, known: list[Landmarks]) -> list[tuple[int, Landmarks]]:
        """Faces that nobody follows yet."""
        settings, photo = self._settings, frame.photo
        faces = self._where_lost(photo)
        if faces or self._frames - self._looked < settings.look_every:
            return self._begin(faces, known)
        self._looked = self._frames
        faces = find_all(photo, self._finder, settings)
        if len(faces) + len(known) < settings.people and (
            self._frames - self._searched >= self._pause(photo)
        ):
            self._searched = self._frames
            faces += search_faces(photo, self._finder, profiles=False)
        return self._begin(faces, known)

    def _pause(self, photo: Photo) -> float:
        """Frames between searches, which cost in proportion to the picture's area."""
        return self._settings.search_every * max(1.0, math.prod(photo.size) / _AREA)

    def _where_lost(self, photo: Photo) -> list[Landmarks]:
        """Faces around where one was seen last."""
        faces = []
        for box in self._places:
            found = see_square(photo, square_around(box, _AROUND), self._glance, None)
            faces += [face for face in found if _sure(photo, face, self._finder, self._settings)]
        return faces

    def _glance(self, photo: Photo, _: float | None) -> list[Landmarks]:
        return self._finder.detect(photo)

    def _begin(self, faces: list[Landmarks], known: list[Landmarks]) -> list[tuple[int, Landmarks]]:
        """Follows the largest of the faces that are new."""
        out: list[tuple[int, Landmarks]] = []
        for face in largest_first(faces):
            others = [*known, *(face for _, face in out)]
            if len(others) == self._settings.people:
                break
            if area(face.box) and all(overlap(face.box, o.box) < _SAME for o in others):
                self._forget([f for f in self._followers if f.missed][: self._full()])
                self._places = [b for b in self._places if overlap(b, face.box) < _NEARBY]
                see = self._spare.pop() if self._spare else self._make()
                see(_NOTHING, None)  # it may have followed somebody else
                self._followers.append(_Follower(self._count, see, face.box, self._direct))
                out.append((self._count, face))
                self._count += 1
        return out

    def _full(self) -> int:
        """How many followers must go before another face can be followed."""
        return max(0, len(self._followers) + 1 - self._settings.people)
