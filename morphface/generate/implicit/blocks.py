"""Stacked hourglasses (Newell et al. 2016) of hierarchical residual blocks (Bulat et al. 2017).

Norms are group norms, which know nothing of a batch.
"""

from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

__all__ = ["Hourglass", "ResidualBlock", "Stack", "group_norm"]

GROUPS = 32
"""Of a group norm, where there are channels for them."""


def group_norm(channels: int) -> nn.GroupNorm:
    """In as many groups as divide the channels into pairs, 32 at most.

    Args:
        channels: an even number, or one.
    """
    groups = min(GROUPS, max(channels // 2, 1))
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels)


class ResidualBlock(nn.Module):
    """Three convolutions, each on what the one before found, side by side in the result.

    Args:
        inputs: channels.
        outputs: channels, a multiple of 4.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        widths = outputs // 2, outputs // 4, outputs // 4
        before = inputs, *widths[:2]
        self.layers = nn.ModuleList(
            nn.Sequential(group_norm(a), nn.ReLU(), nn.Conv2d(a, b, 3, 1, 1, bias=False))
            for a, b in zip(before, widths, strict=True)
        )
        change = nn.Sequential(group_norm(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 1))
        self.skip: nn.Module = nn.Identity() if inputs == outputs else change

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B c H W"]:
        """The features, changed."""
        found = [features]
        for layer in self.layers:
            found.append(layer(found[-1]))
        return cat(found[1:], dim=1) + self.skip(features)


class Hourglass(nn.Module):
    """Down and up again; what was seen at each size is added on the way.

    Args:
        width: channels.
        depth: halvings.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.beside, self.down, self.up = (
            nn.ModuleList(ResidualBlock(width, width) for _ in range(depth)) for _ in range(3)
        )
        self.bottom = ResidualBlock(width, width)

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Features of the same size."""
        kept = []
        for beside, down in zip(self.beside, self.down, strict=True):
            kept.append(beside(features))
            features = down(avg_pool2d(features, 2))
        features = self.bottom(features)
        for up in self.up:
            side = kept.pop()
            larger = interpolate(up(features), side.shape[-2:], mode="bicubic", align_corners=True)
            features = side + larger
        return features


class Stack(nn.Module):
    """Hourglasses in a row; each gives features, and the next sees those of all before it.

    Args:
        width: channels within.
        outputs: channels of the features.
        count: of hourglasses.
    """

    DEPTH = 2

    def __init__(self, width: int, outputs: int, count: int) -> None:
        super().__init__()
        self.glasses = nn.ModuleList(
            nn.Sequential(Hourglass(width, self.DEPTH), ResidualBlock(width, width))
            for _ in range(count)
        )
        self.ends = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 1), group_norm(width)) for _ in range(count)
        )
        self.features = nn.ModuleList(nn.Conv2d(width, outputs, 1) for _ in range(count))
        self.back = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(count - 1))
        self.again = nn.ModuleList(nn.Conv2d(outputs, width, 1) for _ in range(count - 1))

    def forward(self, features: Float[Tensor, "B C H W"]) -> list[Float[Tensor, "B D H W"]]:
        """Features after each hourglass; all are supervised."""
        found = []
        for number, (glass, end) in enumerate(zip(self.glasses, self.ends, strict=True)):
            inner = relu(end(glass(features)))
            found.append(self.features[number](inner))
            if number < len(self.back):
                features = features + self.back[number](inner) + self.again[number](found[-1])
        return found
