"""Solids whose surfaces are known in closed form, in the cube from -1 to 1."""

import torch

LOW, HIGH = torch.full((3,), -1.0), torch.full((3,), 1.0)


def sphere(points, radius=0.7):
    """Distance to a sphere."""
    return points.norm(dim=-1) - radius


def torus(points, far=0.6, thick=0.2):
    """Distance to a torus around z."""
    around = points[..., :2].norm(dim=-1) - far
    return torch.stack([around, points[..., 2]], -1).norm(dim=-1) - thick


def asked(distance):
    """How likely points are inside, rising evenly through a surface."""
    return lambda points: (0.5 - distance(points)).clamp(0, 1)
