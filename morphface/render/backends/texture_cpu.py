"""Texture lookup on a CPU, in numba: parallel over pixels, and over texels in the backward pass."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from morphface.render.backends.kernels import texture as kernels
from morphface.render.backends.texture_torch import Lookup
from morphface.render.backends.threads import run, split

__all__ = ["look_up"]


def look_up(texels: Tensor, uv: Tensor, lookup: Lookup) -> Tensor:
    """As `texture_torch.look_up`."""
    return _Lookup.apply(texels.to(uv.dtype), uv, lookup)


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, texels: Tensor, uv: Tensor, lookup: Lookup) -> Tensor:
        ctx.save_for_backward(texels, uv)
        ctx.lookup = lookup  # holds no input that has a gradient
        out = uv.new_zeros(*uv.shape[:-1], texels.shape[-1])
        for image, place in _places(uv, lookup):
            run(kernels.look_up, split(), _of(texels, image), *place, _flat(out))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        texels, uv = ctx.saved_tensors
        to_texels, to_uv = (
            torch.zeros_like(value, memory_format=torch.contiguous_format) if needed else None
            for value, needed in zip((texels, uv), ctx.needs_input_grad, strict=False)
        )
        above = _flat(grad)
        for image, place in _places(uv, ctx.lookup):
            if to_texels is not None:
                tasks = torch.get_num_threads()  # each goes through all pixels
                run(kernels.to_texels, tasks, *place, above, _of(to_texels, image))
            if to_uv is not None:
                texture = _of(texels, image)
                run(kernels.to_coordinates, split(), texture, *place, above, _flat(to_uv))
        return to_texels, to_uv, None


def _places(uv: Tensor, lookup: Lookup) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """For each image, what the kernels need in order to find the texels of its pixels."""
    levels = np.array(lookup.layout, dtype=np.int64)
    level = uv.new_empty(0) if lookup.level is None else lookup.level.to(uv.dtype).flatten()
    firsts = torch.arange(len(uv) + 1) * (uv.shape[1] * uv.shape[2])
    bounds = torch.searchsorted(lookup.spots, firsts).tolist()
    for image in range(len(uv)):
        spots = lookup.spots.numpy()[bounds[image] : bounds[image + 1]]
        yield image, (levels, _flat(uv), spots, level.numpy(), lookup.wrap)


def _of(texels: Tensor, image: int) -> np.ndarray:
    """The texture of an image, where all may share one."""
    return _flat(texels[min(image, len(texels) - 1)])


def _flat(values: Tensor) -> np.ndarray:
    """As rows of the last axis; the tensor itself where it is contiguous."""
    return values.detach().contiguous().numpy().reshape(-1, values.shape[-1])
