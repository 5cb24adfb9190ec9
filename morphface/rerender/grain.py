"""What is fine in the skin of a photo, pores and mottles, for skin that it does not show.

A small patch of cheek that is seen well is repeated over the head, mirrored at its edges, in
coordinates around and along the head: so it is as fine as the photo and moves with the head.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.segment.filters import blurred, single

__all__ = ["DARK", "Grain", "fine_light", "grain_of"]

RADIUS = 80.0
"""Of a head, by which angles around it become lengths, in millimetres."""
AXIS = -75.0
"""Where the axis of a head is, z in the model frame, in millimetres."""
REACH = 9.0
"""From the middle of the patch to its edges, in millimetres."""
CHOICE = 200
"""Vertices that may be the middle of the patch, at most."""
KNOWN = 0.5
"""How well skin must be seen around the middle of the patch, on the whole."""
FINE = 0.004
"""Standard deviation, in sizes of the head, of the mean that grain is finer than: wrinkles and
spots, repeated, are a pattern."""
DARK = 0.04
"""Amount of colour below which ratios of colours are not told."""
STRIPED = 0.35, 0.55
"""How far differences lie along one direction in all of the patch, 0 to 1: pores do not, wrinkles
and lines of a video do. Grain up to the first, none from the second on; half of 64 portraits have
less than 0.23, a tenth more than 0.6."""
MOST = 0.05
"""Share by which it may change a colour: what is stronger is a feature and no grain."""


@dataclass(frozen=True, eq=False)
class Grain:
    """A patch of skin in a photo, and where on it each vertex is.

    Args:
        coordinates: around and along the head, in millimetres from the middle of the patch.
        middle: of the patch in the photo, x and y in pixels.
        axes: pixels for a millimetre along both coordinates.
    """

    coordinates: Float[Tensor, "V 2"]
    middle: Float[Tensor, "2"]
    axes: Float[Tensor, "2 2"]

    @property
    def reach(self) -> Float[Tensor, "2"]:
        """How far the patch goes from its middle, in pixels of the photo along x and y."""
        return REACH * self.axes.abs().sum(0)

    def places(self, coordinates: Float[Tensor, "*N 2"]) -> Float[Tensor, "*N 2"]:
        """Where in the photo the grain of points is.

        Args:
            coordinates: of the points, as those of the vertices.
        """
        folded = REACH - ((coordinates + REACH) % (4 * REACH) - 2 * REACH).abs()
        return self.middle + folded @ self.axes


def grain_of(
    mean: Float[Tensor, "V 3"], known: Float[Tensor, " V"], places: Float[Tensor, "V 2"]
) -> Grain | None:
    """The patch of skin that is seen best; None if none is seen well.

    Args:
        mean: vertices of the mean head, in the model frame.
        known: how well the photo shows skin at each vertex, 0 to 1.
        places: of the vertices in the photo.
    """
    x, y, z = mean.unbind(-1)
    around = torch.stack([RADIUS * torch.atan2(x, z - AXIS), y], -1)
    seen = torch.nonzero(known > KNOWN)[:, 0]
    seen = seen[:: max(len(seen) // CHOICE, 1)]
    if not len(seen):
        return None
    # All that is near the middle counts, so that the patch ends before what is no skin.
    near = torch.cdist(around[seen], around) < 1.6 * REACH
    share = (near * known).sum(-1) / near.sum(-1)
    best = int(share.argmax())
    if float(share[best]) < KNOWN:
        return None
    middle, chosen = around[seen[best]], near[best] & (known > KNOWN)
    away = around[chosen] - middle
    axes = torch.linalg.lstsq(away, places[chosen] - places[seen[best]]).solution
    return Grain(around - middle, places[seen[best]], axes)


def fine_light(
    pixels: Float[Tensor, "H W 3"], grain: Grain, size: float
) -> tuple[Float[np.ndarray, "h w 3"], Float[Tensor, "2"]]:
    """How many times brighter a photo is than its mean very near, around a patch of grain.

    Args:
        pixels: of the photo.
        grain: where the patch is.
        size: of the head, in pixels.

    Returns:
        That, and column and row of its upper left pixel in the photo.
    """
    width = FINE * size
    reach = grain.reach + 4 * width + 2
    most = grain.middle.new_tensor(pixels.shape[1::-1])
    low = torch.minimum((grain.middle - reach).clamp(min=0), most - 1).int()
    (left, top), (right, bottom) = low.tolist(), (grain.middle + reach).ceil().int().tolist()
    part = single(pixels[top : max(bottom, top + 1), left : max(right, left + 1)].numpy())
    fine = single(part + DARK) / (blurred(part, width) + DARK) - 1
    share = float(ramp(torch.tensor(_striped(fine)), *STRIPED[::-1]))
    return single(1 + share * fine), low.to(grain.middle)


def _striped(fine: Float[np.ndarray, "h w 3"]) -> float:
    """How far a picture is of lines along one direction: the coherence of its structure tensor."""
    light = fine.mean(-1)
    down, along = np.gradient(light) if min(light.shape) > 1 else (light, light)
    across, up, both = ((a * b).mean() for a, b in ((along, along), (down, down), (along, down)))
    return float(np.hypot(across - up, 2 * both) / max(across + up, 1e-12))
