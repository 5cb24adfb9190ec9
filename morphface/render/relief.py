"""Moving a picture as if it were a relief: what lies around a head follows when the head turns.

A net of nodes is laid over the picture. Nodes that a mesh covers have its depth and move as its
surface does; the others follow as a membrane would that the mesh and the picture's border hold:
their displacements solve Laplace's equation, so they lie between those of what holds them. Such a
net covers the whole picture before and after, so that the moved picture has no hole; of what lies
above each other the nearest is seen, and parts that are folded over are left out, so that nothing
is mirrored. The idea is the profile synthesis of Zhu et al. (2016, section 4), with a membrane in
place of its anchor points.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.render.backends import threads
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.warp import centres, enlarged, settled

__all__ = ["Relief", "membrane"]

_SWEEPS = 24
_COARSEST = 10
_BEHIND = 300.0  # millimetres from the mesh to what the border of the picture shows
_SMOOTH = 2


@dataclass(frozen=True, eq=False)
class Relief(Record):
    """A picture that a mesh is in, as a net of nodes.

    Args:
        camera: that took the picture.
        vertices: of the mesh in it, in the camera frame.
        faces: vertex indices of each triangle.
        holds: how far the net follows each vertex, 0 to 1.
        inside: left, top, right and bottom of the part that may move; what lies beyond stays,
            unless the mesh is as near as `reach`.
        spacing: of the nodes, in pixels.
        reach: how far from the mesh, in pixels, what is carried fades out.

    Raises:
        ShapeError: an argument lacks the axes above.
        ParameterError: the spacing is not positive.
    """

    camera: Camera
    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]
    holds: Float[Tensor, " V"]
    inside: tuple[float, float, float, float]
    spacing: float = 4.0
    reach: float = 40.0

    def __post_init__(self) -> None:
        check_shape("vertices", self.vertices, None, 3)
        check_shape("holds", self.holds, len(self.vertices))
        if not self.spacing > 0:
            raise ParameterError(f"spacing must be positive, got {self.spacing:g}")

    def flow(
        self,
        moved: Float[Tensor, "V 3"],
        turned: Float[Tensor, "V 3"],
        carried: Float[Tensor, "V C"],
        camera: Camera | None = None,
    ) -> tuple[Float[Tensor, "H W 2"], Float[Tensor, "H W C"]]:
        """Where each pixel of the moved picture lies in this one, from its centre, in pixels.

        Args:
            moved: the vertices after the motion, in the camera frame.
            turned: the same after the part of the motion that all around shall follow, that of
                the head as a whole; what the rest of the motion does ends at `reach`.
            carried: values at the vertices that the net takes along; they fade likewise.
            camera: that sees the moved picture; None if it is the same.

        Returns:
            The flow, exactly zero where nothing moves, and what is carried there.
        """
        nodes, on, held, fading = self._grip(moved, turned, carried, camera or self.camera)
        near = _widened(on, self._wide)
        rim = torch.ones_like(on)
        rim[1:-1, 1:-1] = False
        still = (rim | (self._outside(nodes) & ~near)) & ~on
        held = _smoothed(membrane(held, on | still), still)
        fading = _smoothed(membrane(fading, on | ~near | rim), ~near | rim)
        shift, depth = settled(held[..., :2] + fading[..., :2]), held[..., 2:] + fading[..., 2:3]
        carried = fading[..., 3:]
        screen = torch.cat([nodes + shift, depth], dim=-1).flatten(0, 1)[None]
        net = _net(*on.shape)
        # The back of a folded part counts clockwise.
        found = rasterize(screen, net, self.camera.size, perspective=False, cull=True)
        values = torch.cat([shift, carried], dim=-1).flatten(0, 1)[None]
        shift, carried = interpolate(values, net, found)[0].tensor_split([2], dim=-1)
        return -shift, carried

    @property
    def _wide(self) -> int:
        """`reach` in nodes."""
        return max(round(self.reach / self.spacing), 1)

    def _grip(
        self, moved: Tensor, turned: Tensor, carried: Tensor, camera: Camera
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Nodes, which are on the mesh; there, shift and depth as turned, and all that fades."""
        height, width = self.camera.size
        rows, columns = (max(round(n / self.spacing), 2) + 1 for n in (height, width))
        step = moved.new_tensor([width / (columns - 1), height / (rows - 1)])
        nodes = (centres(rows, columns, moved) - 0.5) * step
        screen = self.camera.project(self.vertices)
        scaled = torch.cat([screen[:, :2] / step + 0.5, screen[:, 2:]], dim=-1)[None]
        perspective = self.camera.weak_depth is None
        found = rasterize(scaled, self.faces, (rows, columns), perspective=perspective)
        on = found.mask[0].clone()
        on[[0, -1]] = False
        on[:, [0, -1]] = False
        values = torch.cat([moved, turned, self.holds[:, None], carried], dim=-1)
        values = interpolate(values[None], self.faces, found)[0].where(on[..., None], -1.0)
        whole, first = (camera.project(values[..., k : k + 3]) for k in (0, 3))
        holds = values[..., 6:7]
        far = float(first[..., 2][on].max()) + _BEHIND if bool(on.any()) else _BEHIND
        rest = first.new_tensor([0.0, 0.0, far])
        held = torch.cat([(first[..., :2] - nodes) * holds, first[..., 2:]], dim=-1)
        fading = torch.cat([(whole - first), values[..., 7:]], dim=-1) * holds
        return nodes, on, held.where(on[..., None], rest), fading.where(on[..., None], 0.0)

    def _outside(self, nodes: Float[Tensor, "R C 2"]) -> Bool[Tensor, "R C"]:
        left, top, right, bottom = self.inside
        x, y = nodes.unbind(-1)
        return (x <= left) | (y <= top) | (x >= right) | (y >= bottom)


