"""The video that shows a track: each frame with the lines of the face, and with its mesh.

Drawing must not slow tracking down: panels are small, and only the front of the head is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.landmarks.schemes import scheme
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.parameters.track import LOST, PREDICTED
from morphface.render import interpolate, rasterize

__all__ = ["PANEL", "OverlayPainter", "Person", "Shown"]

PANEL = 640
"""The longest side of each of the two panels, in pixels; smaller videos keep their size."""
_FINE = 2
_OPACITY = 0.85
_MARGIN = 4
_LINE = (230, 245, 250, 200)
_GAZE = (255, 214, 64, 235)
_GAZE_LENGTH = 40.0
_LAMP = (0.25, 0.45, 0.85)
_AMBIENT = 0.28
_CLAYS = ((0.62, 0.84, 0.94), (0.95, 0.74, 0.58), (0.68, 0.88, 0.60), (0.86, 0.70, 0.94))
"""The colour of each person's mesh."""
_GUESSED = (1.0, 0.72, 0.25)
_SPLIT = {"478": {"nose": 7, "right_brow": 5, "left_brow": 5}, "68": {"nose": 4}}
"""Groups that are two lines, and how many points the first of them has."""
_OPEN = ("nose", "right_brow", "left_brow", "jaw")
_UNDRAWN = "inner_lips"
_Image = UInt8[np.ndarray, "h w 3"]


@runtime_checkable
class Person(Protocol):
    """One person in one frame: a `TrackedFace`, or a `Shown`."""

    @property
    def parameters(self) -> FaceParameters:
        """Of the frame."""

    @property
    def camera(self) -> Camera:
        """That took it."""

    @property
    def state(self) -> int:
        """As in `Track`; who is lost is not drawn."""

    @property
    def number(self) -> int:
        """Of the person, from 0."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One person in one frame.

    Args:
        parameters: of the frame.
        camera: that took it.
        state: as in `Track`; who is lost is not drawn.
        number: of the person, from 0.
    """

    parameters: FaceParameters
    camera: Camera
    state: int
    number: int = 0


