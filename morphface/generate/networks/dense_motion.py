"""Dense motion of the first-order model: which key point's motion does each pixel follow?

Key points are numbers of `render.points_between`: where each is in the frame and in the photo, and
the map between; those that a network finds are brought to that form. One candidate does not move;
with a prior one more is the flow of the mesh.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from morphface.core.records import Record
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.hourglass import Hourglass
from morphface.generate.networks.warp import full_precision, halved_flow, warped
from morphface.generate.reference import Reference

__all__ = [
    "FOUND",
    "PAIR",
    "SCALE",
    "DenseMotion",
    "Motion",
    "candidates",
    "count_of",
    "grid_of",
    "heat_maps",
    "levels_of",
    "points_of",
]

SCALE = 4
"""How many times smaller than the frame motion is found."""
PAIR = 8
"""Numbers of a key point in a frame and in the photo."""
FOUND = 6
"""Numbers of a key point in one picture that a network found: x, y and its Jacobian."""
_SPREAD = 0.01
"""Variance of a heat map, in halves of the picture."""
_LEVELS = 5
_TRUSTED = 4.0
"""Logit that the flow of the mesh begins with; others begin at about 0."""


@dataclass(frozen=True, eq=False)
class Motion(Record):
    """Where in the photo is what each pixel of a smaller frame shows.

    Args:
        flow: in pixels of that size.
        occlusion: how far the photo shows it.
    """

    flow: Float[Tensor, "B 2 h w"]
    occlusion: Float[Tensor, "B 1 h w"]


class DenseMotion(nn.Module):
    """The dense motion network, an hourglass on the photo, moved by each candidate.

    Args:
        config: width, and whether there is a prior; its style are the points.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.count = count_of(config) + 1 + config.flow_prior
        self.prior = config.flow_prior
        width, levels = config.width, levels_of(config)
        self.look = Hourglass(config, 4 * self.count, width=width, most=16 * width, levels=levels)
        self.mask = nn.Conv2d(self.look.outputs, self.count, 7, 1, 3)
        self.occlusion = nn.Conv2d(self.look.outputs, 1, 7, 1, 3)
        if self.prior:
            with torch.no_grad():
                self.mask.bias[-1] += _TRUSTED  # type: ignore[index]

    def forward(
        self, photo: Float[Tensor, "B 3 H W"], style: Float[Tensor, "B N"], reference: Reference
    ) -> Motion:
        """The motion.

        Args:
            photo: from -1 to 1, one for each frame.
            style: the points.
            reference: has the flow of the mesh.
        """
        small = avg_pool2d(photo, SCALE)
        side = small.shape[-1]
        with full_precision(photo):
            flows, near = candidates(style.float(), side)
            if self.prior:
                prior = halved_flow(halved_flow(reference.flow))
                flows = torch.cat([flows, prior[:, None]], dim=1)
                near = torch.cat([near, avg_pool2d(reference.valid, SCALE)], dim=1)
        batch, count = flows.shape[:2]
        apart = small[:, None].expand(-1, count, -1, -1, -1).flatten(0, 1)
        moved = warped(apart, flows.flatten(0, 1)).unflatten(0, (batch, count))
        given = torch.cat([near[:, :, None].to(moved), moved], dim=2).flatten(1, 2)
        found = self.look(given.to(self.mask.weight.dtype))
        share = self.mask(found).float().softmax(1)
        flow = (share[:, :, None] * flows).sum(1)
        return Motion(flow, self.occlusion(found).sigmoid())


def count_of(config: GeneratorConfig) -> int:
    """How many key points a generator has.

    Args:
        config: whose style are the numbers of points of the mesh, or of those that are found.
    """
    return config.style_dim // (FOUND if config.keypoints == "learned" else PAIR)


def levels_of(config: GeneratorConfig) -> int:
    """Halvings of an hourglass at a quarter of the size: five, fewer where there are no pixels.

    Args:
        config: says the resolution.
    """
    return min(_LEVELS, int(math.log2(config.resolution // SCALE)) - 1)


def points_of(
    style: Float[Tensor, "B N"],
) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K 2"], Float[Tensor, "B K 2 2"]]:
    """Points in the frame, in the photo, and the maps between them."""
    here, there, maps = style.unflatten(1, (-1, PAIR)).split((2, 2, 4), dim=2)
    return here, there, maps.unflatten(2, (2, 2))


def heat_maps(points: Float[Tensor, "B K 2"], side: int) -> Float[Tensor, "B K S S"]:
    """Bells about points.

    Args:
        points: x and y from -1 to 1.
        side: of the maps in pixels.
    """
    away = grid_of(side, points) - points[:, :, None, None]
    return (-away.square().sum(-1) / (2 * _SPREAD)).exp()


def candidates(
    style: Float[Tensor, "B N"], side: int
) -> tuple[Float[Tensor, "B M 2 S S"], Float[Tensor, "B M S S"]]:
    """Flows in pixels, first that of nothing, and heat maps of the frame less those of the photo.

    Args:
        style: the points.
        side: of the maps in pixels.
    """
    here, there, maps = points_of(style)
    grid = grid_of(side, here)
    away = grid - here[:, :, None, None]
    goal = there[:, :, None, None] + (maps[:, :, None, None] @ away[..., None])[..., 0]
    flows = (goal - grid).permute(0, 1, 4, 2, 3) * (side / 2)
    near = heat_maps(here, side) - heat_maps(there, side)
    still = torch.zeros_like(flows[:, :1])
    return torch.cat([still, flows], dim=1), torch.cat([torch.zeros_like(near[:, :1]), near], dim=1)


def grid_of(side: int, like: Tensor) -> Float[Tensor, "S S 2"]:
    """Centres of pixels, x and y from -1 to 1.

    Args:
        side: pixels.
        like: has the device and the precision.
    """
    steps = (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) * (2 / side) - 1
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