def _widened(on: Bool[Tensor, "R C"], reach: int) -> Bool[Tensor, "R C"]:
    """Where something is within a reach along both axes."""
    found = on[None, None].float()
    for window in ((2 * reach + 1, 1), (1, 2 * reach + 1)):
        found = max_pool2d(found, window, 1, (window[0] // 2, window[1] // 2))
    return found[0, 0] > 0


def membrane(values: Float[Tensor, "H W C"], fixed: Bool[Tensor, "H W"]) -> Float[Tensor, "H W C"]:
    """Values at fixed nodes, continued smoothly to the others: about Laplace's equation.

    From coarse to fine, each level smoothed, so that nothing leaves the range of what is fixed.

    Args:
        values: at the nodes; those of nodes that are not fixed do not matter.
        fixed: which keep their value.
    """
    height, width = fixed.shape
    held = fixed[..., None]
    found = _begun(values * held, held.to(values.dtype))
    count = _beside(torch.ones_like(values[..., :1]))
    sweeps = _SWEEPS if max(height, width) > _COARSEST else 4 * _SWEEPS
    if values.device.type == "cpu" and not values.requires_grad:
        return _relaxed(values, fixed, count[..., 0], found, sweeps)
    for _ in range(sweeps):
        found = torch.where(held, values, _beside(found) / count)
    return found


def _relaxed(
    values: Float[Tensor, "H W C"],
    fixed: Bool[Tensor, "H W"],
    count: Float[Tensor, "H W"],
    begun: Float[Tensor, "H W C"],
    sweeps: int,
) -> Float[Tensor, "H W C"]:
    """The same sweeps, compiled: bit by bit what torch makes of them, plane by plane."""
    from morphface.render.backends.kernels.membrane import relax

    planes = values.movedim(-1, 0).contiguous()
    now = pad(begun.movedim(-1, 0), (1, 1, 1, 1)).contiguous()
    arrays = [t.numpy() for t in (planes, fixed.contiguous(), count.contiguous())]
    threads.run(relax, len(planes), *arrays, sweeps, now.numpy(), torch.zeros_like(now).numpy())
    return now[:, 1:-1, 1:-1].movedim(0, -1).contiguous()


def _begun(values: Float[Tensor, "H W C"], known: Float[Tensor, "H W 1"]) -> Tensor:
    """The solution on a net half as fine, or the mean where there is none."""
    height, width = known.shape[:2]
    if max(height, width) <= _COARSEST:
        return (values.sum((0, 1)) / known.sum().clamp(min=1)).expand_as(values)
    both = torch.cat([values, known], dim=-1).movedim(-1, 0)[None]
    both = avg_pool2d(pad(both, (0, width % 2, 0, height % 2)), 2)[0].movedim(0, -1)
    share = both[..., -1:]
    coarse = membrane(both[..., :-1] / share.clamp(min=1e-9), share[..., 0] > 0)
    whole = (height + height % 2, width + width % 2)
    return enlarged(coarse, whole)[:height, :width]


def _beside(values: Float[Tensor, "H W C"]) -> Float[Tensor, "H W C"]:
    """Sum over the four neighbours of each node."""
    wide = pad(values, (0, 0, 1, 1, 1, 1))
    return wide[2:, 1:-1] + wide[:-2, 1:-1] + wide[1:-1, 2:] + wide[1:-1, :-2]


def _smoothed(values: Float[Tensor, "H W C"], still: Bool[Tensor, "H W"]) -> Tensor:
    """Without the steps of a mesh's outline, whose nodes are on it or not; `still` ones stay."""
    found, count = values, 4 + _beside(torch.ones_like(values[..., :1]))
    for _ in range(_SMOOTH):
        found = torch.where(still[..., None], values, (4 * found + _beside(found)) / count)
    return found


def _net(rows: int, columns: int) -> Int[Tensor, "F 3"]:
    """Two triangles for each cell, counter-clockwise on a screen whose y points down."""
    node = torch.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = node[:-1, :-1], node[:-1, 1:], node[1:, :-1], node[1:, 1:]
    halves = torch.stack([torch.stack([a, c, b], -1), torch.stack([b, c, d], -1)], dim=-2)
    return halves.reshape(-1, 3)