class OverlayPainter:
    """Draws tracked faces on frames.

    Args:
        model: that the parameters belong to.
        size: height and width of the frames.
    """

    def __init__(self, model: MorphableModel, size: tuple[int, int]) -> None:
        self.model = model
        self.scale = min(1.0, PANEL / max(size))
        self.panel = (max(1, round(size[0] * self.scale)), max(1, round(size[1] * self.scale)))
        self._opacity = _OPACITY * model.regions.get("face", torch.ones(model.size))
        self._faces = model.faces[(self._opacity[model.faces] > 0).any(dim=1)]
        self._scheme = next((name for name in ("478", "68") if name in model.landmarks), None)
        self._lamp = normalize(torch.tensor(_LAMP), dim=0)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what is drawn: two panels side by side."""
        return self.panel[0], 2 * self.panel[1]

    def draw(self, photo: Photo, people: Sequence[Person]) -> UInt8[Tensor, "h w 3"]:
        """The frame with lines, and beside it the frame with meshes.

        Args:
            photo: the frame.
            people: who was found in it.
        """
        lines = self._shrunk(photo)
        meshes = lines.copy()
        for person in people:
            if person.state != LOST:
                place = self._place(person)
                self._draw_mesh(meshes, place, person)
                self._draw_lines(lines, place, person, named=len(people) > 1)
        return torch.from_numpy(np.concatenate([lines, meshes], axis=1))

    def _shrunk(self, photo: Photo) -> _Image:
        values = photo.to_uint8().numpy()
        if self.scale == 1:
            return values.copy()
        shape = (self.panel[1], self.panel[0])
        small = Image.fromarray(values).resize(shape, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return np.array(small)

    def _place(self, person: Person) -> "_Place":
        face = person.parameters
        shape = self.model.vertices(face.identity, face.expression, face.gaze)[0]
        vertices = to_camera(shape, face.rotation[0], face.translation[0])
        scale = vertices.new_tensor([self.scale, self.scale, 1.0])
        return _Place(vertices, person.camera, scale)

    def _draw_mesh(self, image: _Image, place: "_Place", person: Person) -> None:
        front = self._opacity > 0
        screen = place.screen(place.vertices)
        box = _box(screen[front], self.panel)
        if box is None:
            return
        left, top, right, bottom = box
        moved = screen - screen.new_tensor([left, top, 0.0])
        found = rasterize(moved[None], self._faces, (bottom - top, right - left), cull=True)
        drawn = interpolate(self._colours(place, person)[None], self._faces, found)[0]
        inside = found.mask[0].float()
        soft = avg_pool2d(inside[None, None], 3, stride=1, padding=1)[0, 0]
        alpha = (drawn[..., 3] * inside * soft)[..., None].numpy()
        part = image[top:bottom, left:right]
        part[:] = (part * (1 - alpha) + 255 * drawn[..., :3].numpy() * alpha + 0.5).astype(np.uint8)

    def _colours(self, place: "_Place", person: Person) -> Float[Tensor, "V 4"]:
        """Clay in the light of a lamp, and how opaque it is."""
        normals = vertex_normals(place.vertices, self._faces)
        light = _AMBIENT + (1 - _AMBIENT) * (normals @ self._lamp).clamp(min=0)
        guessed = person.state == PREDICTED
        clay = normals.new_tensor(_GUESSED if guessed else _CLAYS[person.number % len(_CLAYS)])
        return torch.cat([light[:, None] * clay, self._opacity[:, None]], dim=1)

    def _draw_lines(self, image: _Image, place: "_Place", person: Person, *, named: bool) -> None:
        marks, facing = self._landmarks(place)
        sights = self._sights(place, person)
        ends = torch.cat([marks, *sights])
        box = _box(ends, self.panel)
        if box is None:
            return
        left, top, right, bottom = box
        layer = Image.new("RGBA", (_FINE * (right - left), _FINE * (bottom - top)))
        pen = ImageDraw.Draw(layer)
        corner = torch.tensor([left, top])
        spots = ((marks[:, :2] - corner) * _FINE).tolist()
        for one, other in self._segments():
            if facing[one] and facing[other]:
                pen.line((*spots[one], *spots[other]), fill=_LINE, width=_FINE)
        for sight in sights:
            (x, y), (to_x, to_y) = ((sight[:, :2] - corner) * _FINE).tolist()
            pen.line((x, y, to_x, to_y), fill=_GAZE, width=_FINE)
            pen.ellipse((to_x - 3, to_y - 3, to_x + 3, to_y + 3), fill=_GAZE)
        if named:
            font = ImageFont.load_default(14 * _FINE)
            pen.text((_FINE * _MARGIN, 0), str(person.number), fill=_GAZE, font=font)
        small = np.asarray(layer.reduce(_FINE), dtype=np.float32)
        alpha = small[..., 3:] / 255
        part = image[top:bottom, left:right]
        part[:] = (part * (1 - alpha) + small[..., :3] * alpha + 0.5).astype(np.uint8)

    def _landmarks(self, place: "_Place") -> tuple[Float[Tensor, "N 3"], Bool[np.ndarray, " N"]]:
        """Where the landmarks are in the panel, and whether the surface there faces the camera."""
        if self._scheme is None:
            return place.vertices.new_zeros(0, 3), np.zeros(0, bool)
        embedding = self.model.landmarks[self._scheme]
        corners = place.vertices[embedding.triangles]
        normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        points = embedding.points(place.vertices)
        facing = ((normals * points).sum(dim=-1) < 0).numpy()
        for group in _parts(self._scheme):  # drawn whole or not at all
            facing[group] = facing[group].mean() > 0.5
        return place.screen(points), facing

    def _segments(self) -> list[tuple[int, int]]:
        return [] if self._scheme is None else _segments(self._scheme)

    def _sights(self, place: "_Place", person: Person) -> list[Float[Tensor, "2 3"]]:
        """From each eye that is seen, where it looks."""
        sights = []
        face = person.parameters
        for side, eye in enumerate(self.model.eyes or ()):
            yaw, pitch = face.gaze[0, side]
            ahead = torch.stack([pitch.cos() * yaw.sin(), pitch.sin(), pitch.cos() * yaw.cos()])
            ahead = to_camera(ahead[None], face.rotation[0], torch.zeros(3))[0]
            centre = place.vertices[eye.vertices].mean(dim=0)
            if float(ahead @ centre) < 0:
                reach = torch.tensor([[eye.radius], [eye.radius + _GAZE_LENGTH]])
                sights.append(place.screen(centre + reach * ahead))
        return sights


@dataclass(frozen=True, eq=False)
class _Place:
    """A head in front of the camera.

    Args:
        vertices: in the camera frame.
        camera: that took the frame.
        scale: of the panel.
    """

    vertices: Float[Tensor, "V 3"]
    camera: Camera
    scale: Float[Tensor, "3"]

    def screen(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
        """Position in the panel, and depth."""
        return self.camera.project(points) * self.scale


@cache
def _parts(name: str) -> list[list[int]]:
    """Numbers of the landmarks of each eye and of the lips."""
    groups = scheme(name).groups.items()
    return [list(points) for group, points in groups if group.endswith(("eye", "lips", "iris"))]


@cache
def _segments(name: str) -> list[tuple[int, int]]:
    """Pairs of landmarks between which a line is drawn."""
    pairs = []
    for group, points in scheme(name).groups.items():
        points = points[1:] if group.endswith("iris") else points
        end = _SPLIT[name].get(group, len(points))
        rings = [points[:end], points[end:]]
        if group not in _OPEN:
            rings = [(*points, points[0])]
        pairs += [pair for ring in rings for pair in pairwise(ring) if group != _UNDRAWN]
    return pairs


def _box(points: Float[Tensor, "N 3"], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the part of a panel that `points` lie in, or None."""
    if len(points) == 0 or not bool(points.isfinite().all()):
        return None
    low, high = points[:, :2].amin(0).floor(), points[:, :2].amax(0).ceil()
    left, top = (max(0, int(value) - _MARGIN) for value in low)
    right, bottom = int(high[0]) + _MARGIN, int(high[1]) + _MARGIN
    right, bottom = min(size[1], right), min(size[0], bottom)
    return (left, top, right, bottom) if left < right and top < bottom else None
