"""The scanned head with the fine normals that were measured with it, and pictures of it.

Its map of normals says what its mesh is too coarse for. Truth is told at points of its face, the
texels of its texture: where they are, their normals with that map, and how high they lie over the
mesh, by integrating the map (Frankot and Chellappa 1988). Green of the map points up: only so is
its field of slopes free of curl.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.independent import LAMPS
from benchmarks.pictures import read_shot, save_shot
from benchmarks.subjects import FRAME, Subject, photograph, scan
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.render import interpolate
from morphface.render.unwrap import rasterize_uv

__all__ = ["Truth", "VIEWS", "detailed_scan", "photographs", "truth_of"]

VIEWS = [(0, 0), (-25, 0), (25, 0), (0, 15), (0, -15)]
"""Yaw and pitch in degrees."""
SIZE, FOCAL, SAMPLES = (1024, 1024), 1800.0, 40
TEXELS = 1024


@dataclass(frozen=True)
class Truth:
    """Points of the scan's face, in its frame, in millimetres.

    Args:
        points: N of them.
        normals: with the map, of unit length.
        plain: those of the mesh alone.
        texel: row and column of each.
        height: over the mesh.
    """

    points: Tensor
    normals: Tensor
    plain: Tensor
    texel: Tensor
    height: Tensor


def detailed_scan(data: Path) -> Subject:
    """The scan with its map of normals."""
    folder = data / "scans"
    person = scan(folder / "lee_perry_smith.obj")
    relief = folder / "lee_perry_smith_normal.jpg"
    return replace(person, parts=(replace(person.parts[0], relief=relief),))


def photographs(data: Path, cache: Path) -> dict[tuple[int, int], Path]:
    """Files of its pictures by light and view; what is missing is rendered."""
    person, out = detailed_scan(data), {}
    with MediaPipeDetector() as detector:
        for view, angles in enumerate(VIEWS):
            for light, lamp in enumerate(LAMPS.values()):
                path = out[light, view] = cache / "detail" / f"{light}-{view}.npz"
                if not path.exists():
                    how = {"focal": FOCAL, "samples": SAMPLES, "size": SIZE}
                    save_shot(path, photograph(person, angles, lamp, detector, **how))
    return out


def truth_of(person: Subject) -> Truth:
    """What is known of its face."""
    part = person.parts[0]
    found = rasterize_uv(part.uv, part.faces, TEXELS)
    mask = found.mask[0]
    values = torch.cat([part.vertices, part.normals, _along_u(part)], dim=-1)[None]
    points, plain, along = interpolate(values, part.faces, found)[0].split(3, dim=-1)
    plain = normalize(plain, dim=-1)
    side = normalize(along - (along * plain).sum(-1, keepdim=True) * plain, dim=-1)
    up = torch.linalg.cross(plain, side)
    told = np.array(Image.open(part.relief).convert("RGB"))
    map_ = normalize(torch.from_numpy(told).float() / 127.5 - 1, dim=-1)
    fine = map_[..., :1] * side + map_[..., 1:2] * up + map_[..., 2:] * plain
    with np.load(FRAME) as frame:
        near = torch.from_numpy(np.unpackbits(frame["face"], count=len(part.vertices)) > 0)
    face = near[part.faces].all(1)[found.face[0][mask]]
    rows = torch.nonzero(mask)[face]
    at = rows.unbind(-1)
    height = _integrated(map_, points, mask)
    return Truth(points[at], normalize(fine[at], dim=-1), plain[at], rows, height[at])


def _along_u(part) -> Tensor:
    """How positions change with u, at vertices."""
    a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
    (u1, v1), (u2, v2) = ((part.uv[part.faces[:, k]] - part.uv[part.faces[:, 0]]).unbind(-1) for k in (1, 2))
    area = u1 * v2 - u2 * v1
    along = ((b - a) * v2[:, None] - (c - a) * v1[:, None]) / area[:, None].clamp(min=1e-12)
    out = torch.zeros_like(part.vertices)
    for k in range(3):
        out.index_add_(0, part.faces[:, k], along * area[:, None].clamp(min=0))
    return out


def _integrated(map_: Tensor, points: Tensor, mask: Tensor) -> Tensor:
    """Heights whose slopes are nearest to those of the map, in millimetres."""
    slope = (-map_[..., :2] / map_[..., 2:].clamp(min=0.2)).double().numpy()
    step = np.ones((*mask.shape, 2))
    place = points.double().numpy()
    step[:, :-1, 0] = np.linalg.norm(np.diff(place, axis=1), axis=-1)
    step[:-1, :, 1] = np.linalg.norm(np.diff(place, axis=0), axis=-1)
    step = np.where((step > 3) | ~mask.numpy()[..., None], 0.4, step)
    right, down = slope[..., 0] * step[..., 0], -slope[..., 1] * step[..., 1]
    fy, fx = np.meshgrid(np.fft.fftfreq(TEXELS), np.fft.fftfreq(TEXELS), indexing="ij")
    ex, ey = np.exp(2j * np.pi * fx) - 1, np.exp(2j * np.pi * fy) - 1
    power = np.abs(ex) ** 2 + np.abs(ey) ** 2
    power[0, 0] = 1
    height = (np.conj(ex) * np.fft.fft2(right) + np.conj(ey) * np.fft.fft2(down)) / power
    height[0, 0] = 0
    return torch.from_numpy(np.real(np.fft.ifft2(height))).float()


if __name__ == "__main__":
    import sys

    from benchmarks.common import DATA

    photographs(DATA, Path(sys.argv[1]))
