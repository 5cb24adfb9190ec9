"""The discriminator: is each patch of a frame real, given the maps of its window?

PatchGAN (Isola et al. 2017), which sees the whole window as in Deep Video Portraits, section 5.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.dvp import initialise, norm_of

__all__ = ["PatchDiscriminator"]

_SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Logits of patches of 70 pixels: convolutions of 4 x 4 with strides 2, 2, 2, 1, 1.

    Args:
        config: of the generator that it judges.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * k for k in (1, 2, 4, 8)]
        inputs = [config.window_channels + 3, *widths[:-1]]
        self.layers = nn.ModuleList(
            _layer((a, b), stride, norm_of(config, b) if k else nn.Identity())
            for k, (a, b, stride) in enumerate(zip(inputs, widths, (2, 2, 2, 1), strict=True))
        )
        self.layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 1))
        initialise(self)

    def forward(
        self, window: Float[Tensor, "B C H W"], frame: Float[Tensor, "B 3 H W"]
    ) -> list[Float[Tensor, "B c h w"]]:
        """Features of every layer; the last are the logits of patches.

        Args:
            window: as the generator sees it.
            frame: real, or made.

        Raises:
            ShapeError: the window or the frame has not the size of the configuration.
        """
        side = self.config.resolution
        check_shape("window", window, None, self.config.window_channels, side, side)
        check_shape("frame", frame, len(window), 3, side, side)
        features = [torch.cat([window, frame], dim=1)]
        for layer in self.layers:
            features.append(layer(features[-1]))
        return features[1:]


def _layer(channels: tuple[int, int], stride: int, norm: nn.Module) -> nn.Sequential:
    bias = isinstance(norm, nn.Identity)
    return nn.Sequential(nn.Conv2d(*channels, 4, stride, 1, bias=bias), norm, nn.LeakyReLU(_SLOPE))
