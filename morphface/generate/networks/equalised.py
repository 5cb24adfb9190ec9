"""Layers of StyleGAN2 (Karras et al. 2020) that LIA is made of.

Weights begin at N(0, 1) and are scaled when they are used, so that all learn at one rate.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, linear, pad

from morphface.generate.networks.blocks import SLOPE

__all__ = ["Activation", "EqualConv", "EqualLinear", "HalvingBlock", "ModulatedConv", "blurred"]

_BLUR = (1.0, 3.0, 3.0, 1.0)
_LEAST = 1e-8


class EqualLinear(nn.Module):
    """A matrix and a bias.

    Args:
        inputs: numbers.
        outputs: numbers.
        bias: that the biases begin with.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.full((outputs,), bias))

    def forward(self, values: Float[Tensor, "B N"]) -> Float[Tensor, "B M"]:
        """The product."""
        return linear(values, self.weight / math.sqrt(self.weight.shape[1]), self.bias)


class EqualConv(nn.Module):
    """A convolution without bias.

    Args:
        inputs: channels.
        outputs: channels.
        size: of its window.
        halving: blur and take every second pixel.
        padded: keep the size otherwise.
    """

    def __init__(
        self, inputs: int, outputs: int, size: int, *, halving: bool = False, padded: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.halving, self.padding = halving, size // 2 if padded else 0

    def forward(self, picture: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """The picture, convolved."""
        weight = self.weight / math.sqrt(self.weight[0].numel())
        if not self.halving:
            return conv2d(picture, weight, padding=self.padding)
        around = self.weight.shape[-1] - 1
        smooth = blurred(picture, (1 + around - around // 2, 1 + around // 2))
        return conv2d(smooth, weight, stride=2)


class Activation(nn.Module):
    """A bias and a leaky rectifier that keeps the variance.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The features, bent."""
        return leaky_relu(features + self.bias, SLOPE) * math.sqrt(2)


class HalvingBlock(nn.Module):
    """A residual block to half the size.

    Args:
        inputs: channels.
        outputs: channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            EqualConv(inputs, inputs, 3),
            Activation(inputs),
            EqualConv(inputs, outputs, 3, halving=True),
            Activation(outputs),
        )
        self.short = EqualConv(inputs, outputs, 1, halving=True)

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Features of half the size."""
        return (self.layers(features) + self.short(features)) / math.sqrt(2)


class ModulatedConv(nn.Module):
    """A convolution whose weights a vector scales.

    Scaling what goes in and what comes out is the same as scaling weights for each picture.

    Args:
        inputs: channels.
        outputs: channels.
        size: of its window.
        style: length of the vector.
        doubling: to twice the size, and blur.
        demodulated: weights of each output have the length 1.
        gain: of the weights.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        style: int,
        *,
        doubling: bool = False,
        demodulated: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(gain * torch.randn(outputs, inputs, size, size))
        self.modulation = EqualLinear(style, inputs, bias=1.0)
        self.doubling, self.demodulated = doubling, demodulated

    def forward(
        self, features: Float[Tensor, "B C H W"], style: Float[Tensor, "B N"]
    ) -> Float[Tensor, "B D h w"]:
        """Features in a style."""
        weight = self.weight / math.sqrt(self.weight[0].numel())
        scale = self.modulation(style)
        given = features * scale[..., None, None]
        if self.doubling:
            found = conv_transpose2d(given, weight.transpose(0, 1), stride=2)
            found = 4 * blurred(found, (1, 1))
        else:
            found = conv2d(given, weight, padding=weight.shape[-1] // 2)
        if not self.demodulated:
            return found
        length = scale.square() @ weight.square().sum((2, 3)).T
        return found * (length + _LEAST).rsqrt()[..., None, None]


def blurred(picture: Float[Tensor, "B C H W"], around: tuple[int, int]) -> Float[Tensor, "B C h w"]:
    """The picture under a binomial window of four pixels.

    Args:
        picture: of any channels.
        around: pixels of zeros before and after, in both directions.
    """
    window = picture.new_tensor(_BLUR) / sum(_BLUR)
    channels = picture.shape[1]
    padded = pad(picture, (*around, *around))
    for shape in ((1, 1, 4, 1), (1, 1, 1, 4)):
        padded = conv2d(padded, window.reshape(shape).repeat(channels, 1, 1, 1), groups=channels)
    return padded
