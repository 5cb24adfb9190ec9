"""Where does what a picture shows lie in another picture of the same surface?

Flow is a backward map: for each pixel of the target picture, how far its surface point lies from
there in the source picture, so that `warp_by_flow(source, flow.flow)` looks like the target. It is
exact and follows perspective; hidden points are known from the depth of the source.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.backends import NEAR, threads
from morphface.render.interpolate import interpolate
from morphface.render.maps.scene import check_camera, posed
from morphface.render.rasterize import Fragments, rasterize

__all__ = ["TOLERANCE", "Flow", "flow_between", "flow_of_parameters", "warp_by_flow"]

TOLERANCE = 1.0
"""How far behind the nearest surface, in millimetres, a point still counts as seen."""


@dataclass(frozen=True, eq=False)
class Flow(Record):
    """From each pixel of the target pictures to the same surface point in the source pictures.

    Args:
        flow: x and y in pixels that lead from the pixel's centre to the point's place in the
            source; zero on background.
        covered: where the target shows the surface.
        visible: where the source shows that same point, too.
    """

    flow: Float[Tensor, "T H W 2"]
    covered: Bool[Tensor, "T H W"]
    visible: Bool[Tensor, "T H W"]

    def __getitem__(self, frame: int | slice) -> "Flow":
        """The flow of one frame, or of a range of frames."""
        rows = slice(frame, frame + 1 or None) if isinstance(frame, int) else frame
        return self.map(lambda values: values[rows])


def flow_between(
    faces: Int[Tensor, "F 3"],
    source: Float[Tensor, "#T V 3"],
    target: Float[Tensor, "#T V 3"],
    size: tuple[int, int],
    *,
    source_size: tuple[int, int] | None = None,
    perspective: bool = True,
    backend: str = "auto",
    drawn: tuple[Fragments | None, Fragments | None] = (None, None),
) -> Flow:
    """The flow between two pictures of one mesh; one picture serves all of the other kind.

    Differentiable in both positions; what is visible has no gradient.

    Args:
        faces: vertex indices of each triangle.
        source: screen positions and depths in the picture that the flow points into.
        target: the same in the picture whose pixels it is given for.
        size: height and width of the target in pixels.
        source_size: those of the source; None if they are the same.
        perspective: as in `rasterize`, for both.
        backend: as in `rasterize`.
        drawn: what `rasterize` found in source and target, where it is known.

    Raises:
        ShapeError: an argument lacks the axes above, or the pictures differ in number.
        ParameterError: as in `rasterize`.
    """
    check_shape("source", source, None, None, 3)
    check_shape("target", target, None, source.shape[1], 3)
    if source.ndim != 3 or target.ndim != 3 or not _pairs(len(source), len(target)):
        raise ShapeError(
            "source and target must have as many pictures, or one of them a single one, "
            f"got shapes {tuple(source.shape)} and {tuple(target.shape)}"
        )

    def found(screen: Tensor, size: tuple[int, int]) -> Fragments:
        return rasterize(screen, faces, size, backend=backend, perspective=perspective)

    with threads.kernels_alone():
        seen = drawn[1] or found(target, size)
        frames = max(len(source), len(target))
        seen = seen.map(lambda values: values.expand(frames, *values.shape[1:]))
        place = _places(source, faces, seen, perspective)
        hidden_by = drawn[0] or found(source.detach(), source_size or size)
        visible = _visible(source.detach(), target.detach(), faces, seen, place.detach(), hidden_by)
        if perspective:
            visible = visible & (place[..., 2] >= NEAR)
        mask = seen.mask
        flow = torch.where(mask[..., None], place[..., :2] - _centres(size, place), 0.0)
    return Flow(flow, mask, visible)


def flow_of_parameters(
    model: MorphableModel,
    source: FaceParameters,
    target: FaceParameters,
    camera: Camera,
    *,
    source_camera: Camera | None = None,
    backend: str = "auto",
) -> Flow:
    """The flow between pictures of a face with two sets of parameters.

    Args:
        model: that both belong to.
        source: parameters of the picture that the flow points into; one frame serves all.
        target: parameters of the picture whose pixels it is given for; likewise.
        camera: one for all frames, or one for each.
        source_camera: that took the source; None if it is the same. Both must be perspective or
            neither.
        backend: as in `rasterize`.

    Raises:
        ParameterError: the parameters are those of another model, or one camera is perspective
            and the other is not.
        ShapeError: the sequences differ in length.
    """
    before = source_camera if source_camera is not None else camera
    if (before.weak_depth is None) != (camera.weak_depth is None):
        raise ParameterError(
            "camera and source_camera must both be perspective or both weak-perspective"
        )
    if not _pairs(source.frames, target.frames):
        raise ShapeError(
            "source and target must have as many frames, or one of them a single one, "
            f"got {source.frames} and {target.frames}"
        )
    frames = max(source.frames, target.frames)
    check_camera(camera, frames)
    check_camera(before, frames)
    return flow_between(
        model.faces,
        before.project(posed(model, source)),
        camera.project(posed(model, target)),
        camera.size,
        source_size=before.size,
        perspective=camera.weak_depth is None,
        backend=backend,
    )


def warp_by_flow(
    picture: Float[Tensor, "#T h w C"], flow: Float[Tensor, "#T H W 2"]
) -> Float[Tensor, "T H W C"]:
    """The picture's colours where the flow leads, bilinear; its border goes on beyond it.

    A flow of zero returns the picture bit by bit. Differentiable in both.

    Args:
        picture: that the flow points into.
        flow: x and y in pixels, from the centre of each pixel of the result.

    Raises:
        ShapeError: an argument lacks the axes above, or their batches differ.
    """
    check_shape("picture", picture, None, None, None, None)
    check_shape("flow", flow, None, None, None, 2)
    if not _pairs(len(picture), len(flow)):
        raise ShapeError(
            "picture and flow must have as many frames, or one of them a single one, "
            f"got {len(picture)} and {len(flow)}"
        )
    frames, (height, width) = max(len(picture), len(flow)), picture.shape[1:3]
    rows, columns = torch.meshgrid(
        *(torch.arange(n, device=flow.device, dtype=flow.dtype) for n in flow.shape[1:3]),
        indexing="ij",
    )
    x = (columns + flow[..., 0]).clamp(0, width - 1)
    y = (rows + flow[..., 1]).clamp(0, height - 1)
    left, top = x.detach().floor().clamp(max=max(width - 2, 0)), y.detach().floor()
    top = top.clamp(max=max(height - 2, 0))
    across, down = (x - left)[..., None], (y - top)[..., None]
    image = torch.arange(frames, device=flow.device)[:, None, None] % len(picture)

    def at(row: int, column: int) -> Tensor:
        below = (top.long() + row).clamp(max=height - 1)
        beside = (left.long() + column).clamp(max=width - 1)
        return picture[image, below, beside]

    upper = at(0, 0) * (1 - across) + at(0, 1) * across
    lower = at(1, 0) * (1 - across) + at(1, 1) * across
    return upper * (1 - down) + lower * down


def _pairs(first: int, second: int) -> bool:
    """Whether two batches belong together."""
    return first == second or 1 in (first, second)


def _centres(size: tuple[int, int], like: Tensor) -> Float[Tensor, "H W 2"]:
    rows, columns = (torch.arange(n).to(like) + 0.5 for n in size)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], dim=-1)


def _places(
    screen: Float[Tensor, "#T V 3"], faces: Tensor, seen: Fragments, perspective: bool
) -> Float[Tensor, "T H W 3"]:
    """Screen position and depth in the source of what `seen` shows; (0, 0, 1) on background."""
    depth = screen[..., 2:]
    carried = screen[..., :2] * depth if perspective else screen[..., :2]
    at = interpolate(torch.cat([carried, depth], dim=-1), faces, seen)
    depth = at[..., 2:].where(seen.mask[..., None], 1.0)
    return torch.cat([at[..., :2] / depth if perspective else at[..., :2], depth], dim=-1)


def _visible(
    source: Float[Tensor, "#T V 3"],
    target: Float[Tensor, "#T V 3"],
    faces: Int[Tensor, "F 3"],
    seen: Fragments,
    place: Float[Tensor, "T H W 3"],
    hidden_by: Fragments,
) -> Bool[Tensor, "T H W"]:
    """Whether the source shows the points at `place`, from the same side of the surface."""
    frame, row, column = torch.nonzero(seen.mask, as_tuple=True)
    spot, corner = place[frame, row, column], faces[seen.face[frame, row, column]].long()
    there = source[(frame % len(source))[:, None], corner]
    here = target[(frame % len(target))[:, None], corner]
    height, width = hidden_by.face.shape[1:]
    inside = (spot[:, :2] >= 0).all(-1) & (spot[:, :2] < spot.new_tensor([width, height])).all(-1)
    near = (spot[:, :2] - 0.5).floor()
    shown = torch.zeros_like(inside)
    for step in ((0, 0), (0, 1), (1, 0), (1, 1)):  # the pixel centres around the point
        at = near + near.new_tensor(step)
        x, y = at[:, 0].clamp(0, width - 1).long(), at[:, 1].clamp(0, height - 1).long()
        nearest = hidden_by.depth[frame % len(source), y, x]
        shown |= _depth_at(there, spot, at + 0.5) - nearest <= TOLERANCE
    shown &= inside & (_area(there) * _area(here) > 0)
    return torch.zeros_like(seen.mask).index_put((frame, row, column), shown)


def _area(corner: Float[Tensor, "N 3 3"]) -> Float[Tensor, " N"]:
    """Twice the signed area on the screen."""
    first, second = (corner[:, 1:, :2] - corner[:, :1, :2]).unbind(1)
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


def _depth_at(
    corner: Float[Tensor, "N 3 3"], spot: Float[Tensor, "N 3"], centre: Float[Tensor, "N 2"]
) -> Float[Tensor, " N"]:
    """Depth of each spot's face at the pixel centre beside it, if that is nearer.

    Steep faces change in depth within a pixel, and the picture knows depths at centres only.
    """
    first, second = (corner[:, 1:] - corner[:, :1]).unbind(1)
    area = _area(corner)
    along_x = first[:, 2] * second[:, 1] - second[:, 2] * first[:, 1]
    along_y = second[:, 2] * first[:, 0] - first[:, 2] * second[:, 0]
    step = centre - spot[:, :2]
    change = torch.nan_to_num((along_x * step[:, 0] + along_y * step[:, 1]) / area)
    return spot[:, 2] + change.clamp(max=0).maximum(corner[..., 2].amin(1) - spot[:, 2])
