"""Implicit heads to look at: the photo, and the surface from the front, from 45 degrees and 90."""

from pathlib import Path
from typing import Any

import roma
import torch
from torch import Tensor

from benchmarks.common import DATA
from benchmarks.implicit_heads import SCAN, scan_shot
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import write_image
from morphface.pipelines.photo import fit_photo
from morphface.render import interpolate, rasterize
from morphface.render.aligned import head_crop
from morphface.rerender import hair_shell, implicit_head

SIDE = 320
YAWS = (0.0, 45.0, 90.0)
PHOTOS = (
    "woman_portrait.jpg",
    "astronaut.png",
    "grace_hopper.jpg",
    "glasses_frontal.jpg",
    "sunglasses_selfie.jpg",
)
LAMP = (-0.3, 0.4, 0.85)


def draw_sheets(network: Any, folder: Path) -> None:
    """A sheet of each photo that is here."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        if (DATA / "photos" / name).is_file():
            fitted = fit_photo(DATA / "photos" / name)
            sheet = sheet_of(fitted.faces[0], fitted.photo, network)
            write_image(folder / f"{Path(name).stem}.png", sheet)
    if (DATA / SCAN).is_file():
        fitted = fit_photo(scan_shot(DATA)[1].photo)
        write_image(folder / "scan.png", sheet_of(fitted.faces[0], fitted.photo, network))


def sheet_of(face: Any, photo: Any, network: Any) -> Tensor:
    """Rows: grey surfaces of the implicit head, its colours, and of mesh and shell."""
    found = implicit_head(face, photo, network)
    crop = head_crop(face.camera, face.parameters, SIDE)
    seen = crop.apply(photo.pixels, fill=0.5)
    shell = hair_shell(face, photo)
    mesh, faces = face.vertices(), face.model.faces.long()
    if shell is not None:
        faces = torch.cat([faces, shell.faces.long() + len(mesh)])
        mesh = torch.cat([mesh, shell.vertices])
    surfaces = [
        (found.vertices, found.faces, None),
        (found.vertices, found.faces, found.colours),
        (mesh, faces, None),
    ]
    rows = [torch.cat([seen, *(turned(*one, yaw) for yaw in YAWS)], 1) for one in surfaces]
    return torch.cat(rows)


def turned(vertices: Tensor, faces: Tensor, colours: Tensor | None, yaw: float) -> Tensor:
    """A surface of the model frame, turned, in grey or in its colours, lit from the side."""
    turn = angles_to_rotvec(torch.deg2rad(torch.tensor([yaw, 0.0, 0.0])))
    middle = torch.tensor([0.0, 0.0, -75.0])
    points = (vertices - middle) @ roma.rotvec_to_rotmat(turn).T + torch.tensor([0, 0, -1200.0])
    camera = Camera(torch.tensor(SIDE * 3.0), torch.tensor([SIDE / 2, SIDE / 2]), (SIDE, SIDE))
    shown = rasterize(camera.project(points)[None], faces, (SIDE, SIDE))
    lamp = torch.nn.functional.normalize(torch.tensor(LAMP), dim=0)
    light = 0.35 + 0.65 * (vertex_normals(points, faces) @ lamp).clamp(min=0)
    base = torch.full_like(vertices, 0.75) if colours is None else colours
    picture = interpolate((base * light[:, None])[None], faces, shown)[0]
    return torch.where(shown.mask[0, ..., None], picture, 1.0).clamp(0, 1)
