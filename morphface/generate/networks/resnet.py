"""ResNets (He et al. 2016) as encoders: instance norm, and a convolution instead of max-pooling."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

__all__ = ["RESNET18", "RESNET50", "ResNet"]

RESNET18, RESNET50 = (2, 2, 2, 2), (3, 4, 6, 3)
"""Blocks of each stage."""
_EXPANSION = 4
"""How many times as many channels a bottleneck has outside of its middle."""


class ResNet(nn.Module):
    """Features of a half, a quarter and so on of the picture's size.

    Args:
        inputs: channels of the picture.
        width: channels of the finest features; 64 as published.
        stages: blocks of each stage; there is one more size than stages.
        bottleneck: blocks of three convolutions with a narrow middle, as in the deeper ones.
    """

    def __init__(
        self, inputs: int, width: int, stages: Sequence[int], *, bottleneck: bool = False
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_normed(inputs, width, 7, 2), nn.ReLU())
        self.pool = nn.Conv2d(width, width, 3, 2, 1, bias=False)
        grown = _EXPANSION if bottleneck else 1
        widths = [width * 2**k for k in range(len(stages))]
        self.widths = (width, *(grown * each for each in widths))
        """Channels of the features, the finest first."""
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    _Block(
                        before if n == 0 else grown * inner, inner, grown, 2 if k and not n else 1
                    )
                    for n in range(count)
                )
            )
            for k, (count, inner, before) in enumerate(
                zip(stages, widths, self.widths[:-1], strict=True)
            )
        )

    def forward(self, picture: Float[Tensor, "B C H W"]) -> list[Float[Tensor, "B c h w"]]:
        """Features, the finest first."""
        found = [self.stem(picture)]
        here = self.pool(found[0])
        for stage in self.stages:
            here = stage(here)
            found.append(here)
        return found


class _Block(nn.Module):
    """A residual block: two convolutions, or three with a narrow middle."""

    def __init__(self, before: int, inner: int, grown: int, stride: int) -> None:
        super().__init__()
        after = grown * inner
        if grown == 1:
            layers = [*_normed(before, inner, 3, stride), nn.ReLU(), *_normed(inner, after, 3)]
        else:
            first = [*_normed(before, inner, 1), nn.ReLU()]
            middle = [*_normed(inner, inner, 3, stride), nn.ReLU()]
            layers = [*first, *middle, *_normed(inner, after, 1)]
        self.layers = nn.Sequential(*layers)
        changed = stride > 1 or before != after
        self.short = nn.Sequential(*_normed(before, after, 1, stride)) if changed else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        return relu(self.layers(features) + self.short(features))


def _normed(inputs: int, outputs: int, size: int, stride: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return [layer, nn.InstanceNorm2d(outputs, affine=True)]
