"""The hair of a person in a photo as a closed surface in 3D, or what they wear on the head.

Front and rear of the person's surface (`body.py`) where hair is, joined at the outline of the
matte, each with the colours that turned views give it, without the light of the photo.
"""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import label
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.fitted import FittedFace
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.rerender.body import Body
from morphface.rerender.lookup import enlarged_fast
from morphface.rerender.nets import Net
from morphface.rerender.person import Person
from morphface.segment.filters import blurred, distance, single

__all__ = ["HairShell", "hair_shell"]

LEAST = 0.5
"""How hairy someone must be to have any (`Person.hairy`)."""
HAIRY = 0.4
"""Share of hair around a node of the front from which it belongs to the shell."""
THIN = 0.25
"""The same with what is behind counted too: less is a strip along the outline, and no hair."""
JAW = -30.0
"""Height in the model frame, in millimetres, above which hair grows, or from which it hangs."""
PIECE = 0.15
"""Size of hair that does not, in heads, from which it is some nevertheless."""
BESIDE = 20.0
"""Millimetres beside hair in front to which there is some behind, below the nape."""
NAPE = -45.0
"""Height in the model frame down to which short hair goes behind, in millimetres."""
DIMMEST = 0.3
"""Irradiance below which a colour is not divided by it."""
BOUNDS = 0.75, 1.25
"""Least and most of the light that faces the camera that hair is taken to be in."""
BROAD = 110.0
"""Millimetres beside a head up to which hair goes."""
EVENED = 6
"""Times that open edges are smoothed."""
SEAM = 0.05
"""How far within the outline the front begins to have the rear's colours, in sizes of the head."""
RIM = 1.5
"""Nodes beyond the outline in which front and rear meet."""


@dataclass(frozen=True, eq=False)
class HairShell:
    """Hair, or what is worn on the head.

    Args:
        vertices: in the model frame.
        faces: vertex indices, counter-clockwise seen from outside.
        normals: unit vectors.
        uv: of the vertices, (0, 0) at the lower left of the picture.
        picture: what it reflects of any light; the front at the left, the rear at the right.
    """

    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]
    normals: Float[Tensor, "V 3"]
    uv: Float[Tensor, "V 2"]
    picture: Float[Tensor, "H W 3"]


def hair_shell(face: FittedFace, photo: Photo) -> HairShell | None:
    """The hair of a fitted face; None for who has none.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
    """
    return _built(Body(Person(face, photo)))


def _built(body: Body) -> HairShell | None:
    """The hair of a person whose surface is known."""
    person = body.person
    if person.hairy < LEAST:
        return None
    nets = [Net.of(wanted, every=True, one_sided=True).faces for wanted in _wanted(body)]
    if not all(map(len, nets)):
        return None
    front, rear = (body.to_model(points).flatten(0, 1) for points in (body.front, body.rear))
    towards = (torch.tensor([0.0, 0, 1]), torch.tensor([0.0, 0, -1]))
    sides = [
        _facing(points, net, way)
        for points, net, way in zip((front, rear), nets, towards, strict=True)
    ]
    nodes = torch.cat([sides[0], sides[1] + len(front)])
    used, faces = torch.unique(nodes, return_inverse=True)
    normals = torch.cat([vertex_normals(*pair) for pair in zip((front, rear), sides, strict=True)])
    light = [_light(body, points, net) for points, net in zip((front, rear), sides, strict=True)]
    left, top, right, bottom = body.box
    part = slice(top, bottom), slice(left, right)
    pictures = [
        np.clip(picture[part] / enlarged_fast(light[k].numpy(), picture[part].shape[:2]), 0, 1)
        for k, picture in enumerate((person.padded(person.colours), person.rear))
    ]
    deep = torch.from_numpy(single(person.depth_within[part] / person.work.size))[..., None]
    pictures[0] += ramp(deep, SEAM, 0.0).numpy() * (pictures[1] - pictures[0])
    place = (body.nodes - torch.tensor([left, top])) / torch.tensor([right - left, bottom - top])
    u, v = place.flatten(0, 1).unbind(-1)
    uv = torch.cat([torch.stack([(u + k) / 2, 1 - v], -1) for k in (0, 1)])
    values = torch.cat([torch.cat([front, rear]), normals, uv], -1)[used]
    vertices, normals, uv = _evened(values, faces).split([3, 3, 2], -1)
    picture = torch.from_numpy(single(np.concatenate(pictures, 1)))
    return HairShell(vertices, faces.to(person.face.model.faces), normalized(normals), uv, picture)


