"""F of HeadGAN: where in the photo is what the frame to make shows, and where is it at all?

Where the flow of the mesh is known it is the start, and the network learns the rest; its features
are moved by it beforehand, so that they lie where the frame wants them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from morphface.core.records import Record
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.blocks import (
    SLOPE,
    Encoder,
    SpadeBlock,
    convolution,
    doubled,
    for_frames,
    joined,
)
from morphface.generate.networks.warp import full_precision, halved_flow, warped
from morphface.generate.reference import Reference

__all__ = ["FlowNetwork", "Moved", "hints_of"]

HINTS = 3
"""Channels that tell of the prior: valid, the person moved by it, left behind."""
_SURE = 2.0
"""What the mask's unit starts from where the mattes say person (minus that elsewhere): 0.98."""


@dataclass(frozen=True, eq=False)
class Moved(Record):
    """A photo, and features of it, where the frame to make wants them.

    Args:
        features: the finest first.
        photo: moved.
        flow: that moved them.
        mask: where the flow holds; elsewhere nothing moves.
        trust: logits of how much the photo has to say among several; 0 where that is not learnt.
    """

    features: tuple[Float[Tensor, "B c h w"], ...]
    photo: Float[Tensor, "B 3 H W"]
    flow: Float[Tensor, "B 2 H W"]
    mask: Float[Tensor, "B 1 H W"]
    trust: Float[Tensor, "B 1 H W"]


class FlowNetwork(nn.Module):
    """The dense flow network.

    Args:
        config: channels, width, whether there is a prior, and whether photos are fused by trust.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        width, condition = config.width, config.window_channels
        self.prior = config.flow_prior
        condition += HINTS if self.prior else 0
        self.encoder = Encoder(3 + sum(config.channels), width)
        coarse, middle = 16 * width, 4 * width
        self.blocks = nn.ModuleList(
            SpadeBlock(channels, condition, 8 * width) for channels in (coarse,) * 3 + (middle,)
        )
        self.flow = convolution(width, 2, 7)
        self.mask = convolution(width, 1, 7)
        self.flow.precise = True  # type: ignore[assignment]  # stays in float32
        self.trust = convolution(width, 1, 7) if config.fusion else None

    def encode(self, reference: Reference) -> list[Float[Tensor, "B c h w"]]:
        """Features of a photo, which serve all frames that are made from it."""
        like = self.mask.weight.dtype
        return self.encoder(joined([reference.photo.to(like), reference.maps]))

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        reference: Reference,
        features: list[Float[Tensor, "b c h w"]],
        hints: Float[Tensor, "B 3 H W"],
    ) -> Moved:
        """The photo and its features, moved to where the window wants them.

        Args:
            window: maps.
            reference: the photo.
            features: what `encode` made of it.
            hints: what `hints_of` made of it.
        """
        batch = len(window)
        features = [for_frames(part, batch) for part in features]
        condition = joined([window, hints]) if self.prior else window
        found = features[-1]
        if self.prior:
            found = warped(found, halved_flow(halved_flow(reference.flow)))
        for k, block in enumerate(self.blocks):
            found = block(found, condition)
            found = doubled(found) if k >= 2 else found
        found = leaky_relu(found, SLOPE)
        flow, mask = self._heads(found, reference, hints)
        photo = for_frames(reference.photo.float(), batch)
        levels, here = [], flow
        for part in features:
            levels.append(warped(part, here))
            here = halved_flow(here)
        trust = torch.zeros_like(mask) if self.trust is None else self.trust(found).float()
        return Moved(tuple(levels), warped(photo, flow), flow, mask, trust)

    def _heads(
        self, found: Tensor, reference: Reference, hints: Tensor
    ) -> tuple[Float[Tensor, "B 2 H W"], Float[Tensor, "B 1 H W"]]:
        """Flow and mask, in float32: effective flow = (prior + rest) * mask."""
        unit = self.mask(found).float()
        with full_precision(found):
            flow = self.flow(found.float())
            if self.prior:
                flow = flow + reference.flow
                person = torch.maximum(hints[:, 1:2], reference.matte)
                unit = unit + _SURE * (2 * person - 1)
            mask = (unit.tanh() + 1) / 2
            return flow * mask, mask


def hints_of(reference: Reference) -> Float[Tensor, "B 3 H W"]:
    """What the prior tells besides where to look.

    Its validity; where it moves the photo's person to; and where that person was but is not any
    more, so that something else must be shown there.

    Args:
        reference: the photo.
    """
    matte = for_frames(reference.matte, len(reference.flow))
    moved = warped(matte, reference.flow)
    left = matte * (1 - moved)
    return torch.cat([reference.valid, moved, left], dim=1)
