"""What the adapters share: the faces to hand over, and where a face that was found is hit.

Other libraries drop, tie and round faces by rules of their own, and number them from the start
of a batch. They are given only faces that can be seen, in one list for all images, and are
asked only which of these each pixel sees; weights and depth follow here in closed form, in
float64, so that they do not depend on who answered.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import Nearest
from morphface.render.backends.closed_form import weights_and_depth

__all__ = ["Find", "Packed", "adapted", "locate", "pack"]


@dataclass(frozen=True, eq=False)
class Packed:
    """The faces that each image of a batch can see, image after image.

    Args:
        face: index of each in the list of all faces.
        count: how many each image has.
    """

    face: Int[Tensor, " N"]
    count: Int[Tensor, " B"]


Find = Callable[[Tensor, Tensor, Packed, tuple[int, int], bool], Int[Tensor, "B H W"]]
"""From screen, faces, packed faces, size and perspective to places in the packed list, or -1."""


def adapted(find: Find) -> Nearest:
    """The backend that asks `find` which of the packed faces each pixel sees."""

    def nearest(
        screen: Tensor, faces: Tensor, size: tuple[int, int], *, perspective: bool, cull: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        packed = pack(screen, faces, cull=cull)
        face = faces.new_full((len(screen), *size), -1, dtype=torch.int64)
        if len(packed.face):
            place = find(screen, faces, packed, size, perspective)
            face = packed.face[place.clamp(min=0)].where(place >= 0, -1)
        return face, *locate(screen, faces, face, perspective=perspective)

    return nearest


def pack(screen: Float[Tensor, "B V 3"], faces: Int[Tensor, "F 3"], *, cull: bool) -> Packed:
    """The faces that have an area, and are seen from outside if `cull`, of every image."""
    corners = screen[:, faces.long()]
    arms = (corners[..., 1:, :2] - corners[..., :1, :2]).double()
    area = arms[..., 0, 0] * arms[..., 1, 1] - arms[..., 0, 1] * arms[..., 1, 0]
    seen = (area < 0) if cull else (area != 0)
    return Packed(face=torch.nonzero(seen)[:, 1], count=seen.sum(1))


def locate(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    face: Int[Tensor, "B H W"],
    *,
    perspective: bool,
) -> tuple[Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """Barycentric weights and depth of `face` at the pixel centres that see it.

    Centres that lie outside their face, by the rounding of whoever found it, are moved to its
    border.
    """
    weights, _ = weights_and_depth(screen, faces, face, perspective=perspective)
    weights = weights.clamp(min=0)
    weights = weights / weights.sum(-1, keepdim=True).where(face[..., None] >= 0, 1.0)
    if not len(faces):
        return weights, weights.new_full(face.shape, torch.inf)
    image = torch.arange(len(screen), device=face.device)[:, None, None, None]
    corner = screen[image, faces[face.clamp(min=0)].long(), 2]
    return weights, (weights * corner).sum(-1).where(face >= 0, torch.inf)
