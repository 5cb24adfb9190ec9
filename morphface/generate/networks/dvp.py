"""The rendering-to-video translation network of Deep Video Portraits (Kim et al. 2018).

A U-Net that halves the picture until one pixel is left and doubles it back (section 5; figure 4),
with convolutions that refine each doubled picture. Depth follows from the resolution: 8 + 8
modules at 256 pixels.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig

__all__ = ["TranslationNetwork", "initialise", "norm_of"]

_SLOPE = 0.2
_SPREAD = 0.02
_DROPPED = 3
_GROWTH = 8


class TranslationNetwork(nn.Module):
    """From a window of maps to the frame that they show.

    Args:
        config: resolution, channels, and how modules are built.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        depth = int(math.log2(config.resolution))
        widths = [config.width * min(2**k, _GROWTH) for k in range(depth)]
        inputs = [config.window_channels, *widths[:-1]]
        self.down = nn.ModuleList(
            _down(a, b, nn.Identity() if k == 0 else norm_of(config, b, single=k == depth - 1))
            for k, (a, b) in enumerate(zip(inputs, widths, strict=True))
        )
        outputs = [*widths[-2::-1], 3]
        sources = [widths[-1], *(2 * width for width in outputs[:-1])]
        self.up = nn.ModuleList(
            _up((a, b), config, config.dropout if k < _DROPPED else 0.0, single=k == 0)
            for k, (a, b) in enumerate(zip(sources[:-1], outputs[:-1], strict=True))
        )
        self.last = nn.Sequential(
            *_refined(sources[-1], config, when="before"),
            nn.ConvTranspose2d(sources[-1], 3, 4, 2, 1),
            nn.Tanh(),
        )
        initialise(self)

    def forward(self, window: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 3 H W"]:
        """The last frame of each window, in [-1, 1].

        Args:
            window: maps of its frames, oldest first, all maps of a frame together.

        Raises:
            ShapeError: the window has not the channels or the size of the configuration.
            ParameterError: a batch of one is trained with batch norm, which has no variance there.
        """
        side = self.config.resolution
        check_shape("window", window, None, self.config.window_channels, side, side)
        if self.training and self.config.norm == "batch" and len(window) < 2:
            raise ParameterError(
                "window must have a batch of 2 or more to train with batch norm, got 1; "
                "norm='instance' trains with 1"
            )
        kept: list[Tensor] = []
        feature = window
        for module in self.down:
            feature = module(feature)
            kept.append(feature)
        kept.pop()
        for module in self.up:
            feature = torch.cat([module(feature), kept.pop()], dim=1)
        return self.last(feature)


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), scales of norms from N(1, 0.02), as in pix2pix.

    Args:
        network: is changed in place.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, _SPREAD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d):
            nn.init.normal_(module.weight, 1.0, _SPREAD)
            nn.init.zeros_(module.bias)


def norm_of(config: GeneratorConfig, channels: int, *, single: bool = False) -> nn.Module:
    """The norm of features, as a configuration says.

    Args:
        config: that says which.
        channels: of the features.
        single: whether they are of one pixel, which has no variance within its picture.
    """
    if config.norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.Identity() if single else nn.InstanceNorm2d(channels, affine=True)


def _down(inputs: int, outputs: int, norm: nn.Module) -> nn.Sequential:
    bias = isinstance(norm, nn.Identity)  # a norm takes it away again
    convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=bias)
    return nn.Sequential(convolution, norm, nn.LeakyReLU(_SLOPE))


def _up(
    channels: tuple[int, int], config: GeneratorConfig, dropout: float, *, single: bool
) -> nn.Sequential:
    inputs, outputs = channels
    return nn.Sequential(
        *_refined(inputs, config, dropout, when="before", single=single),
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
        *_finish(norm_of(config, outputs), dropout),
        *_refined(outputs, config, dropout, when="after"),
    )


def _refined(
    channels: int,
    config: GeneratorConfig,
    dropout: float = 0.0,
    *,
    when: str,
    single: bool = False,
) -> list[nn.Module]:
    """Two convolutions that keep the size, if they stand there."""
    if config.refinement != when:
        return []
    return [
        module
        for _ in range(2)
        for module in (
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            *_finish(norm_of(config, channels, single=single), dropout),
        )
    ]


def _finish(norm: nn.Module, dropout: float) -> list[nn.Module]:
    return [norm, *([nn.Dropout(dropout)] if dropout else []), nn.ReLU()]
