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
from morphface.render.backends.packed import locate, pack

__all__ = ["nearest", "obstacle"]

HAIR = 2.0**-20  # of half the longer side: some ulps of a float32 there
SOURCE = "git+https://github.com/facebookresearch/pytorch3d.git@stable"
INSTALL = f"pip install --no-build-isolation '{SOURCE}'"


def obstacle(device: torch.device) -> str | None:
    """Why PyTorch3D cannot rasterize tensors on `device`; None if it can."""
    if device.type not in ("cpu", "cuda"):
        return f"backend 'pytorch3d' cannot rasterize tensors on {device}; use 'reference'"
    if find_spec("pytorch3d") is None:
        return f"PyTorch3D is not installed: {INSTALL}; or use {_instead(device)}"
    return None


def nearest(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    perspective: bool,
    cull: bool,
) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """Face index, barycentric weights and depth at every pixel centre.

    Raises:
        BackendError: PyTorch3D is broken, or was built without CUDA.
    """
    packed = pack(screen, faces, cull=cull)
    place = faces.new_full((len(screen), *size), -1, dtype=torch.int64)
    if len(packed.face):
        listed = faces.long()[packed.face].split(packed.count.tolist())
        points = _to_ndc(screen.double(), size, perspective).float()
        place = _rasterize(points, listed, size, perspective)
    face = packed.unpack(place)
    return face, *locate(screen, faces, face, perspective=perspective)


def _to_ndc(
    screen: Float[Tensor, "B V 3"], size: tuple[int, int], perspective: bool
) -> Float[Tensor, "B V 3"]:
    height, width = size
    scale = 2 / min(size)
    hair = HAIR * max(size) / min(size)
    x = (width / 2 - screen[..., 0]) * scale + hair
    y = (height / 2 - screen[..., 1]) * scale + hair / 4
    z = screen[..., 2]
    # Depths of an orthographic camera may be negative, which PyTorch3D leaves out.
    return torch.stack([x, y, z if perspective else z - z.amin() + 1], dim=-1)


def _rasterize(
    points: Float[Tensor, "B V 3"],
    listed: tuple[Tensor, ...],
    size: tuple[int, int],
    perspective: bool,
) -> Int[Tensor, "B H W"]:
    structures, renderer = _library()
    meshes = structures.Meshes(verts=list(points), faces=list(listed))
    # The default drops faces without an error where too many of them meet in a bin (CUDA).
    most = max(len(item) for item in listed)
    try:
        found = renderer.rasterize_meshes(
            meshes,
            image_size=size,
            faces_per_pixel=1,
            max_faces_per_bin=most,
            perspective_correct=perspective,
        )
    except RuntimeError as error:
        if "GPU support" not in str(error):
            raise
        message = f"this PyTorch3D was built without CUDA; build it there: {INSTALL}"
        raise BackendError(f"{message}; or use {_instead(points.device)}") from error
    return found[0][..., 0]


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
