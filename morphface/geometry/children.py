"""The faces that a subdivision makes of one, and where on them a point of it is."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["child_points"]


def child_points(
    face: Int[Tensor, "*batch"], weights: Float[Tensor, "*batch 3"]
) -> tuple[Int[Tensor, "*batch"], Float[Tensor, "*batch 3"]]:
    """The same points on the child faces of one subdivision, which are at edges' midpoints.

    Children are ordered as in `loop_subdivision`: 4 f to 4 f + 2 begin at the corners of face f,
    4 f + 3 is in the middle.

    Args:
        face: of each point; negative ones, of no face, stay as they are.
        weights: barycentric ones of the face's corners.
    """
    largest, corner = weights.max(dim=-1)
    first = torch.stack([corner, (corner + 1) % 3, (corner + 2) % 3], dim=-1)
    at_corner = 2 * torch.gather(weights, -1, first)
    at_corner[..., 0] -= 1
    # The middle child's corners are the midpoints, each opposite to a corner of the parent.
    in_middle = 1 - 2 * weights[..., [2, 0, 1]]
    outside = largest > 0.5
    child = 4 * face + torch.where(outside, corner, 3)
    found = torch.where(outside[..., None], at_corner, in_middle)
    there = face >= 0
    return torch.where(there, child, face), torch.where(there[..., None], found, weights)
