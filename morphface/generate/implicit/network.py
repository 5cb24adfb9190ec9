"""Inside or outside, point by point, at two levels (PIFuHD, Saito et al. 2020)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from morphface.core.records import Record
from morphface.generate.config import GeneratorConfig
from morphface.generate.implicit.blocks import ResidualBlock, Stack, group_norm
from morphface.generate.implicit.points import PointNetwork, sampled
from morphface.generate.implicit.probes import SPACE

__all__ = ["Answers", "Implicit", "Seen"]


@dataclass(frozen=True, eq=False)
class Seen(Record):
    """What was seen in pictures.

    Args:
        coarse: features after each hourglass, a quarter of the coarse picture's size.
        fine: half the fine picture's size; None without that level.
    """

    coarse: tuple[Float[Tensor, "B C h w"], ...]
    fine: Float[Tensor, "B c H W"] | None


@dataclass(frozen=True, eq=False)
class Answers(Record):
    """Logits of points being inside.

    Args:
        coarse: after each hourglass.
        fine: of the fine level; None without it.
        shown: whether the picture shows the place; what it does not show counts as outside.
    """

    coarse: tuple[Float[Tensor, "B N"], ...]
    fine: Float[Tensor, "B N"] | None
    shown: Bool[Tensor, "B N"]

    @property
    def inside(self) -> Float[Tensor, "B N"]:
        """How likely each point is inside: of the finest level, 0 where nothing is shown."""
        last = self.coarse[-1] if self.fine is None else self.fine
        return torch.where(self.shown, last.sigmoid(), 0.0)


class Implicit(nn.Module):
    """The networks of both levels.

    The coarse level sees the picture at half its resolution, a point's signed distance to the
    fitted mesh and the place in the mean shape of what is nearest on it (JIFF, Cao et al. 2022).
    The fine level knows of depth only what the coarse one made of it.

    Args:
        config: `width` channels of features of the coarse level, `stacks` hourglasses, `fine`
            channels of features of the fine level, 0 for none; 256, 4 and 16 as published.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        inputs, quarter = 3 + sum(config.channels), max(width // 4, 4)
        self.coarse = nn.Sequential(
            nn.Conv2d(inputs, quarter, 7, 2, 3),
            group_norm(quarter),
            nn.ReLU(),
            ResidualBlock(quarter, 2 * quarter),
            nn.AvgPool2d(2),
            ResidualBlock(2 * quarter, 2 * quarter),
            ResidualBlock(2 * quarter, width),
            Stack(width, width, config.stacks),
        )
        widths = 4 * width, 2 * width, width, width // 2
        self.decide = PointNetwork(width + SPACE, widths, (1, 2, 3))
        if config.fine:
            self.fine = nn.Sequential(
                nn.Conv2d(inputs, quarter, 7, 2, 3),
                group_norm(quarter),
                nn.ReLU(),
                ResidualBlock(quarter, quarter),
                Stack(quarter, config.fine, 1),
            )
            self.refine = PointNetwork(config.fine + width, widths[1:], (1, 2))

    def seen(self, picture: Float[Tensor, "B C S S"]) -> Seen:
        """Features of pictures, once for all points.

        Args:
            picture: colours and maps, from 0 to 1.
        """
        coarse = tuple(self.coarse(avg_pool2d(picture, 2)))
        return Seen(coarse, self.fine(picture)[0] if self.config.fine else None)

    def at(
        self, seen: Seen, places: Float[Tensor, "B N 2"], space: Float[Tensor, "B N D"]
    ) -> Answers:
        """Whether points are inside.

        Args:
            seen: of the pictures.
            places: where points are seen, as of `sampled`.
            space: where they are, as of `space_code`.
        """
        shown = (places.abs() <= 1).all(-1)
        given = [torch.cat([sampled(one, places), space], dim=-1) for one in seen.coarse]
        found = [self.decide(each) for each in given]
        coarse, fine = tuple(logits for logits, _ in found), None
        if seen.fine is not None:
            embedding = found[-1][1][2].detach()  # the coarse level does not learn from the fine
            fine, _ = self.refine(torch.cat([sampled(seen.fine, places), embedding], dim=-1))
        return Answers(coarse, fine, shown)

    def forward(
        self,
        picture: Float[Tensor, "B C S S"],
        places: Float[Tensor, "B N 2"],
        space: Float[Tensor, "B N D"],
    ) -> Answers:
        """Whether points are inside, as `at` says of what is `seen`."""
        return self.at(self.seen(picture), places, space)
