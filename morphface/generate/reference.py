"""A photo that a generator looks at, and what is known of how it moves into the frame to make."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record

__all__ = ["Reference"]


@dataclass(frozen=True, eq=False)
class Reference(Record):
    """Photos of B people, each with its maps, and how it moves into the frame to make.

    What belongs to the photo alone may be given once for a batch of frames (a batch of one).

    Args:
        photo: from -1 to 1.
        maps: of the photo, those of one frame of a window, as the generator's configuration names
            them; from 0 to 1, 0 where there is no surface.
        matte: where the person is in the photo, hair and clothes included; from 0 to 1.
        flow: the prior: x and y in pixels that lead from the centre of each pixel of the frame to
            make to the same point in the photo, extended beyond the mesh.
        valid: how far that is to be trusted: 1 where the frame shows a point of the mesh that the
            photo shows, too; 0 where that point is hidden in the photo or inside the mouth; beyond
            the mesh it falls with the distance.

    Raises:
        ShapeError: the parts differ in size.
    """

    photo: Float[Tensor, "#B 3 H W"]
    maps: Float[Tensor, "#B C H W"]
    matte: Float[Tensor, "#B 1 H W"]
    flow: Float[Tensor, "B 2 H W"]
    valid: Float[Tensor, "B 1 H W"]

    def __post_init__(self) -> None:
        height, width = self.flow.shape[-2:]
        check_shape("photo", self.photo, None, 3, height, width)
        check_shape("maps", self.maps, None, None, height, width)
        check_shape("matte", self.matte, None, 1, height, width)
        check_shape("flow", self.flow, None, 2, height, width)
        check_shape("valid", self.valid, len(self.flow), 1, height, width)
