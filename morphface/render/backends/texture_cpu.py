"""Texture lookup on a CPU, in numba: parallel over pixels, and over texels in the backward pass."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from morphface.render.backends.kernels import texture as kernels
from morphface.render.backends.threads import run, split

__all__ = ["look_up"]


def look_up(
    texels: Tensor,
    uv: Tensor,
    spots: Tensor,
    level: Tensor | None,
    layout: list[tuple[int, int, int]],
    wrap: bool,
) -> Tensor:
    """Colours of the pixels `spots`, zero elsewhere, with gradients to `texels` and `uv`."""
    return _Lookup.apply(texels.to(uv.dtype), uv, spots, level, layout, wrap)


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        texels: Tensor,
        uv: Tensor,
        spots: Tensor,
        level: Tensor | None,
        layout: list[tuple[int, int, int]],
        wrap: bool,
    ) -> Tensor:
        ctx.save_for_backward(texels, uv, spots, level)
        ctx.layout, ctx.wrap = layout, wrap
        out = uv.new_zeros(*uv.shape[:-1], texels.shape[-1])
        place = _place(ctx, texels, uv, spots, level)
        run(kernels.look_up, split(), _numpy(texels), *place, _flat(out))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        texels, uv, *_ = ctx.saved_tensors
        place = _place(ctx, *ctx.saved_tensors)
        to_texels = to_uv = None
        if ctx.needs_input_grad[0]:
            to_texels = torch.zeros_like(texels, memory_format=torch.contiguous_format)
            tasks = torch.get_num_threads()  # each goes through all pixels
            run(kernels.to_texels, tasks, *place, _flat(grad), _numpy(to_texels))
        if ctx.needs_input_grad[1]:
            to_uv = torch.zeros_like(uv, memory_format=torch.contiguous_format)
            out = _flat(grad), _flat(to_uv)
            run(kernels.to_coordinates, split(), _numpy(texels), *place, *out)
        return to_texels, to_uv, None, None, None, None


def _place(ctx: Any, _: Tensor, uv: Tensor, spots: Tensor, level: Tensor | None) -> tuple[Any, ...]:
    """What every kernel needs in order to find the texels of a pixel."""
    levels = np.array(ctx.layout, dtype=np.int64)
    where = uv.new_empty(0) if level is None else level.to(uv.dtype).flatten()
    firsts = torch.arange(len(uv) + 1) * (uv.shape[1] * uv.shape[2])
    bounds = torch.searchsorted(spots, firsts).numpy()
    return levels, _flat(uv), spots.numpy(), bounds, _numpy(where), ctx.wrap


def _numpy(values: Tensor) -> np.ndarray:
    """The tensor itself where it is contiguous."""
    return values.detach().contiguous().numpy()


def _flat(values: Tensor) -> np.ndarray:
    """As rows of the last axis."""
    return _numpy(values).reshape(-1, values.shape[-1])
