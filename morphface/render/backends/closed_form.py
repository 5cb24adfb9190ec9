"""Weights and depth at a pixel whose face is known, in plain torch and differentiable."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["weights_and_depth"]


def weights_and_depth(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    face: Int[Tensor, "B H W"],
    *,
    perspective: bool,
) -> tuple[Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """Perspective-correct weights and depth of `face` at each pixel, as `Fragments` has them.

    Corners may lie behind the camera, as long as what the pixel sees of the face does not.
    """
    spot = torch.nonzero(face.flatten() >= 0)[:, 0]
    image, row, column = torch.unravel_index(spot, face.shape)
    corners = screen[image[:, None], faces[face[image, row, column]].long()].double()
    centre = torch.stack([column, row], dim=-1) + 0.5
    arm = corners[..., :2] - centre[:, None]
    start, end = arm.roll(-1, dims=1), arm.roll(-2, dims=1)
    weights = start[..., 0] * end[..., 1] - start[..., 1] * end[..., 0]
    if perspective:
        weights = weights / corners[..., 2]
    weights = weights / weights.sum(-1, keepdim=True)
    depth = (weights * corners[..., 2]).sum(-1)
    flat = screen.new_zeros(face.numel(), 3).index_copy(0, spot, weights.to(screen.dtype))
    far = screen.new_full((face.numel(),), torch.inf).index_copy(0, spot, depth.to(screen.dtype))
    return flat.unflatten(0, face.shape), far.unflatten(0, face.shape)
