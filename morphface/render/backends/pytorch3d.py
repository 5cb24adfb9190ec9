"""Visibility by PyTorch3D, on CPU and CUDA.

Its screen has +x to the left and +y up; the shorter side of the image spans [-1, 1], the longer
one more, so that pixels are square. It counts a pixel centre on an edge as outside of both
faces: all corners are moved by a hair, so that such a centre lies in the face to its right, or
below. On the CPU it tests every face against every pixel, for the sake of clarity: use it there
to compare.
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

HAIR = 2.0**-19  # of half the longer side: some ulps of a float32 there
SOURCE = "git+https://github.com/facebookresearch/pytorch3d.git@stable"
INSTALL = f"pip install --no-build-isolation '{SOURCE}'"


def obstacle(device: torch.device) -> str | None:
    """Why PyTorch3D cannot rasterize tensors on `device`; None if it can."""
    if device.type not in ("cpu", "cuda"):
        return f"backend 'pytorch3d' cannot rasterize tensors on {device}; use 'reference'"
    if find_spec("pytorch3d") is None:
        return f"PyTorch3D is not installed: {INSTALL}; or use {_instead(device)}"
    return None


def _find(
    screen: Tensor, faces: Tensor, packed: Packed, size: tuple[int, int], perspective: bool
) -> Int[Tensor, "B H W"]:
    structures, renderer = _library()
    listed = faces.long()[packed.face].split(packed.count.tolist())
    points = _to_ndc(screen.double(), size, perspective).float()
    meshes = structures.Meshes(verts=list(points), faces=list(listed))
    try:
        found = renderer.rasterize_meshes(
            meshes,
            image_size=size,
            faces_per_pixel=1,
            # The default drops faces without an error where too many meet in a bin (CUDA).
            max_faces_per_bin=int(packed.count.max()),
            perspective_correct=perspective,
        )
    except RuntimeError as error:
        if "GPU support" not in str(error):
            raise
        message = f"this PyTorch3D was built without CUDA; build it there: {INSTALL}"
        raise BackendError(f"{message}; or use {_instead(screen.device)}") from error
    return found[0][..., 0]


nearest = adapted(_find)
"""Face index, barycentric weights and depth at every pixel centre.

A `BackendError` says that PyTorch3D cannot be imported, or was built without CUDA.
"""


def _to_ndc(
    screen: Float[Tensor, "B V 3"], size: tuple[int, int], perspective: bool
) -> Float[Tensor, "B V 3"]:
    height, width = size
    scale = 2 / min(size)
    hair = HAIR * max(size) / min(size)
    x = (width / 2 - screen[..., 0]) * scale + hair
    y = (height / 2 - screen[..., 1]) * scale + hair / 16
    z = screen[..., 2]
    # Depths of an orthographic camera may be negative, which PyTorch3D leaves out.
    return torch.stack([x, y, z if perspective else z - z.amin() + 1], dim=-1)


@cache
def _library() -> tuple[Any, Any]:
    try:
        structures = import_module("pytorch3d.structures")
        return structures, import_module("pytorch3d.renderer.mesh.rasterize_meshes")
    except ImportError as error:
        message = f"PyTorch3D is installed, but cannot be imported ({error}); build it for this"
        message += f" torch: {INSTALL}; or use 'cpu' or 'reference'"
        raise BackendError(message) from error


def _instead(device: torch.device) -> str:
    return "'cpu'" if device.type == "cpu" else "'reference'"
