"""Which implementations of visibility exist, and which can run here.

A backend is a module with one function, `nearest`. It is imported when it is first asked for.
"""

from importlib import import_module
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import BackendError

__all__ = ["NAMES", "NEAR", "Nearest", "obstacle", "select", "supports"]

NAMES = ("cpu", "nvdiffrast", "pytorch3d", "reference")
"""Every backend, the fastest first: "auto" takes `cpu` for tensors on a CPU; on CUDA nvdiffrast
where it is installed, else PyTorch3D, else `reference`."""

NEAR = 1.0
"""A perspective camera sees nothing that is nearer than this, in mm."""


@runtime_checkable
class Nearest(Protocol):
    """Finds the nearest face at every pixel centre, where it is hit, and how far away.

    A face holds the pixel centres inside it and on its left and top edges. Of faces at the same
    depth the lowest index wins. The caller has checked that indices are valid and positions
    finite, and has cut faces at `NEAR` (`clipping.py`). Results have the precision of `screen`.
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


def obstacle(name: str, device: torch.device) -> str | None:
    """Why backend `name` cannot run on tensors of `device`, and what to do; None if it can."""
    if name not in NAMES:
        return f"unknown backend {name!r}, expected one of {NAMES} or 'auto'"
    if name == "reference" or name == device.type == "cpu":
        return None
    if name == "cpu":
        return f"backend 'cpu' cannot rasterize tensors on {device}; use 'auto'"
    reason: str | None = import_module(f"{__name__}.{name}").obstacle(device)
    return reason


def supports(name: str, device: torch.device) -> bool:
    """Whether backend `name` can run on tensors of `device`."""
    return obstacle(name, device) is None


def resolve(name: str, device: torch.device) -> str:
    """What "auto" stands for on `device`; any other name is returned as it is."""
    if name != "auto":
        return name
    return next(known for known in NAMES if supports(known, device))


def select(name: str, device: torch.device) -> Nearest:
    """The `nearest` function of backend `name`, imported only when asked for.

    Args:
        name: one of `NAMES`, or "auto" for the fastest that runs on `device`.
        device: where the tensors live.

    Raises:
        BackendError: there is no such backend, it is not installed, or cannot run on `device`.
    """
    if name == "auto":
        name = next(known for known in NAMES if supports(known, device))
    reason = obstacle(name, device)
    if reason is not None:
        raise BackendError(reason)
    nearest: Nearest = import_module(f"{__name__}.{name}").nearest
    return nearest
