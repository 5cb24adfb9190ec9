"""D and Dm of HeadGAN: is a frame real, given its maps; is a mouth, given what drives it?"""

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from morphface.core.check import check_shape
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.blocks import SLOPE, convolution

__all__ = ["MOUTH_SHARE", "HeadJudges", "ScaledJudge", "Verdicts", "mouths"]

SCALES = 2
"""At how many sizes pictures are judged, each half of the one before."""
LAYERS = 4
"""Convolutions that halve the picture."""
MOUTH_SHARE = 4
"""How many times the mouth's crop goes into the side of the frame: 64 pixels of 256."""

Verdicts = list[list[Float[Tensor, "B c h w"]]]


class ScaledJudge(nn.Module):
    """A patch discriminator at two sizes, with spectral and instance norm.

    Args:
        inputs: channels of what is judged.
        width: channels of the first layer; they double up to eight times that.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        widths = [inputs, *(width * min(2**k, 8) for k in range(LAYERS)), 8 * width]
        self.scales = nn.ModuleList(
            nn.ModuleList(
                [
                    *(_layer(a, b, k) for k, (a, b) in enumerate(pairwise(widths))),
                    convolution(widths[-1], 1, 4, padding=2),
                ]
            )
            for _ in range(SCALES)
        )

    def forward(self, picture: Float[Tensor, "B C H W"]) -> Verdicts:
        """For each size the features of every layer; the last are the logits of patches."""
        found: Verdicts = []
        scales: Any = self.scales
        for k, layers in enumerate(scales):
            features = [avg_pool2d(picture, 2**k) if k else picture]
            for layer in layers:
                features.append(layer(features[-1]))
            found.append(features[1:])
        return found


class HeadJudges(nn.Module):
    """Both judges of a one-shot generator.

    Args:
        config: of the generator that they judge.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.whole = ScaledJudge(sum(config.channels) + 3, 2 * config.width)
        self.mouth = ScaledJudge(config.style_dim + 3, 2 * config.width)

    def forward(
        self,
        maps: Float[Tensor, "B C H W"],
        frame: Float[Tensor, "B 3 H W"],
        mouth: Float[Tensor, "B 2"],
        style: Float[Tensor, "B N"],
    ) -> tuple[Verdicts, Verdicts]:
        """What each judge sees: of the frame with its maps, of the mouth with the style.

        Args:
            maps: of the frame alone.
            frame: real, or made.
            mouth: middle of the mouth in pixels.
            style: what else drives the frame; may have no numbers.

        Raises:
            ShapeError: an argument has not the size of the configuration.
        """
        side = self.config.resolution
        check_shape("maps", maps, None, sum(self.config.channels), side, side)
        check_shape("frame", frame, len(maps), 3, side, side)
        check_shape("style", style, len(maps), self.config.style_dim)
        crop = mouths(frame, mouth)
        tiled = style[..., None, None].expand(*style.shape, *crop.shape[-2:])
        return self.whole(torch.cat([maps, frame], 1)), self.mouth(torch.cat([crop, tiled], 1))


def mouths(
    frame: Float[Tensor, "B C H W"], middle: Float[Tensor, "B 2"]
) -> Float[Tensor, "B C h w"]:
    """Square crops about the mouth, a quarter of the frame wide, of whole pixels within it.

    Args:
        frame: pictures.
        middle: x and y in pixels.
    """
    side = frame.shape[-1] // MOUTH_SHARE
    corners = (middle.detach() - side / 2).round().long().clamp(0, frame.shape[-1] - side)
    return torch.stack(
        [
            one[:, y : y + side, x : x + side]
            for one, (x, y) in zip(frame, corners.tolist(), strict=True)
        ]
    )


def _layer(inputs: int, outputs: int, number: int) -> nn.Sequential:
    stride = 2 if number < LAYERS else 1
    layer = convolution(inputs, outputs, 4, spectral=number > 0, stride=stride, padding=2)
    norm = nn.InstanceNorm2d(outputs) if number else nn.Identity()
    return nn.Sequential(layer, norm, nn.LeakyReLU(SLOPE))
