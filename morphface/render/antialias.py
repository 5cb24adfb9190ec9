"""Outlines without steps: colours blended by how much of each pixel a surface covers.

Visibility is all or nothing at a pixel's centre, so it has steps, and no gradient. Between two
neighbouring centres that see different surfaces, the nearer surface ends somewhere; how far along
says how much of a pixel it covers, and moves with the positions of the edge where it ends. The
idea is that of Laine et al. (2020, section 3.4). Here, the outline is found by walking over the
mesh from one centre to the other, so that it is exact for faces smaller than a pixel, and the
blend is one along x followed by one along y, so that colours stay within the range they had.
"""

import math
from importlib import import_module

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.topology import Topology
from morphface.render.backends import NEAR
from morphface.render.rasterize import Fragments

__all__ = ["antialias"]


def antialias(
    image: Float[Tensor, "B H W C"],
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    fragments: Fragments,
    *,
    topology: Topology | None = None,
    perspective: bool = True,
) -> Float[Tensor, "B H W C"]:
    """Blend `image` across silhouettes and borders, so that they move with the vertices.

    A straight edge that is nearer to vertical is blended along x, others along y: the share of a
    pixel grows evenly from 0 to 1 while the edge moves across it. Every other pixel stays as it
    is. Differentiable in `image` and in x and y of `screen`; where the surface that ends reaches
    behind the near plane, nothing is blended. Faces at both sides of an edge must share its
    vertices, or it counts as a border. What lies between two centres and is seen by neither is
    not known of: such slivers are drawn as what the two centres see.

    Args:
        image: what the fragments show, background included.
        screen: positions that were rasterized.
        faces: that were rasterized.
        fragments: what `rasterize` found.
        topology: `Topology.of(faces)`, to be kept where the same mesh is drawn again; None
            computes it.
        perspective: as it was in `rasterize`.

    Raises:
        ShapeError: an argument lacks the axes above, or they do not fit each other.
        ParameterError: `image` or `screen` is neither float32 nor float64, or `screen` has fewer
            vertices, or `fragments` more faces, than `faces`.
    """
    check_shape("faces", faces, None, 3)
    topology = topology or Topology.of(faces)
    _check(image, screen, fragments)
    check_topology(topology, faces, screen)
    _check_faces(faces, fragments)
    near = NEAR if perspective else -math.inf
    module = "backends.outline_cpu" if image.device.type == "cpu" else "outline"
    smooth = import_module(f"morphface.render.{module}").smooth  # numba: on first use
    return smooth(image, screen, topology, (fragments.face, fragments.depth.detach()), near)


def _check(image: Tensor, screen: Tensor, fragments: Fragments) -> None:
    check_shape("image", image, *fragments.face.shape, None)
    check_shape("screen", screen, len(fragments.face), None, 3)
    if image.ndim != 4 or screen.ndim != 3:
        raise ShapeError(f"image must have 4 axes and screen 3, got {image.ndim} and {screen.ndim}")
    for name, value in (("image", image), ("screen", screen)):
        if value.dtype not in (torch.float32, torch.float64):
            raise ParameterError(f"{name} must be float32 or float64, got {value.dtype}")


def check_topology(topology: Topology, faces: Tensor, screen: Tensor) -> None:
    """Refuses a topology of another mesh.

    Args:
        topology: of `faces`, it should be.
        faces: of the mesh.
        screen: its vertices.

    Raises:
        ShapeError: there are more or fewer faces.
        ParameterError: there are fewer vertices.
    """
    if topology.ring.shape != faces.shape:
        raise ShapeError(
            f"topology is of {len(topology.ring)} faces, but there are {len(faces)}; "
            "compute it with Topology.of(faces)"
        )
    if topology.size > screen.shape[1]:
        raise ParameterError(
            f"faces must index the {screen.shape[1]} vertices of screen, "
            f"got indices up to {topology.size - 1}"
        )


def _check_faces(faces: Tensor, fragments: Fragments) -> None:
    # numpy on a CPU, as torch would wake its own threads, which then slow down the kernels'.
    face = fragments.face.numpy() if fragments.face.device.type == "cpu" else fragments.face
    if fragments.face.numel() and int(face.max()) >= len(faces):
        raise ParameterError(
            f"fragments must be of these {len(faces)} faces, but hold face {int(face.max())}"
        )
