"""Rendered heads of known shape and pose with what goes wrong in photos, one thing at a time.

Heads are the open head's, so that the truth is known vertex by vertex; that its pixels are no
easier than a photo's, skin has blotches that the model lacks, and pictures a random gamma. A fit of
every number is always the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import roma
import torch
from torch.nn.functional import interpolate

from benchmarks.bench_fit import lit_head
from benchmarks.bench_fit import picture as drawn
from benchmarks.bench_linear_fit import SIZE as WHOLE
from benchmarks.bench_linear_fit import Head
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.schemes import scheme
from morphface.media.images import Photo
from morphface.models import MorphableModel

__all__ = [
    "KINDS",
    "WRONG",
    "Spoilt",
    "SpoiltFrame",
    "kind_of",
    "spoilt",
    "spoilt_clip",
]

SIDE = 240
_EXPOSED = 0.75  # so that nothing is saturated but by what is done to a picture
_Image = torch.Tensor  # H x W x 3, 0 to 1


@dataclass(frozen=True)
class Spoilt:
    """One picture and what is told of it.

    Args:
        kind: what is wrong with it; one of `KINDS`.
        amount: how much, in the unit of that kind.
        head: the truth, with the camera of this picture.
        photo: the picture.
        landmarks: that are fitted to.
        witness: what the detector finds; None where that is the same.
    """

    kind: str
    amount: float
    head: Head
    photo: Photo
    landmarks: Landmarks
    witness: Landmarks | None


def spoilt(
    number: int, model: MorphableModel, detector: MediaPipeDetector, other: Landmarks | None
) -> Spoilt | None:
    """The picture of a number; None where the detector finds no face in it.

    Args:
        number: from 0.
        model: the open head.
        detector: finds the landmarks.
        other: landmarks of another face, of a picture of the same size.
    """
    rng = torch.Generator().manual_seed(77_000 + number)
    chance, kind = _chance(number)
    head = _small(lit_head(model, rng))
    if kind == "turned":
        head = _turned(head, chance)
    image = _natural(drawn(_blotched(model, rng), head), chance)
    image, head, amount = KINDS[kind](image, head, chance)
    photo = Photo((image.clamp(0, 1) * 255).round() / 255)
    found = detector.detect(photo)
    if not found:
        return None
    face, witness = found[0], None
    if kind in WRONG:
        if kind == "another's landmarks" and other is None:
            return None
        witness = face
        face, amount = WRONG[kind](face, other, chance)
    return Spoilt(kind, float(amount), head, photo, face, witness)


@dataclass(frozen=True)
class SpoiltFrame:
    """One frame of a clip.

    Args:
        kind: what is wrong with it; one of `KINDS`.
        amount: how much, in the unit of that kind.
        head: the truth, with the camera of this frame.
        photo: the picture; black where nobody asked for it.
    """

    kind: str
    amount: float
    head: Head
    photo: Photo


def spoilt_clip(
    number: int, model: MorphableModel, frames: int, *, drawn_too: bool = True
) -> list[SpoiltFrame]:
    """The frames of a clip of a number: a head that sways and speaks, spoilt in one way throughout.

    Args:
        number: from 0.
        model: the open head.
        frames: how many.
        drawn_too: whether to draw them.
    """
    rng = torch.Generator().manual_seed(78_000 + number)
    chance = np.random.default_rng((78, number))
    kinds = [kind for kind in KINDS if kind not in WRONG]
    shares = _SHARES[: len(kinds)] / _SHARES[: len(kinds)].sum()
    kind = str(chance.choice(kinds, p=shares))
    head = _small(lit_head(model, rng))
    head = _turned(head, chance) if kind == "turned" else head
    blotched = _blotched(model, rng)
    out = []
    for k in range(frames):
        moved = _swaying(head, k)
        seen = drawn(blotched, moved) if drawn_too else torch.zeros(SIDE, SIDE, 3)
        same = np.random.default_rng((78, number, 1))  # draws the same amounts for every frame
        image, moved, amount = KINDS[kind](_natural(seen, chance), moved, same)
        photo = Photo((image.clamp(0, 1) * 255).round() / 255)
        out.append(SpoiltFrame(kind, float(amount), moved, photo))
    return out


def _swaying(head: Head, k: int) -> Head:
    """The head in a frame: it nods and turns where it is, and its expression comes and goes."""
    phase = torch.tensor(0.35 * k)
    sway = torch.stack([10 * phase.sin(), 4 * (1.7 * phase).sin(), 3 * (0.6 * phase).sin()])
    turn = angles_to_rotvec(sway[None].deg2rad())
    p = head.parameters
    rotation = roma.rotvec_composition([p.rotation, turn])
    expression = p.expression * float(0.5 + 0.5 * (0.8 * phase).cos())
    return Head(replace(p, rotation=rotation, expression=expression), head.camera)


def kind_of(number: int) -> str:
    """What is wrong with the picture of a number.

    Args:
        number: from 0.
    """
    return _chance(number)[1]


def _chance(number: int) -> tuple[np.random.Generator, str]:
    chance = np.random.default_rng((77, number))
    return chance, str(chance.choice(list(KINDS), p=_SHARES))


def _small(head: Head) -> Head:
    share = SIDE / WHOLE[0]
    camera = Camera.facing((SIDE, SIDE), focal=float(head.camera.focal) * share)
    return Head(head.parameters, camera)


def _turned(head: Head, chance: np.random.Generator) -> Head:
    yaw = float(chance.choice([-1, 1]) * chance.uniform(45, 85))
    rotation = angles_to_rotvec(torch.tensor([[yaw, 0.0, 0.0]]).deg2rad())
    return Head(replace(head.parameters, rotation=rotation), head.camera)


def _blotched(model: MorphableModel, rng: torch.Generator) -> MorphableModel:
    """The model with skin that its own reflectance cannot explain."""
    reflectance = model.reflectance
    waves = torch.randn(3, 12, generator=rng) / 12.0
    phase = torch.rand(12, generator=rng) * 6.28
    blotches = 0.05 * torch.sin(model.identity.mean @ waves + phase).sum(dim=1) / 12**0.5
    mean = (reflectance.mean * (1 + blotches[:, None])).clamp(0.02, 0.98)
    return replace(model, reflectance=replace(reflectance, mean=mean))


def _natural(image: _Image, chance: np.random.Generator) -> _Image:
    noise = torch.from_numpy(chance.normal(0, 0.012, image.shape)).float()
    return (_EXPOSED * image.clamp(0, 1) ** float(chance.uniform(0.8, 1.25)) + noise).clamp(0, 1)


_Made = tuple[_Image, Head, float]


def _nothing(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    return image, head, 0.0


def _blur(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    amount = float(chance.uniform(0.01, 0.15))
    sigma = amount * 0.42 * SIDE
    reach = int(3 * sigma) + 1
    x = torch.arange(-reach, reach + 1) / sigma
    row = torch.exp(-0.5 * x**2)
    planes = image.permute(2, 0, 1)[:, None]
    planes = torch.nn.functional.pad(planes, (reach,) * 4, mode="replicate")
    row = (row / row.sum())[None, None, None]
    planes = torch.nn.functional.conv2d(planes, row)
    planes = torch.nn.functional.conv2d(planes, row.transpose(2, 3))
    return planes[:, 0].permute(1, 2, 0), head, amount


def _noise(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    amount = float(chance.uniform(0.03, 0.25))
    return (
        image + amount * torch.from_numpy(chance.normal(size=image.shape)).float(),
        head,
        amount,
    )


def _dark(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    amount = float(np.exp(chance.uniform(np.log(0.02), np.log(0.4))))
    return image * amount, head, amount


def _bright(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    amount = float(chance.uniform(1.3, 4.0))
    return image * amount, head, amount


def _occluder(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    """A blob of one colour with stripes; the amount is the share of the face that it hides."""
    large = float(chance.uniform(0.1, 0.7))
    middle = head.camera.project(head.parameters.translation)[0, :2].numpy()
    face = 0.21 * SIDE
    centre = middle + chance.uniform(-1, 1, 2) * face * 0.8
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    wide = 1.3 * face * np.sqrt(large)
    mask = np.hypot((columns - centre[0]) / wide, (rows - centre[1]) / wide) < 1
    colour = chance.uniform(0.1, 0.9, 3) * (1 + 0.1 * np.sin(columns / 3))[..., None]
    out = torch.where(torch.from_numpy(mask)[..., None], torch.from_numpy(colour).float(), image)
    around = np.hypot(columns - middle[0], rows - middle[1] - 0.15 * face) < 0.9 * face
    return out, head, float(mask[around].mean())


def _border(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    """A part of the picture cut away, and the rest in the middle of grey."""
    amount = float(chance.uniform(0.05, 0.6))
    middle = head.camera.project(head.parameters.translation)[0, :2]
    face = 0.21 * SIDE
    side = bool(chance.integers(2))
    first = int(float(middle[0] if side else middle[1]) - face + 2 * face * amount)
    first = min(max(first, 1), SIDE - 60)
    out = image[:, first:] if side else image[first:]
    shift = head.camera.principal - head.camera.principal.new_tensor(
        [first, 0.0] if side else [0.0, first]
    )
    camera = replace(head.camera, size=(out.shape[0], out.shape[1]), principal=shift)
    return out.contiguous(), Head(head.parameters, camera), amount


def _tiny(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    amount = float(chance.uniform(16, 80))  # pixels of the face, about
    small = max(24, round(SIDE * amount / (0.42 * SIDE)))
    planes = interpolate(image.permute(2, 0, 1)[None], (small, small), mode="area")
    camera = Camera.facing((small, small), focal=float(head.camera.focal) * small / SIDE)
    return planes[0].permute(1, 2, 0).contiguous(), Head(head.parameters, camera), amount


def _turn(image: _Image, head: Head, chance: np.random.Generator) -> _Made:
    turn = float(head.parameters.rotation.norm().rad2deg())
    return image, head, turn


def _jittered(
    face: Landmarks, other: Landmarks | None, chance: np.random.Generator
) -> tuple[Landmarks, float]:
    amount = float(chance.uniform(0.02, 0.3))
    step = amount * 0.25 * (face.box[2] - face.box[0])
    moved = torch.from_numpy(chance.normal(0, step, face.points.shape)).float()
    return _with_points(face, face.points + moved), amount * 0.3


def _rotated(
    face: Landmarks, other: Landmarks | None, chance: np.random.Generator
) -> tuple[Landmarks, float]:
    """As of a picture that is stored on its side."""
    points = torch.stack([face.points[:, 1], SIDE - face.points[:, 0]], dim=1)
    return _with_points(face, points), 1.0


def _swapped(
    face: Landmarks, other: Landmarks | None, chance: np.random.Generator
) -> tuple[Landmarks, float]:
    """Left and right exchanged."""
    return _with_points(face, face.points[list(scheme("478").mirror)]), 1.0


def _anothers(
    face: Landmarks, other: Landmarks | None, chance: np.random.Generator
) -> tuple[Landmarks, float]:
    assert other is not None
    far = float((face.points - other.points).norm(dim=1).mean())
    return _with_points(face, other.points), far / (0.6 * (face.box[2] - face.box[0]))


def _shifted(
    face: Landmarks, other: Landmarks | None, chance: np.random.Generator
) -> tuple[Landmarks, float]:
    amount = float(chance.uniform(0.05, 1.0))
    step = amount * 0.6 * (face.box[2] - face.box[0])
    angle = float(chance.uniform(0, 6.28))
    offset = face.points.new_tensor([np.cos(angle) * step, np.sin(angle) * step])
    return _with_points(face, face.points + offset), amount


def _with_points(face: Landmarks, points: torch.Tensor) -> Landmarks:
    return replace(face, points=points, box=box_of(points), depth=None, scores={})


KINDS: dict[str, Callable[[_Image, Head, np.random.Generator], _Made]] = {
    "nothing": _nothing,
    "blur": _blur,
    "noise": _noise,
    "dark": _dark,
    "bright": _bright,
    "occluder": _occluder,
    "border": _border,
    "small": _tiny,
    "turned": _turn,
    "jittered landmarks": _nothing,
    "rotated landmarks": _nothing,
    "swapped sides": _nothing,
    "another's landmarks": _nothing,
    "shifted landmarks": _nothing,
}
"""What can be wrong."""
_SHARES = np.array([20, 8, 6, 8, 8, 12, 8, 8, 8, 3, 3, 3, 3, 2]) / 100
WRONG: dict[str, Callable[..., tuple[Landmarks, float]]] = {
    "jittered landmarks": _jittered,
    "rotated landmarks": _rotated,
    "swapped sides": _swapped,
    "another's landmarks": _anothers,
    "shifted landmarks": _shifted,
}
"""Those whose landmarks are not the detector's."""
