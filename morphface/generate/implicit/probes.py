"""What implicit heads learn from: pictures, and points that are known to be inside or outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record

__all__ = ["SPACE", "ProbeSource", "Probes", "space_code", "stacked_probes"]

SPACE = 4
"""Numbers that say where a point is."""
NEAR = 5.0
"""Millimetres from the mesh within which its distance counts in proportion."""
REACH = 100.0
"""Millimetres that are 1 in the mean shape."""


@dataclass(frozen=True, eq=False)
class Probes(Record):
    """Pictures with points.

    Args:
        picture: colours and maps, from 0 to 1.
        places: where the points are seen; -1 and 1 are the outer edges of the picture.
        space: where they are, as of `space_code`.
        inside: whether they are.

    Raises:
        ShapeError: the parts differ in number.
    """

    picture: Float[Tensor, "B C S S"]
    places: Float[Tensor, "B N 2"]
    space: Float[Tensor, "B N D"]
    inside: Bool[Tensor, "B N"]

    def __post_init__(self) -> None:
        batch, points = self.inside.shape
        check_shape("picture", self.picture, batch, None, None, None)
        check_shape("places", self.places, batch, points, 2)
        check_shape("space", self.space, batch, points, SPACE)


@runtime_checkable
class ProbeSource(Protocol):
    """Probes by number, the same for the same number: that makes runs resume exactly."""

    @property
    def count(self) -> int | None:
        """How many there are; None if there is no end of them."""

    def probes(self, number: int) -> Probes:
        """One picture with its points."""


def space_code(
    distance: Float[Tensor, "*batch"], place: Float[Tensor, "*batch 3"]
) -> Float[Tensor, "*batch 4"]:
    """Where a point is, free of pose and person.

    Args:
        distance: to the fitted mesh in millimetres, below 0 inside.
        place: in the mean shape, of what is nearest on the mesh, in millimetres.
    """
    return torch.cat([torch.asinh(distance / NEAR)[..., None], place / REACH], dim=-1)


def stacked_probes(some: Sequence[Probes]) -> Probes:
    """Several in one batch.

    Args:
        some: with as many points and pictures of the same size.
    """
    names = "picture", "places", "space", "inside"
    return Probes(*(torch.cat([getattr(one, name) for one in some]) for name in names))
