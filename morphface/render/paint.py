"""Pictures of colours at vertices: visibility, interpolation and outlines as one operation.

What `rasterize`, `interpolate` and `antialias` make one after the other, in less time: on a CPU,
three channels are blended while a pixel's weights are at hand, and one pass over the pixels takes
a gradient back to colours and positions.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.geometry.topology import Topology
from morphface.render import backends
from morphface.render.antialias import antialias, check_topology
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments, checked, visible

__all__ = ["paint"]


def paint(
    colours: Float[Tensor, "#B V C"],
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    topology: Topology | None = None,
    backend: str = "auto",
    perspective: bool = True,
    smooth: bool = True,
    covered: bool = False,
) -> tuple[Float[Tensor, "B H W D"], Fragments]:
    """Draw the colours of vertices, black on background.

    The picture is that of `antialias(interpolate(...))` but for rounding. Differentiable in
    `colours` and `screen`, also through the fragments.

    Args:
        colours: values at vertices; a batch of one serves every image.
        screen: as for `rasterize`.
        faces: as for `rasterize`.
        size: image height and width in pixels.
        topology: as for `antialias`.
        backend: as for `rasterize`.
        perspective: as for `rasterize`.
        smooth: whether outlines are blended; without that, positions get no gradient from them.
        covered: whether a last channel says how much of each pixel the mesh covers, 0 to 1.

    Returns:
        The picture, and what each pixel sees.

    Raises:
        ShapeError: an argument lacks the axes above, or they do not fit each other.
        ParameterError: as of `rasterize`, `interpolate` and `antialias`.
        BackendError: `backend` cannot run on the device of `screen`.
    """
    check_shape("colours", colours, None, None, None)
    points, least = checked(screen, faces, size)
    if smooth:
        topology = topology or Topology.of(faces)
        check_topology(topology, faces, points)
    behind = perspective and least < backends.NEAR
    if behind or not _at_once(colours, points, backend):
        mesh = points, faces
        seen = visible(*mesh, size, least=least, backend=backend, perspective=perspective)
        image = interpolate(colours, faces, seen)
        if covered:
            image = torch.cat([image, seen.mask[..., None].to(image.dtype)], dim=-1)
        if smooth:
            image = antialias(image, *mesh, seen, topology=topology, perspective=perspective)
        return image, seen
    from morphface.render.backends.paint_cpu import Task, painted  # numba: on first use

    outlines = topology if smooth else None
    image, *found = painted(colours, points, Task(faces, outlines, size, perspective, covered))
    return image, Fragments(*found)


def _at_once(colours: Tensor, screen: Tensor, backend: str) -> bool:
    """Whether the compiled kernels can do it all at once."""
    return (
        backends.resolve(backend, screen.device) == "cpu"
        and colours.device == screen.device
        and colours.dtype == screen.dtype
        and colours.shape[2:] == (3,)
        and colours.shape[1] >= screen.shape[1] > 0
        and len(screen) > 0
        and len(colours) in (1, len(screen))
    )
