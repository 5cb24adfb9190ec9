"""What all frozen records of tensors can do: move, detach, be indexed along their batch."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

__all__ = ["Record"]


def _map(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _map(item, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _map(getattr(value, f.name), change) for f in fields(value)}
        )
    return value


class Record:
    """Base of frozen dataclasses that hold tensors."""

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """A copy in which `change` was applied to every tensor, nested records included."""
        return _map(self, change)

    def to(self, device: torch.device | str) -> Self:
        """A copy whose tensors live on `device`."""
        return self.map(lambda tensor: tensor.to(device))

    def detach(self) -> Self:
        """A copy that gradients do not flow through."""
        return self.map(lambda tensor: tensor.detach())
