"""Pictures bent at random in a way that is known: what key points learn equivariance from.

An affine map and a thin-plate spline (Siarohin et al. 2019, section 3.1): the bent picture shows at
z what the picture shows at `bend(z)`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

from morphface.core.records import Record
from morphface.generate.networks.dense_motion import grid_of
from morphface.generate.networks.key_points import inverse, split_points
from morphface.generate.networks.warp import full_precision

__all__ = ["Bend", "equivariance", "random_bend"]

_AFFINE = 0.05
"""Standard deviation of the entries of the affine map about the identity (FOMM's code)."""
_SPLINE = 0.005
"""That of the weights of the spline."""
_POINTS = 5
"""The spline has so many control points along each side."""
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Bend(Record):
    """A smooth map of the plane, from -1 to 1 across a picture.

    Args:
        affine: the map and, in the last column, the shift.
        control: control points of the spline.
        weights: of the spline for x and y at each.
    """

    affine: Float[Tensor, "B 2 3"]
    control: Float[Tensor, "P 2"]
    weights: Float[Tensor, "B P 2"]

    def __call__(self, places: Float[Tensor, "B N 2"]) -> Float[Tensor, "B N 2"]:
        """Where places go.

        Args:
            places: from -1 to 1.
        """
        away = places[:, :, None] - self.control
        square = away.square().sum(-1).clamp(min=_LEAST)
        straight = places @ self.affine[:, :, :2].mT + self.affine[:, None, :, 2]
        return straight + (square * square.log() / 2) @ self.weights  # r^2 log r

    def jacobian(self, places: Float[Tensor, "B N 2"]) -> Float[Tensor, "B N 2 2"]:
        """Of the map, in closed form: row by row x and y of the result.

        Args:
            places: from -1 to 1.
        """
        away = places[:, :, None] - self.control
        square = away.square().sum(-1).clamp(min=_LEAST)
        slope = away * (square.log() + 1)[..., None]
        return self.affine[:, None, :, :2] + torch.einsum("bpi,bnpj->bnij", self.weights, slope)

    def picture(self, picture: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The picture, bent; beyond its border it is mirrored.

        Args:
            picture: of any channels.
        """
        side = picture.shape[-1]
        with full_precision(picture):
            there = self(grid_of(side, self.control).flatten(0, 1).expand(len(picture), -1, 2))
            grid = there.unflatten(1, (side, side))
            found = grid_sample(picture.float(), grid, "bilinear", "reflection", False)
        return found.to(picture.dtype)


def random_bend(count: int, like: Tensor) -> Bend:
    """Bends at random, by torch's own dice.

    Args:
        count: how many.
        like: on the device that computes.
    """
    steps = torch.linspace(-1, 1, _POINTS)
    control = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).flatten(0, 1)
    affine = torch.eye(2, 3) + _AFFINE * torch.randn(count, 2, 3)
    weights = _SPLINE * torch.randn(count, _POINTS**2, 2)
    return Bend(affine, control, weights).to(like.device)


def equivariance(
    found: Float[Tensor, "B N"], bent: Float[Tensor, "B N"], bend: Bend
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """How far points do not follow a bend: of their places, and of their Jacobians.

    Args:
        found: points of pictures.
        bent: points of the pictures, bent.
        bend: of them.

    Returns:
        Mean absolute differences: of places, in halves of the picture; and of the identity from
        the Jacobian of the picture, undone, times that of the bend and the bent picture.
    """
    (places, turns), (there, turned) = split_points(found), split_points(bent)
    value = (places - bend(there)).abs().mean()
    same = inverse(turns) @ bend.jacobian(there) @ turned
    return value, (torch.eye(2, device=same.device) - same).abs().mean()
