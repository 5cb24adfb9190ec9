"""Which points of a head are on its outside: not what lies in nostrils and mouth."""

import torch
from torch import Tensor

from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.render import rasterize

__all__ = ["seen_from_outside"]

SIDES = [(yaw, pitch) for yaw in (-60, -30, 0, 30, 60) for pitch in (-15, 0, 15)]  # degrees
SCREEN, AWAY, BEHIND = 768, 600.0, 1.5  # pixels, and millimetres


def seen_from_outside(vertices: Tensor, faces: Tensor) -> Tensor:
    """Which vertices, V x 3 in millimetres, are seen from some side of the face."""
    camera = Camera.facing((SCREEN, SCREEN))
    seen = torch.zeros(len(vertices), dtype=torch.bool)
    for side in SIDES:
        turn = angles_to_rotvec(torch.tensor([*side, 0.0]).deg2rad())
        screen = camera.project(to_camera(vertices, turn, torch.tensor([0.0, 0.0, -AWAY])))
        depth = rasterize(screen[None], faces, camera.size).depth[0]
        column, row = screen[:, :2].long().clamp(0, SCREEN - 1).unbind(-1)
        seen |= screen[:, 2] < depth[row, column] + BEHIND
    return seen
