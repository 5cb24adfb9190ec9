"""Clips of real faces with what goes wrong in clips: fades, cuts, flashes, hands, people who cross.

They are made of the shared photos and clips in memory, always the same. Photos sway a little, so
that their faces move. Who is where is known from detections on the material before anything is
done to it. Half of the people and of the webcam's clip are for tuning, the other half for judging.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.common import DATA, SEED
from morphface.landmarks import find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import read_image
from morphface.media.video import read_video

__all__ = ["HALVES", "Shot", "Trouble", "troubles"]

SIZE = (300, 400)
_FACE = 100.0  # pixels of a face from a photo
_Pixels = np.ndarray  # H x W x 3, 0 to 255 as float32
HALVES = {
    "tuning": (("astronaut.png", 0), ("glasses_frontal.jpg", 0), (0, 380)),
    "judging": (("woman_portrait.jpg", 0), ("grace_hopper.jpg", 0), (385, 765)),
}
"""Two people from photos, which of the photo's faces, and frames of the webcam's clip."""


@dataclass(frozen=True)
class Shot:
    """Pictures, and where each person's face is in them.

    Args:
        pictures: of all frames.
        faces: for each frame the middle of each face, by name; only faces that are clear.
    """

    pictures: list[_Pixels]
    faces: list[dict[str, tuple[float, float]]]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, frames: slice) -> "Shot":
        return Shot(self.pictures[frames], self.faces[frames])

    def __add__(self, other: "Shot") -> "Shot":
        return Shot(self.pictures + other.pictures, self.faces + other.faces)

    def changed(self, change: Callable[[_Pixels, int], _Pixels], hidden: set[int]) -> "Shot":
        """The shot with every picture changed; faces of the hidden frames are not clear."""
        pictures = [change(picture, k) for k, picture in enumerate(self.pictures)]
        return Shot(pictures, [{} if k in hidden else f for k, f in enumerate(self.faces)])


@dataclass(frozen=True)
class Trouble:
    """A clip.

    Args:
        name: what happens in it.
        shot: all of it.
        people: how many are in it.
    """

    name: str
    shot: Shot
    people: int


def troubles(half: str) -> Iterator[Trouble]:
    """The clips of one half.

    Args:
        half: one of `HALVES`.
    """
    (one, face), (two, other), (first, last) = HALVES[half]
    a, b, web = _still(one, face), _still(two, other), _webcam(first, last)
    yield Trouble("plain", web[:100], 1)
    for length in (12, 36):
        yield Trouble(f"fade in, {length}", _dimmed(web[:90], lambda k, n=length: k / n), 1)
        yield Trouble(f"fade out, {length}", _dimmed(web[:90], lambda k, n=length: (90 - k) / n), 1)
    yield Trouble("fade in of a still", _dimmed(_shown(a, 40), lambda k: k / 12), 1)
    yield Trouble("through black", _dimmed(web[100:200], lambda k: abs(k - 50) / 10), 1)
    for length in (12, 24, 48):
        turns = [_shown(p, length, phase=k) for k, p in enumerate((a, b, a, b))]
        yield Trouble(f"cuts at one place, {length}", sum(turns[1:], turns[0]), 2)
    sides = [_shown(p, 24, at=(x, 150)) for p, x in ((a, 120), (b, 280), (a, 120), (b, 280))]
    yield Trouble("cuts, another place", sum(sides[1:], sides[0]), 2)
    flashes = {30, 31, 60, 61, 62}
    yield Trouble("flashes", _lit(web[:90], lambda k: 3.0 if k in flashes else 1.0), 1)
    steps = (1.0, 0.4, 1.6, 0.7)
    yield Trouble("exposure steps", _lit(web[100:200], lambda k: steps[k // 25]), 1)
    tint = np.array([1.0, 0.7, 0.45])
    yield Trouble("tinted light", _lit(web[:90], lambda k: tint if k >= 45 else 1.0), 1)
    yield Trouble("crossing", _crossing(a, b), 2)
    yield Trouble("leaves and returns", _leaving(a), 1)
    yield Trouble("a hand", _hand(web[:100]), 1)
    kept = np.random.default_rng(SEED).random(200) > 0.4
    some = Shot(*([x for x, k in zip(v, kept, strict=False) if k] for v in _parts(web[:200])))
    yield Trouble("dropped frames", some, 1)
    yield Trouble("three times as fast", web[:360][::3], 1)


def _parts(shot: Shot) -> tuple[list, list]:
    return shot.pictures, shot.faces


def _webcam(first: int, last: int) -> Shot:
    pictures, faces = [], []
    with read_video(DATA / "clips" / "webcam_head_turns.mp4") as video, MediaPipeDetector() as eye:
        for frame in video:
            if first <= frame.index < last:
                found = eye.detect(frame.photo)
                pictures.append(frame.photo.to_uint8().numpy().astype(np.float32))
                faces.append({"webcam": _middle(found[0].box)} if found else {})
    return Shot(pictures, faces)


@dataclass(frozen=True)
class _Still:
    name: str
    picture: Image.Image  # so large that the face is as large as wanted
    middle: tuple[float, float]


def _still(name: str, number: int) -> _Still:
    with MediaPipeDetector() as eye:
        photo, found = find_faces(read_image(DATA / "photos" / name), eye)
    left, top, right, bottom = found[number].box
    scale = _FACE / max(right - left, bottom - top)
    picture = Image.fromarray(photo.to_uint8().numpy())
    size = (round(picture.width * scale), round(picture.height * scale))
    x, y = _middle(found[number].box)
    small = picture.resize(size, Image.Resampling.LANCZOS)
    return _Still(name, small, (x * scale, y * scale))


def _middle(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _shown(
    still: _Still, count: int, *, at: tuple[float, float] = (200, 150), phase: int = 0
) -> Shot:
    """A photo that sways, its face at some place of the picture."""
    noise = np.random.default_rng((SEED, phase))
    pictures, faces = [], []
    for k in range(count):
        turn = 2 * math.pi * (k + 7 * phase) / 40
        spot = (at[0] + 8 * math.sin(turn), at[1] + 4 * math.cos(turn))
        pictures.append(_placed(still, spot, noise))
        faces.append({still.name: spot})
    return Shot(pictures, faces)


def _placed(still: _Still, spot: tuple[float, float], noise: np.random.Generator) -> _Pixels:
    offset = (still.middle[0] - spot[0], still.middle[1] - spot[1])
    picture = still.picture.transform(
        (SIZE[1], SIZE[0]),
        Image.Transform.AFFINE,
        (1, 0, offset[0], 0, 1, offset[1]),
        Image.Resampling.BICUBIC,
        fillcolor=(96, 100, 104),
    )
    values = np.asarray(picture).astype(np.float32)
    return np.clip(values + noise.normal(0, 2, values.shape), 0, 255).astype(np.float32)


def _lit(shot: Shot, gain: Callable[[int], float | np.ndarray]) -> Shot:
    """Every frame in another exposure; it is clear unless most of it is saturated."""
    burnt = {k for k in range(len(shot)) if np.min(gain(k)) > 2}
    return shot.changed(lambda picture, k: np.clip(picture * gain(k), 0, 255), burnt)


def _dimmed(shot: Shot, share: Callable[[int], float]) -> Shot:
    """A fade; a face is clear from a third of its brightness on."""
    shares = [min(1.0, max(0.0, share(k))) for k in range(len(shot))]
    dark = {k for k, value in enumerate(shares) if value < 1 / 3}
    return shot.changed(lambda picture, k: picture * shares[k], dark)


def _cutout(still: _Still, spot: tuple[float, float]) -> tuple[np.ndarray, float]:
    """An oval around a head, as an opacity."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    far = np.hypot((columns - spot[0]) / (0.62 * _FACE), (rows - spot[1]) / (0.85 * _FACE))
    return np.clip((1.1 - far) / 0.1, 0, 1)[..., None], 0.62 * _FACE


