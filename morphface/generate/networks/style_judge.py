"""The discriminator of StyleGAN2: residual blocks, and how much a batch varies (Karras 2020)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.equalised import Activation, EqualConv, EqualLinear, HalvingBlock
from morphface.generate.networks.judges import Verdicts
from morphface.generate.networks.lia import widths_of

__all__ = ["StyleJudge", "spread_within"]

_GROUP = 4
_LEAST = 1e-8


class StyleJudge(nn.Module):
    """Whether pictures are real; what drives them is not looked at.

    Args:
        config: of the generator that it judges.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, widths = config, widths_of(config)
        self.first = nn.Sequential(EqualConv(3, widths[0], 1), Activation(widths[0]))
        self.down = nn.ModuleList(
            HalvingBlock(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        last = widths[-1]
        self.mixed = nn.Sequential(EqualConv(last + 1, last, 3), Activation(last))
        self.whole = nn.Sequential(EqualConv(last, last, 4, padded=False), Activation(last))
        self.verdict = EqualLinear(last, 1)

    def forward(
        self,
        maps: Float[Tensor, "B C H W"],
        frame: Float[Tensor, "B 3 H W"],
        mouth: Float[Tensor, "B 2"],
        style: Float[Tensor, "B N"],
    ) -> tuple[Verdicts]:
        """Features of every size; the last are logits, one of each picture.

        Args:
            maps: are not looked at.
            frame: real, or made.
            mouth: is not looked at.
            style: is not looked at.
        """
        found = [self.first(frame)]
        for block in self.down:
            found.append(block(found[-1]))
        mixed = self.mixed(torch.cat([found[-1], spread_within(found[-1])], dim=1))
        return ([[*found, self.verdict(self.whole(mixed)[..., 0, 0])]],)


def spread_within(features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
    """The mean standard deviation within groups of four pictures that follow one another.

    Groups never reach over the middle of a batch, whose halves may be real and made.

    Args:
        features: of pictures.
    """
    count, _, height, width = features.shape
    group = math.gcd(count // 2, _GROUP) if count % 2 == 0 else 1
    apart = features.unflatten(0, (-1, group)).float()
    spread = (apart.var(1, unbiased=False) + _LEAST).sqrt().mean((1, 2, 3))
    wide = spread.repeat_interleave(group)[:, None, None, None]
    return wide.expand(count, 1, height, width).to(features.dtype)
