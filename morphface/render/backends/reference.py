"""Visibility in plain torch: every pixel tests every face.

The definition of correct, made for 64 x 64 pixels and a few hundred faces. All in float64.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.render.backends import NEAR

__all__ = ["nearest"]


def nearest(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    perspective: bool,
    cull: bool,
) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """Face index, barycentric weights and depth at every pixel centre."""
    face = faces.new_empty((len(screen), *size), dtype=torch.int64)
    barycentric = screen.new_empty((*face.shape, 3))
    depth = screen.new_empty(face.shape)
    for index, item in enumerate(screen.double()):
        image = _image(item, faces, size, perspective, cull)
        face[index], barycentric[index], depth[index] = image
    return face, barycentric, depth


def _image(
    screen: Tensor, faces: Tensor, size: tuple[int, int], perspective: bool, cull: bool
) -> tuple[Tensor, Tensor, Tensor]:
    kept = torch.nonzero(_visible(screen[faces], perspective, cull))[:, 0]
    corners = screen[faces[kept]]
    areas, inside = _areas(corners, _centres(size, screen.device))
    weights = areas / areas.sum(-1, keepdim=True)
    if perspective:
        scaled = weights / corners[..., 2]
        weights = scaled / scaled.sum(-1, keepdim=True)
    depth = (weights * corners[..., 2]).sum(-1)
    return _closest(kept, weights, depth.masked_fill(~inside, torch.inf), size)


def _visible(corners: Float[Tensor, "F 3 3"], perspective: bool, cull: bool) -> Bool[Tensor, " F"]:
    """Faces that are finite, have an area, and lie before the camera."""
    a, b, c = corners[..., :2].unbind(1)
    doubled = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    visible = corners.isfinite().all(-1).all(-1) & (doubled != 0)
    if perspective:
        visible &= (corners[..., 2] >= NEAR).all(-1)
    if cull:
        visible &= doubled < 0  # y points down, so counter-clockwise faces have negative area
    return visible


def _centres(size: tuple[int, int], device: torch.device) -> Float[Tensor, "P 2"]:
    y, x = (torch.arange(n, device=device, dtype=torch.float64) + 0.5 for n in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


def _areas(
    corners: Float[Tensor, "F 3 3"], centres: Float[Tensor, "P 2"]
) -> tuple[Float[Tensor, "P F 3"], Bool[Tensor, "P F"]]:
    """Twice the area opposite each corner, positive inside, and which centres are inside."""
    arm = corners[None, ..., :2] - centres[:, None, None, :]
    start, end = arm.roll(-1, dims=2), arm.roll(-2, dims=2)
    area = start[..., 0] * end[..., 1] - start[..., 1] * end[..., 0]
    turn = area.sum(-1, keepdim=True).sign()
    along = (end - start) * turn[..., None]
    # With positive area (clockwise on screen), inside lies to the right of each edge: one that
    # goes up bounds the face on its left, one that goes right bounds it at its top.
    left_or_top = (along[..., 1] < 0) | ((along[..., 1] == 0) & (along[..., 0] > 0))
    area = area * turn
    inside = ((area > 0) | ((area == 0) & left_or_top)).all(-1)
    return area.clamp(min=0), inside


def _closest(
    kept: Tensor, weights: Tensor, depth: Float[Tensor, "P F"], size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    pixels = len(depth)
    background = depth.new_full((pixels, 1), torch.inf)
    # Rounded to float32, so that faces which coincide tie; the first of equals is the minimum.
    place = torch.cat([depth, background], dim=1).float().min(dim=1).indices
    hit = place < len(kept)
    hit &= torch.cat([depth, background], dim=1).gather(1, place[:, None])[:, 0].isfinite()
    face = torch.cat([kept, kept.new_full((1,), -1)])[place].where(hit, -1)
    spots = torch.cat([weights, weights.new_zeros(pixels, 1, 3)], dim=1)
    index = place[:, None, None].expand(-1, 1, 3)
    barycentric = spots.gather(1, index)[:, 0].where(hit[:, None], 0.0)
    distance = torch.cat([depth, background], dim=1).gather(1, place[:, None])[:, 0]
    return face.reshape(size), barycentric.reshape(*size, 3), distance.reshape(size)
