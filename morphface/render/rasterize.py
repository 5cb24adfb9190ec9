"""Which triangle does each pixel see, and where on it?

Visibility is the one operation with several implementations (`backends/`); its gradient is one
closed form for all of them. `reference` goes without, so that autograd can check that form.
Screen: pixels, x right, y down, the first pixel has its outer corner at (0, 0) and its centre at
(0.5, 0.5).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.render import backends
from morphface.render.backends.clipping import clipped
from morphface.render.backends.differentiable import differentiable

__all__ = ["Fragments", "rasterize"]


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
    no hole; of faces at the same depth the lowest index wins. What lies within 1 mm of a
    perspective camera or behind it is cut off. Gradients reach `screen` through the weights and
    the depth, in the precision of `screen`.

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
        ParameterError: `faces` holds an index that `screen` has no vertex for, or `screen` a
            value that is not finite.
        BackendError: `backend` cannot run on the device of `screen`.
    """
    screen, least = checked(screen, faces, size)
    return visible(
        screen, faces, size, least=least, backend=backend, perspective=perspective, cull=cull
    )


def visible(
    screen: Tensor,
    faces: Tensor,
    size: tuple[int, int],
    *,
    least: float,
    backend: str,
    perspective: bool,
    cull: bool = False,
) -> Fragments:
    """As `rasterize`, of what `checked` has passed.

    Args:
        screen: as `checked` returns it.
        faces: as for `rasterize`.
        size: as for `rasterize`.
        least: depth, as `checked` returns it.
        backend: as for `rasterize`.
        perspective: as for `rasterize`.
        cull: as for `rasterize`.

    Raises:
        BackendError: `backend` cannot run on the device of `screen`.
    """
    name = backends.resolve(backend, screen.device)
    nearest = backends.select(name, screen.device)

    def find(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if perspective and least < backends.NEAR:
            return clipped(nearest, points, faces, size, cull=cull)
        return nearest(points, faces, size, perspective=perspective, cull=cull)

    if name == "reference":
        return Fragments(*find(screen))
    return Fragments(*differentiable(find, screen, faces, perspective=perspective))


def checked(screen: Tensor, faces: Tensor, size: tuple[int, int]) -> tuple[Tensor, float]:
    """Refuses what `rasterize` refuses; positions in single or double precision, the least depth.

    Args:
        screen: as for `rasterize`.
        faces: as for `rasterize`.
        size: as for `rasterize`.

    Raises:
        ShapeError: an argument lacks its axes.
        ParameterError: an index has no vertex, or a position is not finite.
    """
    check_shape("screen", screen, None, None, 3)
    check_shape("faces", faces, None, 3)
    if screen.ndim != 3 or faces.ndim != 2:
        raise ShapeError(f"screen must have 3 axes and faces 2, got {screen.ndim} and {faces.ndim}")
    if min(size) < 1:
        raise ParameterError(f"size must be at least 1 x 1 pixels, got {tuple(size)}")
    if screen.dtype not in (torch.float32, torch.float64):
        screen = screen.float()
    return screen, _check_mesh(screen, faces)


def _check_mesh(screen: Tensor, faces: Tensor) -> float:
    """Refuses indices without a vertex and positions that are no numbers; the least depth."""
    low, high = _range(faces) if faces.numel() else (0, -1)
    if low < 0 or high >= screen.shape[1]:
        raise ParameterError(
            f"faces must index the {screen.shape[1]} vertices of screen, "
            f"got indices from {low:.0f} to {high:.0f}"
        )
    if not screen.numel():
        return math.inf
    low, high = _range(screen)
    if not math.isfinite(low + high):
        check_finite("screen", screen)
    return low if low >= backends.NEAR else _range(screen[..., 2])[0]


def _range(values: Tensor) -> tuple[float, float]:
    """The least and the greatest of `values`; not a number if one of them is none."""
    if values.device.type == "cpu":
        # numpy, as torch would wake its own threads, which then spin and slow down the kernels'.
        array = values.detach().numpy()
        return float(array.min()), float(array.max())
    low, high = torch.stack(values.detach().aminmax()).tolist()
    return float(low), float(high)
