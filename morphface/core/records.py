"""What all frozen records of tensors can do: move, detach, be indexed along their batch."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

__all__ = ["Record"]

_R = TypeVar("_R", bound="Record")  # run-time shape checkers do not know `Self` in a mixin


def _map(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _map(item, change) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_map(item, change) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _map(getattr(value, f.name), change) for f in fields(value)}
        )
    return value


class Record:
    """Base of frozen dataclasses that hold tensors."""

    def map(self: _R, change: Callable[[Tensor], Tensor]) -> _R:
        """A copy in which `change` was applied to every tensor, nested records included."""
        return _map(self, change)

    def to(self: _R, device: torch.device | str) -> _R:
        """A copy whose tensors live on `device`."""
        return self.map(lambda tensor: tensor.to(device))

    def detach(self: _R) -> _R:
        """A copy that gradients do not flow through."""
        return self.map(lambda tensor: tensor.detach())