def _crossing(a: _Still, b: _Still, count: int = 96) -> Shot:
    """Two heads that change sides, the first one before the second."""
    noise = np.random.default_rng(SEED)
    wall = np.full((*SIZE, 3), 110, np.float32)
    pictures, faces = [], []
    for k in range(count):
        way = 0.5 - 0.5 * math.cos(math.pi * k / (count - 1))
        front, back = (90 + 220 * way, 155.0), (310 - 220 * way, 145.0)
        picture = wall
        for still, spot in ((b, back), (a, front)):
            mask, width = _cutout(still, spot)
            picture = picture * (1 - mask) + _placed(still, spot, noise) * mask
        clear = {a.name: front}
        if abs(front[0] - back[0]) > 1.7 * width:
            clear[b.name] = back
        pictures.append(picture.astype(np.float32))
        faces.append(clear)
    return Shot(pictures, faces)


def _leaving(a: _Still, count: int = 120) -> Shot:
    """A head that goes out of the picture for a second and comes back."""
    noise = np.random.default_rng(SEED)
    wall = np.full((*SIZE, 3), 110, np.float32)
    pictures, faces = [], []
    for k in range(count):
        away = min(1.0, max(0.0, min(k - 30, 100 - k) / 20))
        spot = (200 + 300 * away, 150.0)
        mask, _ = _cutout(a, spot)
        picture = wall * (1 - mask) + _placed(a, spot, noise) * mask
        pictures.append(picture.astype(np.float32))
        faces.append({a.name: spot} if spot[0] < SIZE[1] - 0.6 * _FACE else {})
    return Shot(pictures, faces)


def _hand(shot: Shot) -> Shot:
    """Something of the colour of skin goes over the face and stays before the mouth for a while."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]

    def covered(picture: _Pixels, k: int) -> _Pixels:
        if not 30 <= k < 70 or not shot.faces[k]:
            return picture
        x, y = shot.faces[k]["webcam"]
        y += 0.25 * _FACE + 6 * abs(k - 50)
        far = np.hypot((columns - x) / 55, (rows - y) / 38)
        mask = np.clip((1.1 - far) / 0.1, 0, 1)[..., None]
        lines = 1 + 0.08 * np.sin(columns / 4.0)[..., None]
        return picture * (1 - mask) + np.array([190, 140, 115]) * lines * mask

    return shot.changed(covered, set(range(42, 59)))
