"""The discriminator of the first-order model: is a frame real, given where key points are?"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.blocks import SLOPE
from morphface.generate.networks.dense_motion import count_of, heat_maps, points_of
from morphface.generate.networks.judges import Verdicts

__all__ = ["PointJudge"]

_BLOCKS = 4
_MOST = 16
"""How many times the width there are channels at most: 512 of 32."""


class PointJudge(nn.Module):
    """Four blocks at one size; the frame's key points as heat maps are its condition.

    Args:
        config: of the generator that it judges, half of whose width it has.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, width = config, max(config.width // 2, 1)
        widths = [3 + count_of(config)]
        widths += [width * min(2**k, _MOST) for k in range(_BLOCKS)]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(widths[k], widths[k + 1], 4, 1, 1),
                nn.InstanceNorm2d(widths[k + 1], affine=True) if k else nn.Identity(),
                nn.LeakyReLU(SLOPE),
            )
            for k in range(_BLOCKS)
        )
        self.last = nn.Conv2d(widths[-1], 1, 1)

    def forward(
        self,
        maps: Float[Tensor, "B C H W"],
        frame: Float[Tensor, "B 3 H W"],
        mouth: Float[Tensor, "B 2"],
        style: Float[Tensor, "B N"],
    ) -> tuple[Verdicts]:
        """Features of every block; the last are the logits of patches.

        Args:
            maps: are not looked at.
            frame: real, or made.
            mouth: is not looked at.
            style: the points.
        """
        bells = heat_maps(points_of(style)[0], frame.shape[-1])
        found = [torch.cat([frame, bells.to(frame)], dim=1)]
        for k, block in enumerate(self.blocks):
            features = block(found[-1])
            found.append(avg_pool2d(features, 2) if k < _BLOCKS - 1 else features)
        return ([[*found[1:], self.last(found[-1])]],)
