"""Heads of people that nobody is, seen from all sides, each drawn once and cut out.

Crowds are pasted of them (`crowd.py`). A point is visible where nothing of the person is before it
in the depth buffer: not hair, nor the head itself.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import roma
import torch
from jaxtyping import Bool, Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import max_pool2d

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.core.files import atomic_write
from morphface.core.records import Record
from morphface.edit.pose import PIVOT
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera
from morphface.models import LandmarkEmbedding, MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.render import rasterize
from morphface.synthetic.dice import Dice
from morphface.synthetic.draw import photograph, placed
from morphface.synthetic.light import random_exposure
from morphface.synthetic.motion import Motions, default_motion
from morphface.synthetic.person import BOX, Person, random_person

__all__ = ["HeadBank", "load_heads", "part_points", "render_heads", "save_heads"]

VIEWS = 3
"""Pictures of each person."""
FILLED = 0.40
"""Part of a picture's side that a face takes: shoulders are seen whole."""
HIGH = 0.55
"""Where the joint of head and neck lies, as a share of the picture's height."""
BEFORE = 6.0
"""How far something must be before a point to hide it, in millimetres."""
AHEAD, AROUND = 0.4, 0.5
"""Shares of heads that look about ahead, and anywhere up to full profile; others look away."""
_KEY = "morphface"


@dataclass(frozen=True, eq=False)
class HeadBank(Record):
    """Heads with shoulders, cut out.

    Args:
        pictures: RGB times opacity, and opacity.
        points: of `landmarks.parts.POINTS`, in pixels of the picture.
        visible: whether nothing of the person hides them.
        yaw: of each head, in radians; positive to the subject's left.
    """

    pictures: UInt8[Tensor, "N S S 4"]
    points: Float[Tensor, "N P 2"]
    visible: Bool[Tensor, "N P"]
    yaw: Float[Tensor, " N"]

    def __len__(self) -> int:
        return len(self.pictures)


def part_points(model: MorphableModel) -> LandmarkEmbedding:
    """Where the points of the parts lie on a model: the 68, the pupils, the ears, the temples.

    Args:
        model: with the regions of the open head and the landmarks "68" and "478".
    """
    known, mesh = model.landmark_embedding("68"), model.landmark_embedding("478")
    rows = torch.tensor([*_PUPILS, *_TEMPLES])
    ears = LandmarkEmbedding.at_vertices(_ears(model), model.faces)
    some = mesh.triangles[rows], mesh.barycentric[rows]
    triangles, shares = (
        torch.cat([a, b[:2], c, b[2:]])
        for a, b, c in zip(
            (known.triangles, known.barycentric),
            some,
            (ears.triangles, ears.barycentric),
            strict=True,
        )
    )
    return LandmarkEmbedding(triangles, shares, torch.ones(len(triangles)))


_PUPILS, _TEMPLES = (468, 473), (21, 251)
"""Among the points of MediaPipe's mesh, the right one first."""


def _ears(model: MorphableModel) -> Tensor:
    """The vertex in the middle of each ear, the right one first."""
    mean, ear = model.identity.mean, model.regions["ears"] > 0.5
    out = []
    for side in (-1.0, 1.0):
        own = torch.nonzero(ear & (mean[:, 0] * side > 0))[:, 0]
        away = (mean[own] - mean[own].mean(0)).norm(dim=-1)
        out.append(own[away.argmin()])
    return torch.stack(out)


