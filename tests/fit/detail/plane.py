"""A plane that faces the camera, and its texels."""

import torch

from morphface.fit.detail.grid import Grid, Ground
from morphface.render.rasterize import Fragments

PITCH, SIDE = 0.5, 64  # millimetres between texels, and texels a side


def flat_grid():
    """All texels of it."""
    count = SIDE * SIDE
    found = Fragments(torch.zeros(1, 1, count).long(), torch.zeros(1, 1, count, 3), torch.ones(1))
    grid = Grid(SIDE, (0, 0), torch.ones(SIDE, SIDE, dtype=torch.bool), found)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    points = torch.stack([columns * PITCH, -rows * PITCH, torch.zeros(SIDE, SIDE)], -1).float()
    normals = torch.tensor([0.0, 0.0, 1.0]).expand(count, 3)
    inverse = torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]) / PITCH
    tangents = torch.tensor([1.0, 0.0, 0.0, 1.0]).expand(count, 4)
    return grid, Ground(points.reshape(-1, 3), normals, inverse.expand(count, 2, 3), tangents)
