"""What a surface hides of the light from itself: eye sockets, nostrils, the chin's underside.

Harmonic light falls on a normal as if nothing else were there. Here the part that the surface
blocks is counted, direction by direction, as the difference of two transfer vectors (Sloan, Kautz
and Snyder 2002). Light that is blocked is not lost: skin sends a part of it on.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.spherical_harmonics import sh_basis
from morphface.render.rasterize import rasterize

__all__ = ["blocked_light", "reached", "spread_directions"]

_DIRECTIONS = 64
_SENT_ON = 0.3  # share of the light that skin sends on, of a white sky
_TOLERANCE = 1.5  # millimetres
_FALL = (math.pi, *[2 * math.pi / 3] * 3, *[math.pi / 4] * 5)
"""What each term of a radiance becomes as light that falls on a normal (Ramamoorthi 2001)."""


def blocked_light(
    vertices: Float[Tensor, "V 3"], faces: Int[Tensor, "F 3"]
) -> Float[Tensor, "V 9"]:
    """What to add to `sh_basis(normals)` for the light that the mesh blocks.

    Args:
        vertices: of a closed surface, in millimetres.
        faces: vertex indices.
    """
    normals = vertex_normals(vertices, faces)
    out = vertices.new_zeros(len(vertices), 9)
    for direction in spread_directions(_DIRECTIONS, 4 * math.pi).to(vertices):
        falls = (normals @ direction).clamp(min=0) * (4 * math.pi / _DIRECTIONS)
        lost = falls * (1 - reached(vertices, faces, direction))
        out -= lost[:, None] * (sh_basis(direction[None]) / vertices.new_tensor(_FALL))
    out[:, 0] *= 1 - _SENT_ON
    return out


def reached(
    vertices: Float[Tensor, "V 3"],
    faces: Int[Tensor, "F 3"],
    direction: Float[Tensor, "3"],
    *,
    pixels: int = 128,
) -> Float[Tensor, " V"]:
    """1 where nothing of the mesh is between a vertex and what `direction` points to, else 0.

    Args:
        vertices: of the mesh, in millimetres.
        faces: vertex indices.
        direction: of unit length.
        pixels: width of the picture that tells.
    """
    side = normalized(torch.linalg.cross(vertices.new_tensor([0.0, 1.0, 0.1]), direction))
    up = torch.linalg.cross(direction, side)
    flat = vertices @ torch.stack([side, up], dim=-1)
    low, high = flat.amin(0), flat.amax(0)
    scale = (pixels - 2) / (high - low).amax()
    screen = (flat - low) * scale + 1
    height = vertices @ direction
    depth = height.max() + 10 - height
    found = rasterize(
        torch.cat([screen, depth[:, None]], dim=-1)[None],
        faces,
        (pixels, pixels),
        perspective=False,
    )
    column, row = screen.long().clamp(0, pixels - 1).unbind(-1)
    return (depth <= found.depth[0][row, column] + _TOLERANCE + 1 / scale).to(vertices)


def spread_directions(count: int, angle: float) -> Float[Tensor, "D 3"]:
    """Directions spread evenly over a part of the sphere around +z (a Fibonacci lattice).

    Args:
        count: how many.
        angle: solid angle of the part, `2 pi` for the half before the face, `4 pi` for all.
    """
    number = torch.arange(count) + 0.5
    z = 1 - number / count * (angle / (2 * math.pi))
    turn = number * math.pi * (3 - math.sqrt(5))
    ring = (1 - z.square()).clamp(min=0).sqrt()
    return torch.stack([ring * turn.cos(), ring * turn.sin(), z], dim=-1)
