"""Which vertices of a head are seen from before it, and which are inside nostrils and mouth."""

import numpy as np
import torch

from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.render import rasterize

VIEWS = [(0.0, 0.0), (35.0, 0.0), (-35.0, 0.0), (0.0, 15.0), (70.0, 0.0), (-70.0, 0.0)]  # degrees
DISTANCE, WIDTH = 1000.0, 400.0  # mm, of the camera and of what it shows
SIZE = (1024, 1024)  # pixels
TOLERANCE = 1.0  # mm behind the surface that is seen


def in_sight(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Which vertices are seen from before the face: not those inside nostrils and mouth."""
    centred = torch.from_numpy(vertices - vertices.mean(0)).float()
    seen = torch.zeros(len(vertices), dtype=torch.bool)
    for yaw, pitch in VIEWS:
        turn = angles_to_rotvec(torch.tensor([yaw, pitch, 0.0]).deg2rad())
        points = to_camera(centred, turn, torch.tensor([0.0, 0.0, -DISTANCE]))
        screen = Camera.facing(SIZE, focal=SIZE[0] * DISTANCE / WIDTH).project(points)
        depth = rasterize(screen[None], torch.from_numpy(faces), SIZE).depth[0]
        column, row = screen[:, :2].long().clamp(0, SIZE[0] - 1).unbind(1)
        seen |= screen[:, 2] < depth[row, column] + TOLERANCE
    return seen.numpy()
