"""Features at points, and a network that decides about each point by itself."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample, leaky_relu

from morphface.generate.networks.blocks import SLOPE

__all__ = ["PointNetwork", "sampled"]


def sampled(
    features: Float[Tensor, "B C H W"], places: Float[Tensor, "B N 2"]
) -> Float[Tensor, "B N C"]:
    """Features where points are seen, bilinear; those of the border beyond it.

    Args:
        features: of a picture.
        places: in it, x right and y down; -1 and 1 are the outer edges of its pixels.
    """
    found = grid_sample(
        features, places[:, None], mode="bilinear", padding_mode="border", align_corners=False
    )
    return found[:, :, 0].transpose(1, 2)


class PointNetwork(nn.Module):
    """Linear layers, norms and leaky rectifiers; some layers see the input again.

    A norm is over the channels of a point, so that what is asked beside it changes nothing.

    Args:
        inputs: numbers of a point.
        widths: of the layers within.
        again: numbers of the layers that see the input again, from 1.
    """

    def __init__(self, inputs: int, widths: Sequence[int], again: Sequence[int]) -> None:
        super().__init__()
        self._again = tuple(again)
        before = [inputs, *widths]
        more = [inputs if k in again else 0 for k in range(len(before))]
        self.layers = nn.ModuleList(
            nn.Linear(a + extra, b) for a, extra, b in zip(before, more, [*widths, 1], strict=True)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)

    def forward(
        self, points: Float[Tensor, "B N C"]
    ) -> tuple[Float[Tensor, "B N"], list[Float[Tensor, "B N c"]]]:
        """Logits of being inside, and what the layers within found."""
        found, kept = points, []
        for number, layer in enumerate(self.layers):
            given = torch.cat([found, points], dim=-1) if number in self._again else found
            found = layer(given)
            if number < len(self.norms):
                found = leaky_relu(self.norms[number](found), SLOPE)
                kept.append(found)
        return found[..., 0], kept
