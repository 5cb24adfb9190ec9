"""The scanned head with the fine normals that were measured with it, and pictures of it.

Its map of normals says what its mesh is too coarse for. Truth is told at points of its face, the
texels of its texture: where they are, their normals with that map, and how high they lie over the
mesh, by integrating the map (Frankot and Chellappa 1988). Green of the map points up: so its field
of slopes has the less curl.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.independent import LAMPS, Part
from benchmarks.pictures import save_shot
from benchmarks.subjects import DISTANCE, FRAME, Subject, photograph, scan
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import to_camera
from morphface.geometry.tangents import texture_tangents
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.render import interpolate
from morphface.render.unwrap import rasterize_uv

__all__ = ["FOCAL", "SIZE", "VIEWS", "Truth", "detailed_scan", "photographs", "truth_of"]

VIEWS = [(0, 0), (-25, 0), (25, 0), (0, 15), (0, -15)]
"""Yaw and pitch in degrees."""
SIZE, FOCAL, SAMPLES = (1024, 1024), 1800.0, 40
TEXELS = 1024
USUAL, TORN = 0.4, 3.0  # millimetres between texels, and from which they are not neighbours


@dataclass(frozen=True)
class Truth:
    """Points of the scan's face, in millimetres.

    Args:
        points: N of them.
        normals: with the map, of unit length.
        plain: those of the mesh alone.
        height: of the surface over these points.
        relief: of the surface over the mesh that it was made from.
    """

    points: Tensor
    normals: Tensor
    plain: Tensor
    height: Tensor
    relief: Tensor

    def turned(self, view: int) -> "Truth":
        """As the camera of a view has it."""
        turn = angles_to_rotvec(torch.tensor([*VIEWS[view], 0.0]).deg2rad())
        still = torch.zeros(3)
        return Truth(
            to_camera(self.points, turn, torch.tensor([0.0, 0.0, -DISTANCE])),
            to_camera(self.normals, turn, still),
            to_camera(self.plain, turn, still),
            self.height,
            self.relief,
        )


def detailed_scan(data: Path) -> Subject:
    """The scan with its map of normals."""
    folder = data / "scans"
    person = scan(folder / "lee_perry_smith.obj")
    relief = folder / "lee_perry_smith_normal.jpg"
    return replace(person, parts=(replace(person.parts[0], relief=relief),))


def photographs(
    person: Subject,
    folder: Path,
    *,
    focal: float = FOCAL,
    size: tuple[int, int] = SIZE,
    samples: int = SAMPLES,
) -> Mapping[tuple[int, int], Path]:
    """Files of somebody's pictures by light and view; what is missing is rendered.

    Args:
        person: who it is.
        folder: where they are kept.
        focal: of the camera, in pixels.
        size: height and width of the pictures.
        samples: rays a pixel.
    """
    out = {}
    with MediaPipeDetector() as detector:
        for light, lamp in enumerate(LAMPS.values()):
            for view, angles in enumerate(VIEWS):
                path = out[light, view] = folder / f"{light}-{view}.npz"
                if not path.exists():
                    shot = photograph(
                        person, angles, lamp, detector, focal=focal, samples=samples, size=size
                    )
                    save_shot(path, shot)
    return out


def truth_of(person: Subject, every: int = 1) -> Truth:
    """What is known of its face, at one of `every` texels."""
    part = person.parts[0]
    if part.uv is None or part.normals is None or part.relief is None:
        raise SystemExit("the scan has no map of normals")
    found = rasterize_uv(part.uv, part.faces, TEXELS)
    mask = found.mask[0]
    tangents = texture_tangents(part.vertices, part.faces, part.uv, part.faces)[:, :3]
    values = torch.cat([part.vertices, part.normals, tangents], dim=-1)[None]
    points, plain, along = interpolate(values, part.faces, found)[0].split(3, dim=-1)
    plain = normalize(plain, dim=-1)
    side = normalize(along - (along * plain).sum(-1, keepdim=True) * plain, dim=-1)
    up = torch.linalg.cross(plain, side)
    told = np.array(Image.open(part.relief).convert("RGB"))
    fine = normalize(torch.from_numpy(told).float() / 127.5 - 1, dim=-1)
    normals = fine[..., :1] * side + fine[..., 1:2] * up + fine[..., 2:] * plain
    at = torch.nonzero(mask & _face(part)[found.face[0].clamp(min=0)])[::every].unbind(-1)
    height = _integrated(fine, points, mask)[at]
    return Truth(points[at], normalize(normals[at], dim=-1), plain[at], height, height)


def _face(part: Part) -> Tensor:
    """Which triangles of the scan are of its face."""
    with np.load(FRAME) as frame:
        near = np.unpackbits(frame["face"], count=len(part.vertices)) > 0
    return torch.from_numpy(near)[part.faces].all(1)


def _integrated(fine: Tensor, points: Tensor, mask: Tensor) -> Tensor:
    """Heights in millimetres whose slopes are nearest to those of a map of normals."""
    slope = (-fine[..., :2] / fine[..., 2:].clamp(min=0.2)).double().numpy()
    place, step = points.double().numpy(), np.full((*mask.shape, 2), USUAL)
    step[:, :-1, 0] = np.linalg.norm(np.diff(place, axis=1), axis=-1)
    step[:-1, :, 1] = np.linalg.norm(np.diff(place, axis=0), axis=-1)
    step = np.where((step > TORN) | ~mask.numpy()[..., None], USUAL, step)
    right, down = slope[..., 0] * step[..., 0], -slope[..., 1] * step[..., 1]
    across = np.exp(2j * np.pi * np.fft.fftfreq(TEXELS)) - 1
    ex, ey = across[None, :], across[:, None]
    power = np.abs(ex) ** 2 + np.abs(ey) ** 2
    power[0, 0] = 1
    height = (np.conj(ex) * np.fft.fft2(right) + np.conj(ey) * np.fft.fft2(down)) / power
    height[0, 0] = 0
    return torch.from_numpy(np.real(np.fft.ifft2(height))).float()
