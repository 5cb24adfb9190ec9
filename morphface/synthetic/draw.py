"""Pictures of people: everything in one mesh, drawn finer than it is seen, shaded by the pixel."""

from dataclasses import dataclass
from functools import lru_cache

import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.core.records import Record
from morphface.edit.pose import PIVOT
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render import interpolate, rasterize
from morphface.render.shadows import reached
from morphface.synthetic.body import woven
from morphface.synthetic.hair import Strands
from morphface.synthetic.light import Exposure
from morphface.synthetic.person import Person, smoothed
from morphface.synthetic.shapes import BODY, EYE, GLASS, HAIR, SKIN, Part, lattice, ribbons
from morphface.synthetic.skull import CENTRE

__all__ = ["Shot", "finest_of", "photograph", "placed", "strands_of"]

FINEST = 256
"""Side of the picture that small ones are drawn at and averaged to; larger ones at twice theirs."""
FOLLOWS = 0.8
"""How far shoulders follow where the head goes to."""
LONG = (-215.0, -70.0)
"""Heights between which hair turns with the head less and less, in the model frame."""
NECK = -130.0
"""Below this height a head is neck, in the model frame."""
SHADOW = 160
"""Pixels across of the picture that tells what of the head the lamp reaches."""


@dataclass(frozen=True, eq=False)
class Shot(Record):
    """A picture, and what is known of it.

    Args:
        image: in 8 bits, as parts of 1.
        matte: how much of each pixel is the person, hair and clothes included.
        hair: how much of it is hair.
    """

    image: Float[Tensor, "S S 3"]
    matte: Float[Tensor, "S S"]
    hair: Float[Tensor, "S S"]