def render_heads(
    count: int, seed: int = 0, size: int = 224, model: MorphableModel | None = None
) -> HeadBank:
    """Heads of people at random, the same for the same seed.

    Args:
        count: of pictures, `VIEWS` of each person.
        seed: of all of them.
        size: side of the pictures in pixels.
        model: of the heads; None takes the open head.

    Raises:
        ParameterError: there shall be no head, or its picture is too small.
    """
    if count < 1 or size < 32:
        raise ParameterError(
            f"heads must be 1 or more, of 32 pixels or more, got {count} of {size}"
        )
    model = load_model() if model is None else model
    motion, embedding, rows = default_motion(model), part_points(model), []
    for who in range(-(-count // VIEWS)):
        dice = Dice(seed, who, 7)
        person = random_person(model, size, 2 * size, dice)
        person = replace(person, wall=torch.zeros_like(person.wall))
        rows += [_head(person, embedding, motion, dice) for _ in range(VIEWS)]
    pictures, points, visible, yaw = (torch.stack(each) for each in zip(*rows[:count], strict=True))
    return HeadBank(pictures, points, visible, yaw)


@torch.no_grad()
def _head(
    person: Person, embedding: LandmarkEmbedding, motion: Motions, dice: Dice
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Picture, points, which are visible, and yaw of one head."""
    yaw = _turn(dice)
    angles = torch.tensor([yaw, 0.22 * float(dice.normal()), 0.14 * float(dice.normal())])
    person = _facing(person, angles, dice)
    piece = motion.piece(1, dice)
    pose = FaceParameters(
        person.identity,
        piece.expression,
        person.reflectance,
        person.light.around[None],
        person.rotation[None],
        person.translation[None],
        piece.gaze,
    )
    shot = photograph(person, pose, random_exposure(dice))
    matte = shot.matte[..., None]
    # Before a black wall the image is that of the person times opacity already.
    picture = torch.cat([shot.image.minimum(matte), matte], dim=-1)
    screen, visible = _seen(person, pose, embedding)
    return (picture * 255).round().byte(), screen, visible, torch.tensor(yaw)


def _turn(dice: Dice) -> float:
    """A yaw in radians: often about ahead, sometimes away."""
    kind = dice.number(0, 1)
    if kind < AHEAD:
        return 0.4 * float(dice.normal())
    if kind < AHEAD + AROUND:
        return dice.number(-1.8, 1.8)
    return dice.pick((-1.0, 1.0)) * dice.number(1.8, 3.14)


def _facing(person: Person, angles: Float[Tensor, "3"], dice: Dice) -> Person:
    """Somebody whose head is turned, before a camera that shows the shoulders, too."""
    size = person.camera.size[0]
    away = dice.number(600.0, 2000.0)
    focal = FILLED * size * away / BOX
    camera = Camera(torch.tensor(focal), torch.tensor([size / 2, size / 2]), (size, size))
    rotation = angles_to_rotvec(angles)
    joint = torch.tensor([0.0, (0.5 - HIGH) * size * away / focal, -away])
    place = joint - roma.rotvec_to_rotmat(rotation) @ torch.tensor(PIVOT)
    body = torch.stack([angles[0] * dice.number(0.4, 1.0), *(0.05 * dice.normal(2)).unbind()])
    return replace(
        person,
        camera=camera,
        rotation=rotation,
        translation=place,
        facing=angles_to_rotvec(body),
    )


def _seen(
    person: Person, pose: FaceParameters, embedding: LandmarkEmbedding
) -> tuple[Float[Tensor, "P 2"], Bool[Tensor, " P"]]:
    """Where the points are on the screen, and whether they are seen."""
    parts, side = placed(person, pose), person.camera.size[0]
    starts = torch.tensor([0, *(len(part.vertices) for part in parts)]).cumsum(0).tolist()
    faces = [part.faces.long() + start for part, start in zip(parts, starts, strict=False)]
    vertices = torch.cat([part.vertices for part in parts])
    screen = person.camera.project(vertices)[None]
    depth = rasterize(screen, torch.cat(faces), (side, side)).depth
    farthest = max_pool2d(depth, 3, stride=1, padding=1)[0]
    points = person.camera.project(embedding.points(parts[0].vertices))
    column, row = points[:, :2].floor().long().clamp(0, side - 1).unbind(-1)
    inside = ((points[:, :2] >= 0) & (points[:, :2] < side)).all(-1)
    return points[:, :2], inside & (points[:, 2] < farthest[row, column] + BEFORE)


def save_heads(path: str | Path, heads: HeadBank) -> None:
    """Write heads, whole or not at all.

    Args:
        path: of a `.safetensors` file.
        heads: to write.

    Raises:
        OutputError: the file cannot be written there.
    """
    fields = {name: getattr(heads, name).contiguous() for name in _FIELDS}
    with atomic_write(path) as temporary:
        save_file(fields, temporary, metadata={_KEY: json.dumps({"kind": "heads", "version": 1})})


def load_heads(path: str | Path) -> HeadBank:
    """Heads that were written.

    Args:
        path: what `save_heads` wrote.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it holds no heads.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"there are no rendered heads at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            return HeadBank(*(file.get_tensor(name) for name in _FIELDS))
    except SafetensorError as error:
        raise ModelError(f"{path} holds no rendered heads; delete it, and begin anew") from error


_FIELDS = ("pictures", "points", "visible", "yaw")
