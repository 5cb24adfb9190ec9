"""Which triangle does each pixel see, and where on it?

Visibility is the one operation with several implementations (`backends/`). What follows it,
interpolation and shading, is plain torch over `Fragments`. Screen: pixels, x right, y down,
the first pixel has its outer corner at (0, 0) and its centre at (0.5, 0.5).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.render import backends

__all__ = ["Fragments", "interpolate", "rasterize"]


@dataclass(frozen=True, eq=False)
class Fragments(Record):
    """The nearest surface point at each pixel centre.

    Args:
        face: index of the face, -1 on background.
        barycentric: perspective-correct corner weights, zero on background.
        depth: distance along the optical axis in millimetres, infinite on background.
    """

    face: Int[Tensor, "B H W"]
    barycentric: Float[Tensor, "B H W 3"]
    depth: Float[Tensor, "B H W"]

    @property
    def mask(self) -> Bool[Tensor, "B H W"]:
        """Where the surface is."""
        return self.face >= 0


def rasterize(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    backend: str = "auto",
    perspective: bool = True,
    cull: bool = False,
) -> Fragments:
    """Find the nearest face at every pixel centre.

    A pixel centre on an edge belongs to the face on one side of it only, so shared edges leave
    no hole; of faces at the same depth the lowest index wins. Faces with a corner that is not
    finite, or within 1 mm of a perspective camera or behind it, are left out whole. Gradients
    do not reach `screen` yet.

    Args:
        screen: x right and y down in pixels, from the outer corner of the first pixel; z the
            depth in millimetres, as `Camera.project` returns them.
        faces: vertex indices of each triangle.
        size: image height and width in pixels.
        backend: a name from `backends.NAMES`, or "auto" for the fastest one here.
        perspective: whether depth divides the positions; False for a weak-perspective camera,
            whose weights and depths are linear on the screen.
        cull: whether faces seen from behind (clockwise) are left out.

    Raises:
        ShapeError: an argument lacks the axes above.
        ParameterError: `faces` holds an index that `screen` has no vertex for.
        BackendError: `backend` cannot run on the device of `screen`.
    """
    check_shape("screen", screen, None, None, 3)
    check_shape("faces", faces, None, 3)
    if screen.ndim != 3 or faces.ndim != 2:
        raise ShapeError(f"screen must have 3 axes and faces 2, got {screen.ndim} and {faces.ndim}")
    if min(size) < 1:
        raise ParameterError(f"size must be at least 1 x 1 pixels, got {tuple(size)}")
    _check_indices(faces, screen.shape[1])
    nearest = backends.select(backend, screen.device)
    found = nearest(screen.detach(), faces, size, perspective=perspective, cull=cull)
    return Fragments(*found)


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
    """
    check_shape("attributes", attributes, None, None, None)
    check_shape("faces", faces, None, 3)
    images = len(fragments.face)
    if len(attributes) not in (1, images):
        raise ShapeError(
            f"attributes must have a batch of 1 or {images} like fragments, got {len(attributes)}"
        )
    spot = torch.nonzero(fragments.mask.flatten())[:, 0]
    corner = faces[fragments.face.flatten()[spot]].long()
    if len(attributes) > 1:
        pixels = fragments.face[0].numel()
        corner = corner + (spot // pixels * attributes.shape[1])[:, None]
    weights = fragments.barycentric.reshape(-1, 3)[spot]
    values = attributes.flatten(0, 1)
    blended = torch.stack([weights[:, k, None] * values[corner[:, k]] for k in range(3)]).sum(0)
    out = blended.new_zeros(fragments.face.numel(), attributes.shape[-1])
    return out.index_copy(0, spot, blended).unflatten(0, fragments.face.shape)


def _check_indices(faces: Tensor, vertices: int) -> None:
    if not faces.numel():
        return
    # numpy, as torch would wake its own threads, which then spin and slow down the kernels'.
    indices = faces.cpu().numpy()
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or high >= vertices:
        raise ParameterError(
            f"faces must index the {vertices} vertices of screen, got indices from {low} to {high}"
        )
