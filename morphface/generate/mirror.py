"""A take as a mirror shows it: another person as good as the first, for training."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.generate.take import Take

__all__ = ["mirrored_take"]

_CODED = "correspondence"
"""Map whose first channel says where a point is from right (0) to left (1) on the head."""
_EMPTY = 0.01
"""Sum of its channels below which it shows no surface."""


def mirrored_take(take: Take, maps: Sequence[str], channels: Sequence[int]) -> Take:
    """The take with left and right exchanged, in the pictures and in what maps and flows say.

    Args:
        take: of a generator whose style has no side.
        maps: of a frame, by name.
        channels: how many each has.
    """
    width = take.frame.shape[-1]

    def maps_of(values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return _exchanged(values.flip(-1), maps, channels)

    references = tuple(
        replace(
            one,
            photo=one.photo.flip(-1),
            maps=maps_of(one.maps),
            matte=one.matte.flip(-1),
            flow=one.flow.flip(-1) * one.flow.new_tensor([-1.0, 1.0])[:, None, None],
            valid=one.valid.flip(-1),
        )
        for one in take.references
    )
    x, y = take.mouth.unbind(-1)
    return replace(
        take,
        references=references,
        window=maps_of(take.window),
        frame=take.frame.flip(-1),
        matte=take.matte.flip(-1),
        mouth=torch.stack([width - x, y], dim=-1),
    )


def _exchanged(
    values: Float[Tensor, "B C H W"], maps: Sequence[str], channels: Sequence[int]
) -> Float[Tensor, "B C H W"]:
    """Maps of any number of frames, whose codes say left where they said right."""
    place, out = 0, values.clone()
    while place < values.shape[1]:
        for name, count in zip(maps, channels, strict=True):
            if name == _CODED:
                code = values[:, place : place + count]
                surface = code.sum(1) > _EMPTY
                out[:, place] = torch.where(surface, 1 - code[:, 0], 0.0)
            place += count
    return out
