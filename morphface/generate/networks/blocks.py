"""Blocks that one-shot generators share: encoder, SPADE, AdaIN, spectral norm.

Channels are in multiples of a width. Convolutions that are followed by a norm, or lie within a
residual block, have spectral norm (Miyato et al. 2018); those that predict what modulates, moves
or shows do not.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

__all__ = [
    "GROWTH",
    "SLOPE",
    "Encoder",
    "Spade",
    "SpadeBlock",
    "StyleBlock",
    "convolution",
    "doubled",
    "for_frames",
    "joined",
]

SLOPE = 0.2
"""Of leaky rectifiers."""
GROWTH = 4
"""How many times as many channels each halving has."""
_GAIN = 0.02
_SPECTRAL_GAIN = 1.0
"""Of weights with spectral norm. Their size changes nothing of the result, but what a step of Adam
changes of them: at 0.02 the first hundred steps of a short training turn them about at random."""
_RECTIFIED = 2**0.5
_MODULATION_GAIN = 0.1
"""Of what modulates a norm by a picture, behind a layer that starts as He et al. (2015) say."""


def convolution(
    inputs: int,
    outputs: int,
    size: int,
    *,
    spectral: bool = False,
    gain: float = _GAIN,
    **how: Any,
) -> nn.Conv2d:
    """A convolution that keeps the size, with Xavier's weights, of gain 0.02 as HeadGAN has them.

    Args:
        inputs: channels.
        outputs: channels.
        size: of its window.
        spectral: with spectral norm.
        gain: of the weights, where there is no spectral norm.
        how: other arguments of `Conv2d`.
    """
    made = nn.Conv2d(inputs, outputs, size, **({"padding": size // 2} | how))
    nn.init.xavier_normal_(made.weight, _SPECTRAL_GAIN if spectral else gain)
    if made.bias is not None:
        nn.init.zeros_(made.bias)
    # Weights on `meta` have no values to norm, which torch would take seconds to go through.
    return cast(nn.Conv2d, spectral_norm(made)) if spectral and not made.weight.is_meta else made


def doubled(features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B c h w"]:
    """Twice the size, a quarter of the channels: pixel shuffle (Shi et al. 2016)."""
    return nn.functional.pixel_shuffle(features, 2)


class Encoder(nn.Module):
    """Features of three sizes: the picture's, a half and a quarter of it.

    Args:
        inputs: channels of the picture.
        width: channels of the finest features; the others have 4 and 16 times as many.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        widths = [width, width * GROWTH, width * GROWTH**2]
        first = convolution(inputs, width, 7, spectral=True, padding=3, padding_mode="reflect")
        down = [
            convolution(a, b, 3, spectral=True, stride=2)
            for a, b in zip(widths[:-1], widths[1:], strict=True)
        ]
        self.levels = nn.ModuleList(
            nn.Sequential(layer, nn.InstanceNorm2d(channels, affine=True), nn.ReLU())
            for layer, channels in zip([first, *down], widths, strict=True)
        )

    def forward(self, picture: Float[Tensor, "B C H W"]) -> list[Float[Tensor, "B c h w"]]:
        """Features, the finest first."""
        found = [picture]
        for level in self.levels:
            found.append(level(found[-1]))
        return found[1:]


class Spade(nn.Module):
    """A norm whose scale and shift depend on a picture, pixel by pixel (Park et al. 2019).

    Args:
        channels: of the features.
        condition: channels of the picture.
        hidden: channels between.
    """

    def __init__(self, channels: int, condition: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.shared = nn.Sequential(convolution(condition, hidden, 3, gain=_RECTIFIED), nn.ReLU())
        self.modulation = convolution(hidden, 2 * channels, 3, gain=_MODULATION_GAIN)

    def forward(
        self, features: Float[Tensor, "B C H W"], condition: Float[Tensor, "B c h w"]
    ) -> Float[Tensor, "B C H W"]:
        """Normalised and modulated features; the condition is brought to their size."""
        if condition.shape[-2:] != features.shape[-2:]:
            condition = interpolate(condition, size=features.shape[-2:], mode="nearest")
        scale, shift = self.modulation(self.shared(condition)).chunk(2, dim=1)
        normed = self.norm(features)
        return torch.addcmul(normed + shift, normed, scale)


class SpadeBlock(nn.Module):
    """A residual block of two convolutions, each after a `Spade`.

    Args:
        channels: of the features, before and after.
        condition: channels of the picture.
        hidden: channels within each `Spade`.
    """

    def __init__(self, channels: int, condition: int, hidden: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(Spade(channels, condition, hidden) for _ in range(2))
        self.layers = nn.ModuleList(
            convolution(channels, channels, 3, spectral=True) for _ in range(2)
        )

    def forward(
        self, features: Float[Tensor, "B C H W"], condition: Float[Tensor, "B c h w"]
    ) -> Float[Tensor, "B C H W"]:
        """The features, changed as the condition wants."""
        change = features
        for norm, layer in zip(self.norms, self.layers, strict=True):
            change = layer(leaky_relu(norm(change, condition), SLOPE))
        return features + change


class StyleBlock(nn.Module):
    """Two convolutions, each after a norm that a vector modulates (AdaIN, Huang et al. 2017).

    Args:
        channels: of the features, before and after.
        style: length of the vector.
    """

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        modulations = [nn.Linear(style, 2 * channels) for _ in range(2)]
        for layer in modulations:
            nn.init.xavier_normal_(layer.weight, _GAIN)
            nn.init.zeros_(layer.bias)
        self.modulations = nn.ModuleList(modulations)
        self.layers = nn.ModuleList(
            convolution(channels, channels, 3, spectral=True) for _ in range(2)
        )

    def forward(
        self, features: Float[Tensor, "B C H W"], style: Float[Tensor, "B N"]
    ) -> Float[Tensor, "B C H W"]:
        """The features in that style."""
        for modulation, layer in zip(self.modulations, self.layers, strict=True):
            scale, shift = modulation(style)[..., None, None].chunk(2, dim=1)
            features = layer(leaky_relu(self.norm(features) * (1 + scale) + shift, SLOPE))
        return features


def for_frames(values: Float[Tensor, "#B C H W"], count: int) -> Float[Tensor, "B C H W"]:
    """What belongs to a photo alone, for each of so many frames."""
    return values.expand(count, *values.shape[1:])


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Channels of several pictures, in the precision of the first."""
    return torch.cat([part.to(parts[0].dtype) for part in parts], dim=1)
