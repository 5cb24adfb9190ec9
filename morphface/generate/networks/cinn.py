"""A block of CoNR's renderer: one reference at one size, told of what all of them have found."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.records import Record
from morphface.generate.networks.warp import warped

__all__ = ["Finding", "ViewBlock", "group_warped"]

_DEEP = 6
"""Convolutions of a residual group."""
_SMALL = 0.02
"""Gain of what moves and trusts, so that all begins with the flow of the mesh."""


@dataclass(frozen=True, eq=False)
class Finding(Record):
    """What a block says of one reference.

    Args:
        flow: to be added to its flow, in pixels of this size.
        trust: logits of its colours, and of its message.
        message: to all.
        local: to itself at the next size; of no channels at the last one.
    """

    flow: Float[Tensor, "B 2 h w"]
    trust: Float[Tensor, "B m h w"]
    message: Float[Tensor, "B c h w"]
    local: Float[Tensor, "B l h w"]


class ViewBlock(nn.Module):
    """Down to a quarter of the size, a residual group, and up again.

    Args:
        inputs: channels of all that it is told.
        hidden: channels between; 224 as published.
        message: channels of a message.
        local: channels of what a reference keeps for itself.
        masks: how many logits.
        groups: parts of the message that move on their own; 16 as published.
        rounds: residual groups.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        message: int,
        local: int,
        masks: int,
        groups: int,
        rounds: int = 1,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.down = nn.Sequential(*_strided(inputs, hidden), *_strided(hidden, hidden))
        self.deep = nn.ModuleList(
            nn.Sequential(
                *(
                    layer
                    for _ in range(_DEEP)
                    for layer in (nn.Conv2d(hidden, hidden, 3, 1, 1), nn.PReLU(hidden))
                )
            )
            for _ in range(rounds)
        )
        self.parts = (2, masks, 2 * groups, 2 if local else 0, message, local)
        self.up = nn.ConvTranspose2d(hidden, hidden, 4, 2, 1)
        self.last = nn.ConvTranspose2d(hidden, sum(self.parts), 4, 2, 1)
        with torch.no_grad():
            self.last.weight[:, : sum(self.parts[:4])] *= _SMALL
            self.last.bias[: sum(self.parts[:4])] *= 0  # type: ignore[index]

    def forward(self, told: Float[Tensor, "B C h w"]) -> Finding:
        """What the block says.

        Args:
            told: its inputs, of a size that has at least four pixels.
        """
        found = self.down(told)
        for group in self.deep:
            found = found + group(found)
        parts = self.last(self.up(found)).split(self.parts, dim=1)
        flow, trust, moves, locally, message, local = parts
        message = group_warped(message, moves, self.groups)
        return Finding(flow, trust, message, warped(local, locally) if local.shape[1] else local)


def group_warped(
    features: Float[Tensor, "B C h w"], flows: Float[Tensor, "B F h w"], groups: int
) -> Float[Tensor, "B C h w"]:
    """Features whose groups of channels move each by a flow of its own.

    Args:
        features: whose channels are a multiple of the groups.
        flows: x and y in pixels of each group, one after the other.
        groups: how many.
    """
    size = features.shape[-2:]
    apart = features.reshape(-1, features.shape[1] // groups, *size)
    return warped(apart, flows.reshape(-1, 2, *size)).reshape(features.shape)


def _strided(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.PReLU(outputs)]
