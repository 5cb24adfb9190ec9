"""Visibility by nvdiffrast, on CUDA. Its licence allows research and evaluation, no commerce.

It is never required, and `auto` takes it only where the user has installed it. It wants clip
space, where rows of an image count upwards; here its y is given in the direction of our rows, so
that nothing is turned over and its rule for centres on an edge becomes ours, left and top. Its
faces count from 1, 0 is background, and of equal depths the last face wins: they are handed over
in reverse. It rounds corners to a sixteenth of a pixel, so that edges flip up to half of that
away from a centre.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import BackendError
from morphface.render.backends.packed import Packed, adapted

__all__ = ["nearest", "obstacle"]

INSTALL = "pip install ninja diffrp-nvdiffrast (not for commercial use; compiled by nvcc)"
TILE = 8  # older versions want images of whole tiles, and none beyond LARGEST
LARGEST = 2048
UNLIMITED = (0, 3, 3)  # the first version without a limit
MOST_FACES = 2**24  # beyond, indices no longer fit into its float32


def obstacle(device: torch.device) -> str | None:
    """Why nvdiffrast cannot rasterize tensors on `device`; None if it can."""
    if device.type != "cuda":
        instead = "'cpu'" if device.type == "cpu" else "'reference'"
        return f"nvdiffrast draws on CUDA only, not on {device}: use {instead}"
    if find_spec("nvdiffrast") is None:
        return f"nvdiffrast is not installed: {INSTALL}; or use 'pytorch3d' or 'reference'"
    return None


def _find(
    screen: Tensor, faces: Tensor, packed: Packed, size: tuple[int, int], perspective: bool
) -> Int[Tensor, "B H W"]:
    library, context = _library(screen.device)
    height, width = padded = tuple(-(-side // TILE) * TILE for side in size)
    _check_limits(library, padded, len(packed.face))
    image = torch.arange(len(screen), device=faces.device).repeat_interleave(packed.count)
    corner = faces[packed.face].long() + image[:, None] * screen.shape[1]
    used = torch.unique(corner)
    clip = _to_clip(screen.double(), (height, width), perspective, used)
    found, _ = library.rasterize(
        context,
        clip.flatten(0, 1).float().contiguous(),
        corner.flip(0).int().contiguous(),
        padded,
        ranges=_ranges(packed.count, len(packed.face)),
        grad_db=False,
    )
    reverse = found[:, : size[0], : size[1], 3].long()  # counts from 1, the last face first
    return (len(packed.face) - reverse).where(reverse > 0, -1)


nearest = adapted(_find)
"""Face index, barycentric weights and depth at every pixel centre.

A `BackendError` says that nvdiffrast cannot start, or that the image or the mesh is too large
for it.
"""


def _ranges(count: Int[Tensor, " B"], total: int) -> Int[Tensor, "B 2"]:
    """Where the faces of each image start in the reversed list, and how many they are."""
    return torch.stack([total - count.cumsum(0), count], dim=-1).int().cpu()


def _to_clip(
    screen: Float[Tensor, "B V 3"],
    size: tuple[int, int],
    perspective: bool,
    used: Int[Tensor, " U"],
) -> Float[Tensor, "B V 4"]:
    """Homogeneous positions in a cube that just holds the vertices in use, nearest at -1."""
    height, width = size
    x, y, z = screen.unbind(-1)
    depth = z.flatten()[used]
    near, far = depth.amin(), depth.amax()
    room = 1e-3 * (far - near) + 1e-3 * near.abs() + 1e-6
    near, far = (near / 1.001 if perspective else near - room), far + room
    if perspective:
        w, inside = z, ((far + near) * z - 2 * far * near) / (far - near)
    else:
        w, inside = torch.ones_like(z), (2 * z - far - near) / (far - near)
    return torch.stack([(2 * x / width - 1) * w, (2 * y / height - 1) * w, inside, w], dim=-1)


def _check_limits(library: Any, size: tuple[int, ...], faces: int) -> None:
    version = getattr(import_module("nvdiffrast"), "__version__", "0")
    known = tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())
    if max(size) > LARGEST and known < UNLIMITED:
        message = f"nvdiffrast {version} draws at most {LARGEST} pixels a side, got {size}"
        raise BackendError(f"{message}; update it, or use 'pytorch3d' or 'reference'")
    if faces >= MOST_FACES:
        message = f"nvdiffrast takes less than {MOST_FACES} faces a batch, got {faces}"
        raise BackendError(f"{message}; render fewer images at a time")


@cache
def _library(device: torch.device) -> tuple[Any, Any]:
    """The library and its context on `device`, made once as it compiles and allocates."""
    try:
        library = import_module("nvdiffrast.torch")
        return library, library.RasterizeCudaContext(device=device)
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"nvdiffrast is installed, but cannot start on {device} ({reason})"
        raise BackendError(f"{message}; use 'pytorch3d' or 'reference'") from error
