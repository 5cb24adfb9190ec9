"""What CoNR reads off a reference: features of many sizes, and the code of the surface it shows.

The code is the correspondence map and where the person is. Maps of a fit tell it of the head
alone; a network that learnt it from renders tells it of hair and clothes, too, as the place on the
head or neck that they are next to and move with.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import relu

from morphface.generate.networks.resnet import RESNET50, ResNet

__all__ = ["CODE", "CodeNetwork", "shows_mesh"]

CODE = 4
"""Channels of a code: the place on the surface, and whether there is any."""
_MEAN, _SPREAD = 0.6, 0.297
"""Of what goes in, as published."""
_WIDTHS = (8, 6, 4, 2, 0.5)
"""Channels of the decoder from coarse to fine, by the width."""
_SURFACE = 0.01
"""Sum of the first map's channels from which a pixel shows the mesh (HeadGAN's code)."""


def shows_mesh(maps: Float[Tensor, "B C H W"]) -> Bool[Tensor, "B 1 H W"]:
    """Where the first map shows the mesh.

    Args:
        maps: of some pictures, the correspondence map first.
    """
    return maps[:, :3].sum(1, keepdim=True) > _SURFACE


class CodeNetwork(nn.Module):
    """A U-Net on a ResNet-50.

    Args:
        width: channels of the finest features; 64 as published.
        sizes: of features, each half of the one before.
    """

    def __init__(self, width: int, sizes: int) -> None:
        super().__init__()
        self.encoder = ResNet(CODE, width, RESNET50[: sizes - 1], bottleneck=True)
        outputs = [int(width * share) for share in _WIDTHS[-sizes:]]
        skipped = self.encoder.widths[-2::-1]
        inputs = [
            self.encoder.widths[-1],
            *(a + b for a, b in zip(outputs[:-1], skipped, strict=True)),
        ]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(inputs, outputs, strict=True)
        )
        self.last = nn.Conv2d(outputs[-1], CODE, 3, 1, 1)
        nn.init.constant_(self.last.bias, 0.5)  # type: ignore[arg-type]  # where clamping lets learn

    def features(self, reference: Float[Tensor, "B 4 H W"]) -> list[Float[Tensor, "B c h w"]]:
        """Features, the finest first.

        Args:
            reference: colours times alpha, and alpha, from 0 to 1.
        """
        return self.encoder((reference - _MEAN) / _SPREAD)

    def code(self, features: list[Float[Tensor, "B c h w"]]) -> Float[Tensor, "B 4 H W"]:
        """The code that the reference shows, from 0 to 1.

        Args:
            features: of it.
        """
        found = features[-1]
        for layer, skipped in zip(self.up, [*features[-2::-1], None], strict=True):
            found = relu(layer(found))
            found = found if skipped is None else torch.cat([found, skipped], dim=1)
        return self.last(found).clamp(0, 1)
