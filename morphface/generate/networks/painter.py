"""R of HeadGAN: the frame, painted on what the flow moved there."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.blocks import (
    SLOPE,
    Encoder,
    SpadeBlock,
    StyleBlock,
    convolution,
    doubled,
    joined,
)
from morphface.generate.networks.flow import HINTS

__all__ = ["RenderingNetwork"]


class RenderingNetwork(nn.Module):
    """The rendering network: SPADE by moved features at three sizes, then by the moved photo.

    Args:
        config: channels, width, style, and whether what is painted is added to the moved photo.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        width, extra = config.width, HINTS if config.flow_prior else 0
        self.prior, self.added = config.flow_prior, config.blend
        widths = (16 * width, 4 * width, width)
        self.encoder = Encoder(config.window_channels + extra, width)
        self.blocks = nn.ModuleList(SpadeBlock(c, c, 8 * width) for c in widths)
        styles = widths if config.style_dim else ()
        self.styles = nn.ModuleList(StyleBlock(c, config.style_dim) for c in styles)
        self.last = SpadeBlock(width, 3 + extra, 8 * width)
        self.paint = convolution(width, 3, 7)

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        features: tuple[Float[Tensor, "B c h w"], ...],
        photo: Float[Tensor, "B 3 H W"],
        hints: Float[Tensor, "B 3 H W"],
        style: Float[Tensor, "B N"] | None = None,
    ) -> Float[Tensor, "B 3 H W"]:
        """The frame.

        Args:
            window: maps.
            features: moved, the finest first.
            photo: moved.
            hints: of the prior.
            style: what else drives the frame.
        """
        extra = [hints] if self.prior else []
        found = self.encoder(joined([window, *extra]))[-1]
        for k, block in enumerate(self.blocks):
            found = block(found, features[-1 - k])
            if style is not None and len(self.styles):
                found = self.styles[k](found, style.to(found.dtype))
            found = doubled(found) if k < 2 else found
        found = self.last(found, joined([photo.to(found.dtype), *extra]))
        found = leaky_relu(found, SLOPE)
        painted = torch.tanh(self.paint(found).float())
        return (photo + 2 * painted).clamp(-1, 1) if self.added else painted
