"""How far a head reaches in each direction, which is what hair lies on."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample, max_pool2d, pad

from morphface.core.records import Record
from morphface.geometry.mesh import normalized
from morphface.models import MorphableModel

__all__ = ["CENTRE", "Skull"]

CENTRE = (0.0, 15.0, -75.0)
"""A point well within the skull of every head, in the model frame, in millimetres."""
_ROWS, _COLUMNS = 24, 48


@dataclass(frozen=True, eq=False)
class Skull(Record):
    """Distances from `CENTRE` to the surface of a head, over elevation and azimuth.

    Args:
        reach: in millimetres, in a map of the sphere, from the lowest direction to the highest.
    """

    reach: Float[Tensor, "R C"]

    @classmethod
    def of(cls, model: MorphableModel, neutral: Float[Tensor, "V 3"]) -> "Skull":
        """The skull of a face without expression.

        Args:
            model: that it belongs to.
            neutral: its vertices.
        """
        own = (model.regions["skin"] > 0.5) & (model.regions["ears"] < 0.2)
        rays = neutral[own] - neutral.new_tensor(CENTRE)
        place = _place(rays)
        row = ((place[:, 1] + 1) / 2 * _ROWS).long().clamp(0, _ROWS - 1)
        column = ((place[:, 0] + 1) / 2 * _COLUMNS).long().clamp(0, _COLUMNS - 1)
        reach = torch.zeros(_ROWS * _COLUMNS)
        reach = reach.scatter_reduce(0, row * _COLUMNS + column, rays.norm(dim=-1), "amax")
        reach = reach.view(_ROWS, _COLUMNS)
        while bool((reach == 0).any()):
            near = max_pool2d(_around(reach), 3, stride=1)[0, 0]
            reach = torch.where(reach == 0, near, reach)
        return cls(reach)

    def outside(
        self, points: Float[Tensor, "N 3"], clearance: Float[Tensor, " N"]
    ) -> Float[Tensor, "N 3"]:
        """Points moved away from the centre where they are nearer to the head than they may be.

        Args:
            points: in the model frame.
            clearance: least distance from the surface, in millimetres.
        """
        rays = points - points.new_tensor(CENTRE)
        grid = _place(rays) * torch.tensor([_COLUMNS / (_COLUMNS + 2), _ROWS / (_ROWS + 2)])
        least = grid_sample(_around(self.reach), grid[None, None], align_corners=False)[0, 0, 0]
        far = rays.norm(dim=-1).clamp(min=1e-3)
        return points + rays * ((least + clearance - far).clamp(min=0) / far)[:, None]

    @staticmethod
    def outwards(points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Directions from the centre."""
        return normalized(points - points.new_tensor(CENTRE))


def _place(rays: Float[Tensor, "N 3"]) -> Float[Tensor, "N 2"]:
    """Azimuth and elevation, each from -1 to 1."""
    x, y, z = rays.unbind(-1)
    elevation = torch.atan2(y, torch.hypot(x, z))
    return torch.stack([torch.atan2(x, z) / torch.pi, elevation / (torch.pi / 2)], dim=-1)


def _around(reach: Float[Tensor, "R C"]) -> Float[Tensor, "1 1 r c"]:
    """With a border of one: azimuth goes round, elevation ends."""
    wide = pad(reach[None, None], (1, 1, 0, 0), mode="circular")
    return pad(wide, (0, 0, 1, 1), mode="replicate")
