"""Attention across modalities in DaGAN: depth asks, the picture answers (Hong et al. 2022)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.utils.checkpoint import checkpoint

__all__ = ["DepthAttention", "attended"]

_SHARE = 8
"""How many times fewer channels are compared than there are."""
_TOGETHER = 512
"""Positions that ask at a time: 4,096 would compare 16 million pairs at once."""


class DepthAttention(nn.Module):
    """Features of a picture, with what positions of like depth show; at first nothing of it.

    Args:
        channels: of both kinds of features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        compared = max(channels // _SHARE, 1)
        self.query = nn.Conv2d(channels, compared, 1)
        self.key = nn.Conv2d(channels, compared, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(
        self, depth: Float[Tensor, "B C H W"], picture: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B C H W"]:
        """The picture's features, changed.

        Args:
            depth: features that ask.
            picture: features that are asked.
        """
        query, key, value = (
            relu(layer(given)).flatten(2).mT
            for layer, given in (
                (self.query, depth),
                (self.key, picture),
                (self.value, picture),
            )
        )
        found = attended(query, key, value).mT.unflatten(2, picture.shape[-2:])
        return picture + self.gain * found


def attended(
    query: Float[Tensor, "B P k"],
    key: Float[Tensor, "B Q k"],
    value: Float[Tensor, "B Q C"],
    together: int = _TOGETHER,
) -> Float[Tensor, "B P C"]:
    """Softmax over positions of query times key, and the mean of the values by it.

    Memory is that of some positions at a time, in training too, where it is computed twice.

    Args:
        query: of positions that ask.
        key: of positions that are asked.
        value: of the same.
        together: positions that ask at a time.
    """
    parts = []
    for some in query.split(together, dim=1):
        if torch.is_grad_enabled() and some.requires_grad and len(query[0]) > together:
            parts.append(checkpoint(_mean, some, key, value, use_reentrant=False))
        else:
            parts.append(_mean(some, key, value))
    return torch.cat(parts, dim=1)


def _mean(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return (query @ key.mT).softmax(-1) @ value
