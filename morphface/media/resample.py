"""Sampling a picture on another grid: cubic, averaging where it shrinks, in two passes.

A pass is a product with a matrix that has few entries a row; it is done in blocks of rows, each
with the band of the picture that it needs.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

__all__ = ["Weights", "grid_weights", "resample"]

_REACH = 2.0
"""Half the width of the cubic kernel, in pixels of the coarser grid."""
_BLOCK = 32


@dataclass(frozen=True, eq=False)
class Weights:
    """For each of N samples, how much of which of the L values of a line it takes.

    Args:
        first: number of the first value; may lie outside the line.
        weights: of that and those that follow it; zero outside the line.
        covered: their sum: below 1 where a sample takes a part from outside.
    """

    first: Int[Tensor, " N"]
    weights: Float[Tensor, "N K"]
    covered: Float[Tensor, " N"]
    length: int

    def within(self) -> "Weights":
        """The same with what lies outside the line left out of the average."""
        whole = self.weights / self.covered.clamp(min=1e-6)[:, None]
        return Weights(self.first, whole, torch.ones_like(self.covered), self.length)

    def band(self) -> tuple[int, int]:
        """From where to where values of the line are used."""
        low = min(max(int(self.first[0]), 0), self.length)
        high = int(self.first[-1]) + self.weights.shape[1]
        return low, max(low, min(high, self.length))


def grid_weights(start: float, step: float, count: int, length: int) -> Weights:
    """Samples at the middles of `count` intervals of length `step` that begin at `start`.

    Args:
        start: in pixels of the line, whose first pixel reaches from 0 to 1.
        step: length of an interval, and the width that a sample averages if above 1.
        count: how many samples.
        length: of the line in pixels.
    """
    stretch = max(step, 1.0)
    centres = start + (torch.arange(count, dtype=torch.float64) + 0.5) * step
    first = torch.floor(centres - _REACH * stretch - 0.5).long() + 1
    taps = torch.arange(math.ceil(2 * _REACH * stretch) + 1)
    places = first[:, None] + taps
    weights = _cubic((places + 0.5 - centres[:, None]) / stretch)
    weights = weights / weights.sum(dim=1, keepdim=True)
    weights = torch.where((places >= 0) & (places < length), weights, 0.0)
    return Weights(first, weights, weights.sum(dim=1), length)


def resample(
    image: Float[Tensor, "H W C"] | UInt8[Tensor, "H W C"], rows: Weights, columns: Weights
) -> Float[Tensor, "h w C"]:
    """`image` at the samples of `rows` and `columns`; 8-bit values count as 0 to 1."""
    (top, bottom), (left, right) = rows.band(), columns.band()
    part = image[top:bottom, left:right]
    part = part / 255 if part.dtype == torch.uint8 else part
    high = _along_first(part, rows, top)
    return _along_first(high.transpose(0, 1), columns, left).transpose(0, 1).contiguous()


def _along_first(
    image: Float[Tensor, "L W C"], weights: Weights, offset: int
) -> Float[Tensor, "N W C"]:
    """`image`, which begins `offset` pixels into the line, sampled along its first axis."""
    lines = image.flatten(1)
    blocks = []
    for begin in range(0, len(weights.first), _BLOCK):
        first = weights.first[begin : begin + _BLOCK] - offset
        values = weights.weights[begin : begin + _BLOCK]
        low = min(max(int(first[0]), 0), len(lines))
        high = max(low, min(int(first[-1]) + values.shape[1], len(lines)))
        places = first[:, None] + torch.arange(values.shape[1]) - low
        inside = (places >= 0) & (places < high - low)
        dense = torch.zeros(len(first), high - low + 1, dtype=torch.float64)
        dense.scatter_(1, torch.where(inside, places, high - low), torch.where(inside, values, 0.0))
        blocks.append(dense[:, :-1].to(lines) @ lines[low:high])
    return torch.cat(blocks).reshape(len(weights.first), *image.shape[1:])


def _cubic(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Keys' cubic convolution kernel with a = -1/2 (Keys 1981, eq. 4)."""
    a = x.abs()
    near = (1.5 * a - 2.5) * a * a + 1
    far = ((-0.5 * a + 2.5) * a - 4) * a + 2
    return torch.where(a <= 1, near, torch.where(a < 2, far, 0.0))
