"""Faces that reach behind the camera: cut at the near plane, for every backend alike.

A point of the screen at depth z stands for (x z, y z, z), which is linear in space, also behind
the camera; there faces are cut. What a pixel sees of a piece is then said in terms of the whole
face, in closed form, so that nobody after this sees the cut.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import NEAR, Nearest
from morphface.render.backends.closed_form import weights_and_depth

__all__ = ["clipped"]

Found = tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]


def clipped(
    nearest: Nearest,
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    cull: bool,
) -> Found:
    """What `nearest` finds of the parts of `faces` that are at `NEAR` or beyond."""
    images = [_image(nearest, image, faces, size, cull) for image in screen.split(1)]
    face, weights, depth = (torch.cat(found) for found in zip(*images, strict=True))
    return face, weights, depth


def _image(
    nearest: Nearest, screen: Tensor, faces: Tensor, size: tuple[int, int], cull: bool
) -> Found:
    front = screen[0, :, 2][faces] >= NEAR
    crossing = front.any(1) & ~front.all(1)
    added, pieces, origin = _pieces(screen[0], faces, front, torch.nonzero(crossing)[:, 0])
    whole = torch.nonzero(front.all(1))[:, 0]
    source, order = torch.cat([whole, origin]).sort(stable=True)
    all_faces = torch.cat([faces[whole], pieces])[order]
    points = torch.cat([screen, added[None]], dim=1)
    face, weights, depth = nearest(points, all_faces, size, perspective=True, cull=cull)
    if not len(source):
        return face, weights, depth
    face = source[face.clamp(min=0)].where(face >= 0, -1)
    cut = crossing[face.clamp(min=0)] & (face >= 0)
    own = weights_and_depth(screen, faces, face.where(cut, -1), perspective=True)
    return face, own[0].where(cut[..., None], weights), own[1].where(cut, depth)


def _pieces(
    screen: Float[Tensor, "V 3"], faces: Tensor, front: Tensor, crossing: Int[Tensor, " N"]
) -> tuple[Float[Tensor, "M 3"], Int[Tensor, "P 3"], Int[Tensor, " P"]]:
    """New vertices, the visible pieces of the faces `crossing`, and which face each is from."""
    ahead = front[crossing]
    lonely = ahead.sum(1) == 1  # one corner in front, else one behind
    odd = (ahead == lonely[:, None]).int().argmax(1)
    turn = (odd[:, None] + torch.arange(3, device=odd.device)) % 3
    a, b, c = faces[crossing].long().gather(1, turn).unbind(1)
    # Always from the corner in front to that behind, so that the neighbour gets the same cut.
    ends = [(torch.where(lonely, a, k), torch.where(lonely, k, a)) for k in (b, c)]
    added = torch.cat([_cut(screen[start], screen[end]) for start, end in ends])
    p, q = (len(screen) + torch.arange(len(added), device=odd.device)).chunk(2)
    tip = torch.stack([a, p, q], dim=1)[lonely]
    near, far = torch.stack([p, b, c], dim=1)[~lonely], torch.stack([p, c, q], dim=1)[~lonely]
    origin = torch.cat([crossing[lonely], crossing[~lonely], crossing[~lonely]])
    return added, torch.cat([tip, near, far]).to(faces.dtype), origin


def _cut(start: Float[Tensor, "N 3"], end: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
    """Where the way from `start`, in front, to `end`, behind, meets the near plane."""
    first, last = start.double(), end.double()
    part = ((first[:, 2] - NEAR) / (first[:, 2] - last[:, 2]))[:, None]
    spread = torch.lerp(first[:, :2] * first[:, 2:], last[:, :2] * last[:, 2:], part) / NEAR
    return torch.cat([spread, torch.full_like(part, NEAR)], dim=1).to(start.dtype)
