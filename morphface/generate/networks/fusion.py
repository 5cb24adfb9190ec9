"""Several photos of a person as one: each pixel from those that are to be trusted there.

Weights are a softmax over photos, so that their order does not matter and any number will do; what
is known of where each photo shows the surface is its prior. A single photo has the weight 1.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

__all__ = ["LEAST", "fused", "shares"]

LEAST = 0.01
"""Added to how far a photo is valid, so that those that show nothing of a pixel share it."""


def shares(
    trust: Sequence[Float[Tensor, "B 1 h w"]], valid: Sequence[Float[Tensor, "B 1 H W"]] = ()
) -> Float[Tensor, "M B 1 h w"]:
    """How much each photo has to say: softmax of (trust + log(valid + LEAST)).

    Args:
        trust: logits of each of M photos.
        valid: how far each photo is known to show what is wanted, from 0 to 1, brought to the size
            of `trust`; none if nothing is known.
    """
    logits = torch.stack(list(trust)).float()
    if len(valid):
        size = logits.shape[-2:]
        seen = [interpolate(each.float(), size=size, mode="area") for each in valid]
        logits = logits + (torch.stack(seen) + LEAST).log()
    return logits.softmax(0)


def fused(
    parts: Sequence[Float[Tensor, "B C h w"]], share: Float[Tensor, "M B 1 H W"]
) -> Float[Tensor, "B C h w"]:
    """The weighted sum over photos; weights are brought to the size of what they weigh.

    Args:
        parts: of each photo.
        share: what `shares` found.
    """
    size = parts[0].shape[-2:]
    if share.shape[-2:] != size:
        share = torch.stack([interpolate(each, size=size, mode="area") for each in share])
    return torch.stack([part * each.to(part) for part, each in zip(parts, share, strict=True)]).sum(
        0
    )
