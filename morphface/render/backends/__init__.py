"""Which implementations of visibility exist, and which can run here.

A backend is a module with one function, `nearest`. It is imported when it is first asked for.
"""

from importlib import import_module
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import BackendError

__all__ = ["NAMES", "NEAR", "Nearest", "select", "supports"]

NAMES = ("cpu", "reference")
"""Every backend, the fastest first."""

NEAR = 1.0
"""A perspective camera sees no face that has a corner at this depth or nearer, in mm."""


@runtime_checkable
class Nearest(Protocol):
    """Finds the nearest face at every pixel centre, where it is hit, and how far away.

    A face holds the pixel centres inside it and on its left and top edges. Of faces at the same
    depth the lowest index wins. Indices are valid: the caller has checked them.
    """

    def __call__(
        self,
        screen: Float[Tensor, "B V 3"],
        faces: Int[Tensor, "F 3"],
        size: tuple[int, int],
        *,
        perspective: bool,
        cull: bool,
    ) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
        """Face index, barycentric weights and depth."""


def supports(name: str, device: torch.device) -> bool:
    """Whether backend `name` can run on tensors of `device`."""
    return name == "reference" or (name in NAMES and device.type == name)


def select(name: str, device: torch.device) -> Nearest:
    """The `nearest` function of backend `name`, imported only when asked for.

    Args:
        name: one of `NAMES`, or "auto" for the fastest that runs on `device`.
        device: where the tensors live.

    Raises:
        BackendError: there is no such backend, or it cannot run on `device`.
    """
    if name == "auto":
        name = next(known for known in NAMES if supports(known, device))
    if name not in NAMES:
        raise BackendError(f"unknown backend {name!r}, expected one of {NAMES} or 'auto'")
    if not supports(name, device):
        raise BackendError(f"backend {name!r} cannot rasterize tensors on {device}")
    nearest: Nearest = import_module(f"{__name__}.{name}").nearest
    return nearest