def _wanted(body: Body) -> tuple[Bool[Tensor, "R C"], Bool[Tensor, "R C"]]:
    """Nodes of the front and of the rear that are hair, and some beyond the outline."""
    person, width = body.person, 0.03 * body.person.work.size
    hair = person.padded(person.labels.hair * person.matte * (1 - person.bearded))
    whole = person.padded(person.matte)
    dense = blurred(hair, width)
    near = body.at_nodes(dense / (blurred(whole, width) + 1e-3))
    near = near * (body.at_nodes(dense) > THIN)
    inside = (body.within > -RIM * body.step * body.pixel) & _in_photo(body)
    flat = body.to_model(body.points(torch.full(body.within.shape, body.plane)))
    wide = body.at_nodes(blurred(hair, 2 * width))
    behind = torch.maximum(smoothstep(flat[..., 1], NAPE - 15, NAPE + 15), wide * 2) > 0.5
    inside = inside & _own(body, inside & ((near > HAIRY) | behind))
    front = _hanging(inside & (near > HAIRY), flat[..., 1], body.on_mesh)
    beside = torch.from_numpy(distance(~front.numpy())) * body.step * body.pixel < BESIDE
    return front, inside & behind & ((flat[..., 1] > NAPE) | beside)


def _hanging(
    hair: Bool[Tensor, "R C"], high: Float[Tensor, "R C"], head: Bool[Tensor, "R C"]
) -> Bool[Tensor, "R C"]:
    """Hair without small pieces beside jaw and neck: shadows on a wall look like it.

    Args:
        hair: nodes of it.
        high: of all nodes, in the model frame, in millimetres.
        head: nodes that show the head's mesh.
    """
    parts, _ = label(hair.numpy())
    number = torch.from_numpy(parts).long()
    hangs = torch.bincount(number[high > JAW], minlength=int(number.max()) + 1) > 0
    large = torch.bincount(number.flatten()) > PIECE * head.sum()
    return hair & (hangs | large)[number]


def _own(body: Body, hair: Bool[Tensor, "R C"]) -> Bool[Tensor, "R C"]:
    """Nodes that hang together with the head and are near it: next to it may be someone else."""
    head = body.on_mesh
    parts, _ = label(hair.numpy())
    kept = torch.from_numpy(np.isin(parts, np.unique(parts[head.numpy() & (parts > 0)])))
    away = torch.from_numpy(distance(~head.numpy())) * body.step * body.pixel
    return kept & (away < BROAD)


def _in_photo(body: Body) -> Bool[Tensor, "R C"]:
    """Nodes that the photo shows: what its border cuts has no known end."""
    height, width = body.person.photo.size
    beyond = torch.maximum(-body.places, body.places - torch.tensor([width, height])).amax(-1)
    return beyond <= 0


def _evened(values: Float[Tensor, "V C"], faces: Int[Tensor, "F 3"]) -> Float[Tensor, "V C"]:
    """Values whose steps along open edges, which are those of a grid, are smoothed away."""
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    low, high = pairs.long().sort(-1).values.unbind(-1)
    sides, count = torch.unique(low * len(values) + high, return_counts=True)
    low, high = sides[count == 1] // len(values), sides[count == 1] % len(values)
    here, beside = torch.cat([low, high]), torch.cat([high, low])
    number = torch.bincount(here, minlength=len(values))[:, None]
    for _ in range(EVENED):
        mean = torch.zeros_like(values).index_add(0, here, values[beside]) / number.clamp(min=1)
        values = torch.where(number > 0, 0.5 * (values + mean), values)
    return values


def _facing(
    points: Float[Tensor, "N 3"], faces: Int[Tensor, "F 3"], way: Float[Tensor, "3"]
) -> Int[Tensor, "F 3"]:
    """Faces whose normals look that way, on the whole."""
    a, b, c = points[faces].unbind(1)
    towards = torch.linalg.cross(b - a, c - a).sum(0) @ way
    return faces if float(towards) > 0 else faces.flip(1)


def _light(
    body: Body, points: Float[Tensor, "N 3"], faces: Int[Tensor, "F 3"]
) -> Float[Tensor, "R C 3"]:
    """What falls on each node in the photo, times what the camera makes of it.

    It is of one colour, and nowhere much darker or brighter than on the face: what harmonics make
    of the sides of a head is a guess without bounds, by which colours are divided here.
    """
    face, ones = body.person.face, torch.ones(*body.within.shape, 3)
    if face.pixels is None:
        return ones
    p = face.parameters
    turned = vertex_normals(points, faces) @ roma.rotvec_to_rotmat(p.rotation[0]).T
    turned[:, 2] = turned[:, 2].abs()  # the rear has the colours of what is seen beside it
    weights = points.new_tensor(LUMINANCE)
    front = irradiance(p.illumination[0], points.new_tensor([[0.0, 0, 1]]))[0].clamp(min=DIMMEST)
    bright = irradiance(p.illumination[0], turned) @ weights / (front @ weights)
    light = bright.clamp(*BOUNDS)[:, None] * front * face.pixels.gain[0]
    return light.unflatten(0, body.within.shape)
