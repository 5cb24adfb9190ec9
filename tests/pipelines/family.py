"""Pictures of known heads from several sides, and their landmarks: for fits of several photos."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import roma
import torch

from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.images import write_image
from morphface.models import load_model
from morphface.pipelines.photo import faces_of
from morphface.render import Renderer

SIZE = (160, 160)
YAWS = (-25.0, 0.0, 25.0)
NOISE = 0.3  # pixels


@dataclass(frozen=True)
class Sitter:
    """A head of the open model."""

    identity: torch.Tensor
    reflectance: torch.Tensor


def sitter(seed: int) -> Sitter:
    """A random head."""
    rng = torch.Generator().manual_seed(seed)
    return Sitter(torch.randn(80, generator=rng), 0.5 * torch.randn(80, generator=rng))


def take(person: Sitter | None, yaw: float, path, size=SIZE) -> Landmarks | None:
    """Write a picture of the head, turned by `yaw` degrees, or of the wall behind it alone.

    Returns its landmarks, with noise.
    """
    model, camera = load_model(), Camera.facing(size, focal=2.2 * max(size))
    wall = torch.tensor([0.3, 0.4, 0.35])
    if person is None:
        write_image(path, wall.expand(*size, 3))
        return None
    expression = torch.zeros(1, 52)
    expression[0, model.expression.names.index("jawOpen")] = 0.1 + yaw / 500
    turn = angles_to_rotvec(torch.deg2rad(torch.tensor([yaw, 4.0, 0.0])))
    head = model.vertices(person.identity[None], expression)[0]
    vertices = to_camera(head, turn, torch.tensor([0.0, 15.0, -700.0]))
    colours = model.albedo(person.reflectance[None]).clamp(0, 1)
    write_image(path, Renderer.of(model, camera)(vertices[None], colours=colours).over(wall)[0])
    points = camera.project(model.landmark_embedding("478").points(vertices))[:, :2]
    rng = torch.Generator().manual_seed(int(yaw) + 90)
    points = points + NOISE * torch.randn(points.shape, generator=rng)
    return Landmarks(points, "478", torch.ones(len(points)), box_of(points))


@contextmanager
def album_of(folder: Path) -> Iterator[list[str]]:
    """A head from three sides and another head, whose landmarks are known without a detector."""
    known = {}
    for number, yaw in enumerate(YAWS):
        path = str(folder / f"v{number}.png")
        known[path] = take(sitter(1), yaw, path)
    path = str(folder / "other.png")
    known[path] = take(sitter(2), 0.0, path, (200, 180))

    def found(photo, *rest):
        return (photo, [known[photo.source]]) if photo.source in known else faces_of(photo, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("photo", "together"):
            patch.setattr(importlib.import_module(f"morphface.pipelines.{name}"), "faces_of", found)
        yield list(known)


def face_error(found: torch.Tensor, person: Sitter) -> float:
    """Median distance of the faces of two identities in millimetres, scaled and laid together."""
    model = load_model()
    none = torch.zeros(1, 52)
    a, b = (model.vertices(i[None], none)[0] for i in (found, person.identity))
    front = b[:, 2] > -60
    a, b = a[front], b[front]
    turn, shift, scale = roma.rigid_points_registration(a, b, compute_scaling=True)
    return float((scale * a @ turn.mT + shift - b).norm(dim=-1).median())