def finest_of(size: int) -> int:
    """Side of the picture that is drawn for one of `size`: a multiple of it."""
    return size * max(-(-FINEST // size), 2)


def photograph(person: Person, pose: FaceParameters, exposure: Exposure) -> Shot:
    """A picture of somebody.

    Args:
        person: who is seen, and where.
        pose: one frame; its identity, reflectance and illumination are the person's own.
        exposure: of this picture.
    """
    size, finest = person.camera.size[0], len(person.wall)
    parts = placed(person, pose)
    vertices, faces, values = _together(person, parts)
    finer = torch.tensor([finest / size, finest / size, 1.0])
    screen = person.camera.project(vertices) * finer
    found = rasterize(screen[None], faces, (finest, finest))
    mask = found.mask[0]
    seen = interpolate(values[None], faces, found)[0][mask]
    picture = person.wall.clone()
    picture[mask] = _shaded(person, seen)
    hair = torch.zeros(finest, finest)
    hair[mask] = (seen[:, _KIND].round() == HAIR).float()
    image = exposure.picture(_averaged(picture, size))
    covered = torch.stack([mask.float(), hair], dim=-1)
    return Shot(image, *_averaged(covered, size).unbind(-1))


def _averaged(picture: Float[Tensor, "F F C"], size: int) -> Float[Tensor, "S S C"]:
    step = len(picture) // size
    return picture.view(size, step, size, step, -1).mean(dim=(1, 3))


def placed(person: Person, pose: FaceParameters) -> list[Part]:
    """All parts of somebody in the camera frame; the head is the first.

    Args:
        person: who is seen.
        pose: one frame, as in `photograph`.
    """
    model, turn, place = person.model, pose.rotation[0], pose.translation[0]
    shape = model.vertices(person.identity, pose.expression, pose.gaze)[0]
    head = to_camera(shape, turn, place)
    normals = vertex_normals(head, model.faces)
    parts = [Part(head, model.faces, person.colours, normals, _kinds(model), person.open)]
    matrix = roma.rotvec_to_rotmat(turn)
    if person.glasses is not None:
        parts.append(person.glasses.moved(to_camera(person.glasses.vertices, turn, place), matrix))
    facing, stand = person.facing, _stand(person, pose)
    middle = to_camera(torch.tensor([CENTRE]), turn, place)[0]
    for (strands, colour), points in zip(person.hair, strands_of(person, pose, shape), strict=True):
        parts.append(_hair(strands, colour, points, middle))
    for part in person.body:
        still = to_camera(part.vertices, facing, stand)
        parts.append(part.moved(still, roma.rotvec_to_rotmat(facing)))
    return parts


def strands_of(
    person: Person, pose: FaceParameters, shape: Float[Tensor, "V 3"]
) -> list[Float[Tensor, "N P 3"]]:
    """Strands of scalp and beard in the camera frame: points along each.

    Args:
        person: whose they are.
        pose: one frame, as in `photograph`.
        shape: vertices of the head in the model frame.
    """
    turn, place, found = pose.rotation[0], pose.translation[0], []
    facing, stand = person.facing, _stand(person, pose)
    for strands, _ in person.hair:
        moved = strands.points + (shape - person.neutral)[strands.roots].mean(1)[:, None]
        with_head = to_camera(moved, turn[None], place[None])
        with_body = to_camera(moved, facing[None], stand[None])
        share = smoothstep(moved[..., 1:2], *LONG)
        found.append(torch.lerp(with_body, with_head, share))
    return found


def _stand(person: Person, pose: FaceParameters) -> Float[Tensor, "3"]:
    """Where the model frame's origin of the body is: below the head's joint, which it follows."""
    joint = torch.tensor([PIVOT])
    rest = to_camera(joint, person.rotation, person.translation)[0]
    now = to_camera(joint, pose.rotation[0], pose.translation[0])[0]
    foot = torch.lerp(rest, now, FOLLOWS)
    return foot - roma.rotvec_to_rotmat(person.facing) @ joint[0]


def _hair(strands: Strands, colour: Tensor, points: Tensor, middle: Tensor) -> Part:
    """Strands as bands; their normals are those of the whole mass of hair."""
    vertices, tangents = ribbons(points, strands.width)
    away = (vertices - middle) * vertices.new_tensor([1.0, 0.6, 1.0])
    tint = strands.tint[:, :, None].expand(-1, -1, 2).reshape(-1, 1)
    faces = _bands(*points.shape[:2])
    return Part.of(
        vertices, faces, colour * tint, HAIR, normals=normalized(away), tangents=tangents
    )


@lru_cache(maxsize=8)
def _bands(count: int, points: int) -> Int[Tensor, "F 3"]:
    """Faces of so many bands of so many points."""
    one = lattice(points, 2)
    return (one + torch.arange(count)[:, None, None] * (2 * points)).reshape(-1, 3)


@lru_cache(maxsize=4)
def _kinds(model: MorphableModel) -> Float[Tensor, " V"]:
    wet = (model.regions["eyeballs"] > 0.5) | (model.regions["teeth"] > 0.5)
    return torch.where(wet, float(EYE), float(SKIN))


_NORMAL, _COLOUR, _OPEN, _LIT, _KIND = slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 8), 8
_TANGENT, _PLACE, _POINT = slice(9, 12), slice(12, 15), slice(15, 18)


def _together(person: Person, parts: list[Part]) -> tuple[Tensor, Tensor, Tensor]:
    """Vertices, faces, and what is known at the vertices, in the order of the slices above."""
    start, faces = 0, []
    for part in parts:
        faces.append(part.faces.long() + start)
        start += len(part.vertices)
    vertices, triangles = torch.cat([part.vertices for part in parts]), torch.cat(faces)
    lit = _lit(person, parts)
    rows = []
    for part in parts:
        blank = torch.zeros_like(part.vertices)
        sky = part.open if part.open is not None else torch.ones(len(blank))
        tangents = blank if part.tangents is None else part.tangents
        places = blank - 1 if part.places is None else part.places
        row = [part.normals, part.colours, sky[:, None], blank[:, :1], part.kinds[:, None]]
        rows.append(torch.cat([*row, tangents, places, part.vertices], dim=-1))
    values = torch.cat(rows)
    values[:, _LIT] = lit
    return vertices, triangles, values


def _lit(person: Person, parts: list[Part]) -> Float[Tensor, "V 1"]:
    """What of the lamp reaches each vertex: heads shade themselves, and what is below the chin."""
    head, model = parts[0], person.model
    shown = reached(head.vertices, head.faces, person.light.lamp, pixels=SHADOW)
    shown = smoothed(shown, model)
    low = model.identity.mean[:, 1] < NECK
    rows = [shown]
    for part in parts[1:]:
        lit = torch.ones(len(part.vertices))
        if part.open is not None:
            lit = torch.lerp(shown[low].mean(), lit, ramp(part.open, 0.6, 1.0))
        rows.append(lit)
    return torch.cat(rows)[:, None]


def _shaded(person: Person, seen: Float[Tensor, "N 18"]) -> Float[Tensor, "N 3"]:
    """Colours of pixels."""
    kind = seen[:, _KIND].round()
    view = -normalized(seen[:, _POINT])
    normals = normalized(seen[:, _NORMAL])
    away = ((normals * view).sum(-1) < 0) & (kind == BODY)  # cloth has two sides
    normals = torch.where(away[:, None], -normals, normals)
    colour = seen[:, _COLOUR].clone()
    cloth = (kind == BODY) & (seen[:, _PLACE][:, 2] > 0)
    colour[cloth] = woven(seen[cloth][:, _PLACE], person.clothes)
    lit = seen[:, _LIT]
    light = person.light.falling(normals, seen[:, _OPEN], lit)
    return colour * light + _shine(person, seen, kind, view) * lit * person.light.strength


def _shine(person: Person, seen: Tensor, kind: Tensor, view: Tensor) -> Float[Tensor, "N 1"]:
    """What surfaces send back unchanged, as a part of the lamp's light.

    Skin, eyes and frames as Blinn (1977) has it; hair as Kajiya and Kay (1989), whose highlight
    depends on the angle between the strand and the half vector.
    """
    half = normalized(view + person.light.lamp)
    straight = (normalized(seen[:, _NORMAL]) * half).sum(-1).clamp(min=0)
    along = (normalized(seen[:, _TANGENT]) * half).sum(-1)
    shine = torch.zeros_like(straight)
    for what, (share, power) in _GLOSS.items():
        base = (1 - along.square()).clamp(min=0).sqrt() if what == HAIR else straight
        own = kind == what
        shine[own] = share * base[own] ** power
    return shine[:, None]


_GLOSS = {SKIN: (0.10, 14.0), EYE: (0.55, 90.0), HAIR: (0.13, 40.0), GLASS: (0.4, 30.0)}
"""Share of the lamp that each kind sends back straight, and how sharply."""
