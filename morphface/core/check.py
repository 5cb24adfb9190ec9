"""Argument checks of public functions: one line each, one sentence on refusal."""

import torch
from torch import Tensor

from morphface.core.errors import ParameterError, ShapeError

__all__ = ["check_finite", "check_shape"]


def check_shape(name: str, value: Tensor, *shape: int | None) -> None:
    """Refuse `value` unless its last axes have `shape`; None admits any size.

    Raises:
        ShapeError: the axes differ. The message names the argument and both shapes.
    """
    trailing = value.shape[value.ndim - len(shape) :]
    fits = value.ndim >= len(shape) and all(
        want is None or want == got for want, got in zip(shape, trailing, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ShapeError(f"{name} must have shape (..., {wanted}), got {tuple(value.shape)}")


def check_finite(name: str, value: Tensor) -> None:
    """Refuse `value` if it holds a NaN or an infinity.

    Raises:
        ParameterError: with the number of such entries.
    """
    if bool(torch.isfinite(value.detach().sum())):  # a NaN or an infinity stays in a sum
        return
    finite = torch.isfinite(value)
    if not bool(finite.all()):
        bad = int((~finite).sum())
        raise ParameterError(f"{name} must be finite, but {bad} of {value.numel()} values are not")
