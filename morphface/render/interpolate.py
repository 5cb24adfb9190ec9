"""What does the surface carry at each pixel?

Attributes of vertices, blended with the weights that `rasterize` found. Compiled for tensors on
the CPU, plain torch elsewhere.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.render.backends import threads
from morphface.render.rasterize import Fragments

__all__ = ["interpolate"]


def interpolate(
    attributes: Float[Tensor, "#B V C"], faces: Int[Tensor, "F 3"], fragments: Fragments
) -> Float[Tensor, "B H W C"]:
    """Blend per-vertex `attributes` into images, zero on background.

    Differentiable in `attributes` and in the weights of `fragments`.

    Args:
        attributes: values at vertices; a batch of one serves every image.
        faces: for each face that was rasterized, where in `attributes` its corners are. Texture
            coordinates have their own, in the same order of faces.
        fragments: what `rasterize` found.

    Raises:
        ShapeError: an argument lacks the axes above, or the batches differ.
        ParameterError: a face that is seen has no row in `faces`, or no corner in `attributes`.
    """
    check_shape("attributes", attributes, None, None, None)
    check_shape("faces", faces, None, 3)
    images = len(fragments.face)
    if len(attributes) not in (1, images):
        raise ShapeError(
            f"attributes must have a batch of 1 or {images} like fragments, got {len(attributes)}"
        )
    dtype = torch.promote_types(attributes.dtype, fragments.barycentric.dtype)
    values, weights = attributes.to(dtype), fragments.barycentric.to(dtype)
    if values.device.type != "cpu" or dtype not in (torch.float32, torch.float64):
        return blend(values, faces, fragments.face, weights)
    blended: Tensor = _Blend.apply(values, faces, fragments.face, weights)
    return blended


def blend(values: Tensor, faces: Tensor, face: Tensor, weights: Tensor) -> Tensor:
    """`interpolate` in plain torch."""
    spot = torch.nonzero(face.flatten() >= 0)[:, 0]
    corner = faces[face.flatten()[spot]].long()
    if len(values) > 1:
        corner = corner + (spot // face[0].numel() * values.shape[1])[:, None]
    weights = weights.reshape(-1, 3)[spot]
    rows = values.flatten(0, 1)
    blended = torch.stack([weights[:, k, None] * rows[corner[:, k]] for k in range(3)]).sum(0)
    out = blended.new_zeros(face.numel(), values.shape[-1])
    return out.index_copy(0, spot, blended).unflatten(0, face.shape)


class _Blend(torch.autograd.Function):
    """`blend`, compiled."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, faces: Tensor, face: Tensor, weights: Tensor) -> Tensor:
        from morphface.render.backends.kernels import blend as kernels

        ctx.save_for_backward(values, faces, face, weights)
        out = values.new_empty((*face.shape, values.shape[-1]))
        stray = np.full(1, -1)
        arrays = _arrays(values, faces, face, weights)
        threads.run(kernels.blend, threads.split(), *arrays, out.numpy(), stray)
        if stray[0] >= 0:
            raise ParameterError(
                f"faces must hold corners among the {values.shape[1]} rows of attributes for every "
                f"face that is seen, but face {stray[0]} of {len(faces)} has none"
            )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None, Tensor | None]:
        from morphface.render.backends.kernels import blend as kernels

        values, faces, face, weights = ctx.saved_tensors
        wants_values, wants_weights = ctx.needs_input_grad[0], ctx.needs_input_grad[3]
        shape = values.shape
        if len(values) == 1:  # one sum serves all images: they become one tall image
            face, weights, grad = (t.flatten(0, 1)[None] for t in (face, weights, grad))
        lanes = threads.lanes(len(face))
        to_values = values.new_empty((len(face) * wants_values, lanes, *shape[1:]))
        to_weights = torch.empty_like(weights) if wants_weights else weights[:0]
        arrays = _arrays(values, faces, face, weights, grad, to_values, to_weights)
        threads.run(kernels.blend_gradient, len(face) * lanes, *arrays)
        weighed = to_weights.reshape(ctx.saved_tensors[3].shape) if wants_weights else None
        return threads.total(arrays[5]) if wants_values else None, None, None, weighed


def _arrays(*tensors: Tensor) -> list[Any]:
    """Views as arrays; only those that are strided, or narrow integers, are copied."""
    wide = (t if t.is_floating_point() else t.long() for t in tensors)
    return [t.detach().contiguous().numpy() for t in wide]
