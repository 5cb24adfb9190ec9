"""Hourglass networks of the first-order motion model (Siarohin et al. 2019)."""

from jaxtyping import Float
from torch import Tensor, cat, nn

from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.dvp import norm_of

__all__ = ["Hourglass", "down_block", "same_block", "up_block"]


def same_block(config: GeneratorConfig, inputs: int, outputs: int, size: int) -> nn.Sequential:
    """A convolution that keeps the size, its norm and a rectifier.

    Args:
        config: says which norm.
        inputs: channels.
        outputs: channels.
        size: of the window.
    """
    layer = nn.Conv2d(inputs, outputs, size, 1, size // 2)
    return nn.Sequential(layer, norm_of(config, outputs), nn.ReLU())


def down_block(config: GeneratorConfig, inputs: int, outputs: int) -> nn.Sequential:
    """Half the size.

    Args:
        config: says which norm.
        inputs: channels.
        outputs: channels.
    """
    return nn.Sequential(*same_block(config, inputs, outputs, 3), nn.AvgPool2d(2))


def up_block(config: GeneratorConfig, inputs: int, outputs: int) -> nn.Sequential:
    """Twice the size.

    Args:
        config: says which norm.
        inputs: channels.
        outputs: channels.
    """
    return nn.Sequential(nn.Upsample(scale_factor=2), *same_block(config, inputs, outputs, 3))


class Hourglass(nn.Module):
    """Down and up again, with what was seen at each size on the way.

    Args:
        config: says which norm.
        inputs: channels.
        width: of the first half; they double.
        most: channels at most.
        levels: halvings.
    """

    def __init__(
        self, config: GeneratorConfig, inputs: int, *, width: int, most: int, levels: int
    ) -> None:
        super().__init__()
        widths = [min(most, width * 2**k) for k in range(levels + 1)]
        before = [inputs, *widths[1:-1]]
        self.down = nn.ModuleList(
            down_block(config, a, b) for a, b in zip(before, widths[1:], strict=True)
        )
        self.up = nn.ModuleList(
            up_block(config, (1 if k == levels else 2) * widths[k], widths[k - 1])
            for k in range(levels, 0, -1)
        )
        self.outputs = width + inputs
        """Channels of what comes out."""

    def forward(self, picture: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        """Features of the picture's size, the picture among them."""
        kept = [picture]
        for block in self.down:
            kept.append(block(kept[-1]))
        found = kept.pop()
        for block in self.up:
            found = cat([block(found), kept.pop()], dim=1)
        return found
