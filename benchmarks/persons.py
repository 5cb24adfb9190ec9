"""Heads with hair, a collar and shoulders, before a wall with lines: pictures of known people.

Hair is a shell over the head's own scalp (short), with a curtain down to the shoulders (long), or
with a knot (bun); strands and weaves are functions of the place, as fine as the picture is. The
neck turns with the head, shoulders and collar stay, and long hair shares the turn the less the
lower it is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate as resized
from torch.nn.functional import normalize

from benchmarks.bench_linear_fit import Head, shape
from benchmarks.skin import FINER, Skin
from morphface.core.ramps import smoothstep
from morphface.edit.pose import PIVOT
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render import interpolate, rasterize

__all__ = ["KINDS", "Person", "Shot", "wall_with_lines"]

KINDS = ("short", "long", "bun")
HAIRS = ((0.09, 0.07, 0.06), (0.30, 0.19, 0.11), (0.62, 0.47, 0.28), (0.45, 0.43, 0.42))
THICK = {"short": 10.0, "long": 20.0, "bun": 8.0}  # of hair over the scalp, mm
SKIN, HAIR, BODY = 0, 1, 2


@dataclass(frozen=True)
class Shot:
    """A picture and what its pixels show.

    Args:
        image: RGB in 8 bits, as parts of 1.
        person: where the person is.
        head: where their face, ears, neck and hair are.
        hair: where their hair is.
    """

    image: Tensor
    person: Tensor
    head: Tensor
    hair: Tensor


@dataclass(frozen=True)
class Person:
    """Someone who looks ahead.

    Args:
        model: of the head.
        head: its parameters, and the camera.
        skin: detail of the skin.
        kind: of the hair.
        colours: of hair and clothes, 2 x 3.
        wall: behind them, of the camera's size.
    """

    model: MorphableModel
    head: Head
    skin: Skin
    kind: str
    colours: Tensor
    wall: Tensor

    def photograph(self, parameters: FaceParameters) -> Shot:
        """A picture of the person in another pose, twice as fine as it is seen."""
        model, camera = self.model, self.head.camera
        still = self.head.parameters
        skull = shape(model, still)
        parts = [(skull, model.faces, torch.ones(len(skull)), SKIN), *self._hair(skull)]
        parts += self._body()
        vertices, faces, kinds, places, start = [], [], [], [], 0
        for points, triangles, share, kind in parts:
            vertices.append(_turned(points, share, still, parameters))
            faces.append(triangles + start)
            kinds.append(torch.full((len(points),), kind))
            places.append(model.identity.mean if kind == SKIN else points)
            start += len(points)
        both = torch.cat(vertices), torch.cat(faces).to(model.faces.dtype)
        return self._drawn(both, torch.cat(kinds), torch.cat(places), camera)

    def _hair(self, skull: Tensor) -> list[tuple[Tensor, Tensor, Tensor, int]]:
        """Points, triangles, shares of the turn, and the kind of each part."""
        x, y, z = self.model.identity.mean.unbind(-1)
        deep = y - (85 + 0.93 * (z - 20))  # how far behind the hairline
        ears = self.model.regions["ears"] > 0.2
        skin = self.model.regions["skin"] > 0.5
        on = (deep > 0) & skin & (~ears if self.kind != "long" else skin)
        normals = vertex_normals(skull, self.model.faces)
        thick = THICK[self.kind] * smoothstep(deep, 0.0, 30.0)
        shell = skull + normals * thick[:, None]
        faces = self.model.faces[on[self.model.faces].all(-1)]
        parts = [(shell, faces, torch.ones(len(shell)), HAIR)]
        if self.kind == "bun":
            middle, radius = torch.tensor([0.0, 105.0, -125.0]), torch.full((3,), 38.0)
            points, faces = _ball(middle, radius)
            parts.append((points, faces, torch.ones(len(points)), HAIR))
        if self.kind == "long":
            points, faces = _tube((97.0, 98.0), (15.0, -235.0), -80.0, 115.0)
            parts.append((points, faces, smoothstep(points[:, 1], -225.0, -90.0), HAIR))
        return parts

    def _body(self) -> list[tuple[Tensor, Tensor, Tensor, int]]:
        ball = _ball(torch.tensor([0.0, -275.0, -95.0]), torch.tensor([215.0, 95.0, 85.0]))
        collar = _tube((76.0, 80.0), (-148.0, -215.0), -62.0, 180.0)
        return [(points, faces, torch.zeros(len(points)), BODY) for points, faces in (ball, collar)]

    def _drawn(
        self, mesh: tuple[Tensor, Tensor], kinds: Tensor, places: Tensor, camera: object
    ) -> Shot:
        vertices, faces = mesh
        height, width = self.wall.shape[:2]
        screen = self.head.camera.project(vertices) * torch.tensor([FINER, FINER, 1.0])
        found = rasterize(screen[None], faces, (height * FINER, width * FINER))
        mask = found.mask[0]
        blank = torch.zeros(len(vertices) - self.model.size, 4)
        own = torch.cat(
            [
                self.model.albedo(self.head.parameters.reflectance)[0],
                self.model.regions["brows"][:, None],
            ],
            -1,
        )
        values = [vertex_normals(vertices, faces), places, kinds[:, None].float()]
        values += [torch.cat([own, blank]), self._eyes(len(vertices))]
        seen = interpolate(torch.cat(values, -1)[None], faces, found)[0][mask]
        normals, places, kind, albedo, brows, eyes = seen.split([3, 3, 1, 3, 1, 1], -1)
        towards = normalize(normals, dim=-1)
        towards = torch.where(towards[:, 2:] < 0, -towards, towards)  # thin hair has two sides
        kind = kind.round()
        skin = torch.where(eyes > 0.5, albedo, self.skin.over(albedo, places, brows))
        colour = torch.where(kind == HAIR, self.colours[0] * _strands(places), skin)
        colour = torch.where(kind == BODY, self.colours[1] * _weave(places), colour)
        light = irradiance(self.head.parameters.illumination, towards[None])[0].clamp(min=0.1)
        image = self.wall.repeat_interleave(FINER, 0).repeat_interleave(FINER, 1)
        image[mask] = (colour * light).clamp(0, 1)
        shown = torch.full(mask.shape, -1.0)
        shown[mask] = kind[:, 0]
        masks = mask, mask & (shown < BODY), shown == HAIR
        halves = [_halved(each[..., None].float())[..., 0] > 0.5 for each in masks]
        return Shot(_halved(image).mul(255).round() / 255, *halves)

    def _eyes(self, size: int) -> Tensor:
        out = torch.zeros(size, 1)
        out[: self.model.size, 0] = self.model.regions["eyeballs"]
        return out


def wall_with_lines(size: tuple[int, int], rng: torch.Generator) -> Tensor:
    """A background of soft shades with straight lines and boxes."""
    height, width = size
    colour = 0.35 + 0.4 * torch.rand(3, 1, 1, generator=rng)
    shades = 0.15 * (torch.rand(1, 1, 6, 6, generator=rng) - 0.5)
    wall = (colour + resized(shades, size, mode="bicubic", align_corners=False)[0]).movedim(0, -1)
    for _ in range(7):
        left, top = (torch.rand(2, generator=rng) * torch.tensor([width, height])).int().tolist()
        wide, tall = (torch.rand(2, generator=rng) * 110 + 8).int().tolist()
        tint = 0.5 * (torch.rand(3, generator=rng) - 0.5)
        wall[top : top + tall, left : left + wide] += tint
    for _ in range(6):
        at, upright = (
            int(torch.rand(1, generator=rng) * width),
            bool(torch.rand(1, generator=rng) > 0.4),
        )
        wall[(slice(None), slice(at, at + 3)) if upright else (slice(at, at + 3),)] *= 0.5
    return wall.clamp(0, 1)


def _turned(points: Tensor, share: Tensor, before: FaceParameters, after: FaceParameters) -> Tensor:
    """Points of the model frame, in the camera frame, after a share of the turn each."""
    import roma

    old, new = (roma.rotvec_to_rotmat(p.rotation[0]) for p in (before, after))
    turn = roma.rotmat_to_rotvec(new @ old.T)
    still = to_camera(points, before.rotation[0], before.translation[0])
    joint = to_camera(torch.tensor([PIVOT]), before.rotation[0], before.translation[0])[0]
    matrix = roma.rotvec_to_rotmat(share[:, None] * turn)
    return (matrix @ (still - joint)[..., None])[..., 0] + joint


def _ball(middle: Tensor, radius: Tensor, steps: int = 40) -> tuple[Tensor, Tensor]:
    up, around = torch.meshgrid(
        torch.linspace(-1.57, 1.57, steps), torch.linspace(0, 6.2832, 2 * steps), indexing="ij"
    )
    points = torch.stack([up.cos() * around.sin(), up.sin(), up.cos() * around.cos()], -1)
    return (middle + points * radius).reshape(-1, 3), _grid(steps, 2 * steps)


def _tube(
    radii: tuple[float, float], heights: tuple[float, float], depth: float, reach: float
) -> tuple[Tensor, Tensor]:
    """A part of a tube around the neck, so many degrees to both sides of its back."""
    edge = torch.deg2rad(torch.tensor(reach))
    y, angle = torch.meshgrid(
        torch.linspace(*heights, 40), torch.linspace(-float(edge), float(edge), 80), indexing="ij"
    )
    points = torch.stack([radii[0] * angle.sin(), y, depth - radii[1] * angle.cos()], -1)
    return points.reshape(-1, 3), _grid(40, 80)


def _grid(rows: int, columns: int) -> Tensor:
    node = torch.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = node[:-1, :-1], node[:-1, 1:], node[1:, :-1], node[1:, 1:]
    return torch.stack([torch.stack([a, b, c], -1), torch.stack([b, d, c], -1)], -2).reshape(-1, 3)


def _strands(places: Tensor) -> Tensor:
    x, y, z = places.unbind(-1)
    along = 0.9 * x + 0.5 * z + 3 * torch.sin(y / 17)
    value = 1 + 0.22 * torch.sin(1.7 * along) + 0.14 * torch.sin(4.3 * along + 0.2 * y)
    return value[:, None]


def _weave(places: Tensor) -> Tensor:
    x, y, z = places.unbind(-1)
    return (1 + 0.2 * torch.sign(torch.sin(x / 9)) + 0.1 * torch.sin((y + z) / 5))[:, None]


def _halved(image: Tensor) -> Tensor:
    height, width = image.shape[0] // FINER, image.shape[1] // FINER
    return image.view(height, FINER, width, FINER, -1).mean(dim=(1, 3))
