"""What a one-shot generator tells of a frame in training, beside the frame."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record

__all__ = ["Painted"]


@dataclass(frozen=True, eq=False)
class Painted(Record):
    """A frame, and what it was made of.

    Args:
        frame: from -1 to 1.
        photos: each photo, moved.
        masks: where the flow of each photo holds; none where it holds everywhere.
        alpha: where the frame shows the person; None if the network does not tell.
        codes: what the network reads off each photo: the correspondence map and where the person
            is, from 0 to 1; none if it reads nothing.
        flows: into each photo in pixels, of networks whose flow may be taught.
        points: in frames and photo, where the network found them.
        terms: what a part of the network learns from pictures alone, by the name of its loss.
        motion: numbers that were read off a driver's frames; None if none were.
    """

    frame: Float[Tensor, "B 3 H W"]
    photos: tuple[Float[Tensor, "B 3 H W"], ...]
    masks: tuple[Float[Tensor, "B 1 H W"], ...] = ()
    alpha: Float[Tensor, "B 1 H W"] | None = None
    codes: tuple[Float[Tensor, "#B 4 H W"], ...] = ()
    flows: tuple[Float[Tensor, "B 2 H W"], ...] = ()
    motion: Float[Tensor, "B K"] | None = None
    points: Float[Tensor, "B N"] | None = None
    terms: dict[str, Tensor] = field(default_factory=dict)
