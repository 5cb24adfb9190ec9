"""What the adapters share: the faces to hand over, and where a face that was found is hit.

Other libraries drop, tie and round faces by rules of their own, and number them from the start
of a batch. They are given only faces that can be seen, in one list for all images, and are
asked only which of these each pixel sees; weights and depth follow here in closed form, in
float64, so that they do not depend on who answered.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import NEAR

__all__ = ["Packed", "locate", "pack"]


@dataclass(frozen=True, eq=False)
class Packed:
    """The faces that each image of a batch can see, image after image.

    Args:
        face: index of each in the list of all faces.
        count: how many each image has.
    """

    face: Int[Tensor, " N"]
    count: Int[Tensor, " B"]

    def unpack(self, place: Int[Tensor, "B H W"]) -> Int[Tensor, "B H W"]:
        """The indices of faces for places in this list; -1 stays -1."""
        if not len(self.face):
            return place.new_full(place.shape, -1)
        return self.face[place.clamp(min=0)].where(place >= 0, -1)


def pack(
    screen: Float[Tensor, "B V 3"], faces: Int[Tensor, "F 3"], *, perspective: bool, cull: bool
) -> Packed:
    """The faces that are finite, have an area, and lie before the camera, of every image."""
    corners = screen[:, faces.long()]
    arms = (corners[..., 1:, :2] - corners[..., :1, :2]).double()
    area = arms[..., 0, 0] * arms[..., 1, 1] - arms[..., 0, 1] * arms[..., 1, 0]
    seen = (area < 0) if cull else (area != 0)
    seen &= corners.isfinite().flatten(2).all(-1)
    if perspective:
        seen &= corners[..., 2].amin(-1) >= NEAR
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
    image, row, column = spot = torch.nonzero(face >= 0).unbind(1)
    corners = screen[image[:, None], faces[face[spot]].long()].double()
    centre = torch.stack([column, row], dim=-1) + 0.5
    weights = _areas(corners[..., :2] - centre[:, None])
    weights = weights / weights.sum(-1, keepdim=True)
    if perspective:
        weights = weights / corners[..., 2]
        weights = weights / weights.sum(-1, keepdim=True)
    barycentric = screen.new_zeros((*face.shape, 3))
    depth = screen.new_full(face.shape, torch.inf)
    barycentric[spot] = weights.to(screen.dtype)
    depth[spot] = (weights * corners[..., 2]).sum(-1).to(screen.dtype)
    return barycentric, depth


def _areas(arm: Float[Tensor, "P 3 2"]) -> Float[Tensor, "P 3"]:
    """Twice the area opposite each corner, as seen from the pixel centre; never negative."""
    start, end = arm.roll(-1, dims=1), arm.roll(-2, dims=1)
    area = start[..., 0] * end[..., 1] - start[..., 1] * end[..., 0]
    return (area * area.sum(-1, keepdim=True).sign()).clamp(min=0)
