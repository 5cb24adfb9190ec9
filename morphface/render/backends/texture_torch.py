"""Texture lookup in plain torch, for any device."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Lookup", "look_up"]


class Lookup(NamedTuple):
    """Where and how to look into textures.

    Args:
        spots: indices of the pixels to look up, ascending through all images.
        level: where between two levels every pixel is; None means the finest.
        layout: of each level the first texel, the height and the width.
        wrap: whether a texture repeats beyond its border.
    """

    spots: Tensor
    level: Tensor | None
    layout: list[tuple[int, int, int]]
    wrap: bool


def look_up(texels: Tensor, uv: Tensor, lookup: Lookup) -> Tensor:
    """Colours at `uv` of the pixels to look up, zero elsewhere.

    Args:
        texels: of all levels, a batch of one or of as many as `uv` has.
        uv: texture coordinates of every pixel.
        lookup: where and how.
    """
    spots, level, layout, wrap = lookup
    flat, place = texels.flatten(0, 1), uv.reshape(-1, 2)[spots]
    table = torch.tensor(layout, device=uv.device)
    start = torch.zeros_like(spots)
    if len(texels) > 1:
        start = spots // (uv.shape[1] * uv.shape[2]) * texels.shape[1]
    if level is None:
        found = _bilinear(flat, place, start, table[:1].expand(len(spots), 3), wrap)
    else:
        at = level.flatten()[spots].clamp(0, len(layout) - 1)
        finer = at.long().clamp(max=max(len(layout) - 2, 0))
        coarser = (finer + 1).clamp(max=len(layout) - 1)
        fine, coarse = (_bilinear(flat, place, start, table[k], wrap) for k in (finer, coarser))
        found = torch.lerp(fine, coarse, (at - finer)[:, None].to(flat.dtype))
    out = found.new_zeros(uv[..., 0].numel(), flat.shape[1])
    return out.index_copy(0, spots, found).unflatten(0, uv.shape[:-1])


def _bilinear(flat: Tensor, place: Tensor, start: Tensor, table: Tensor, wrap: bool) -> Tensor:
    first, height, width = table.unbind(-1)
    left, right, across = _pair(place[:, 0], width, wrap)
    upper, lower, down = _pair(1 - place[:, 1], height, wrap)
    upper, lower = (start + first + row * width for row in (upper, lower))
    above = torch.lerp(flat[upper + left], flat[upper + right], across[:, None])
    below = torch.lerp(flat[lower + left], flat[lower + right], across[:, None])
    return torch.lerp(above, below, down[:, None])


def _pair(position: Tensor, size: Tensor, wrap: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The two texels around `position` on an axis, and how far it is towards the second."""
    if wrap:
        position = position - position.detach().floor()
    at = position * size - 0.5
    low = at.detach().floor()
    whole = torch.nan_to_num(low).clamp(-1, 1 << 30).long()
    if wrap:
        return whole % size, (whole + 1) % size, at - low
    last = size - 1
    return whole.clamp(min=0).minimum(last), (whole + 1).minimum(last), at - low
