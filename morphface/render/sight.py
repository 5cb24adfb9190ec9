"""What a camera sees of a mesh, and how far each point of it is from where that is doubtful."""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.ramps import ramp
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import normalized
from morphface.render.rasterize import Fragments, rasterize

__all__ = ["Sight", "View", "trust", "view_from", "view_of"]

FACING = 0.25, 0.6
"""Cosines between normal and line of sight: not trusted below the first, wholly from the second."""
OUTLINE = 3.5, 6.0
"""Distances from the silhouette in millimetres: not trusted below, wholly from the second."""
CREASE = 0.0, 1.0
"""The same from where the surface hides a part of itself."""
TOLERANCE = 1.0
"""How far behind the nearest surface, in millimetres, a point still counts as seen."""
JUMP = 20.0
"""Difference in depth of neighbouring pixels, in millimetres, that is an edge; lips are none."""
FINEST = 1024
"""Pixels along the longer side of the mesh on the map of depths, at most."""
ROOM = 3
"""Pixels around the mesh that belong to its view."""


@dataclass(frozen=True, eq=False)
class Sight(Record):
    """A photo and the mesh in it.

    Args:
        pixels: the photo.
        camera: that took it.
        vertices: of the mesh, in the camera frame.
        faces: vertex indices, counter-clockwise seen from outside.

    Raises:
        ShapeError: `pixels` has not the size of the camera, or another argument lacks its axes.
    """

    pixels: Float[Tensor, "H W 3"]
    camera: Camera
    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]

    def __post_init__(self) -> None:
        check_shape("pixels", self.pixels, *self.camera.size, 3)
        check_shape("vertices", self.vertices, None, 3)
        check_shape("faces", self.faces, None, 3)

    @cached_property
    def view(self) -> "View":
        """`view_of` this, which is asked for again and again."""
        return view_of(self)


@dataclass(frozen=True, eq=False)
class View(Record):
    """The part of a picture that a mesh is in.

    Args:
        corner: column and row of its upper left pixel.
        extent: its width and height in pixels.
        depth: of the nearest surface, infinite on background; may be coarser than the picture.
        certain: 1 well within the surface, 0 where it ends or hides a part of itself.
        pixel: how wide a pixel of `depth` is on the mesh, in millimetres.
    """

    corner: tuple[int, int]
    extent: tuple[int, int]
    depth: Float[Tensor, "h w"]
    certain: Float[Tensor, "h w"]
    pixel: float

    def place(self, screen: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
        """Positions on the screen as parts of the view, from 0 to 1, from its upper left."""
        return (screen - screen.new_tensor(self.corner)) / screen.new_tensor(self.extent)

    def at(self, place: Float[Tensor, "N 2"]) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"]]:
        """Depth and certainty at `place`; those of the border beyond it."""
        rows, columns = self.depth.shape
        spot = (torch.nan_to_num(place) * place.new_tensor([columns, rows])).floor()
        column, row = spot.unbind(-1)
        index = row.clamp(0, rows - 1).long(), column.clamp(0, columns - 1).long()
        return self.depth[index], self.certain[index]


def view_of(sight: Sight) -> View:
    """Where the mesh of `sight` is, how far away, and where that is certain."""
    (left, top), (right, bottom) = _corners(sight)
    extent = right - left, bottom - top
    camera = _cropped(sight.camera, (left, top), extent)
    screen = camera.project(sight.vertices.detach())[None]
    perspective = camera.weak_depth is None
    found = rasterize(screen, sight.faces, camera.size, perspective=perspective)
    return view_from(found, camera, (left, top), extent)


def view_from(
    found: Fragments, camera: Camera, corner: tuple[int, int], extent: tuple[int, int]
) -> View:
    """The view of a part of a picture that was drawn already.

    Args:
        found: what `rasterize` found in the part, one picture.
        camera: that sees the part.
        corner: column and row of its upper left pixel in the whole.
        extent: its width and height there.
    """
    depth, mask = found.depth[0], found.mask[0]
    if not bool(mask.any()):
        return View(corner, extent, depth, torch.zeros_like(depth), 0.0)
    distance = depth[mask].median() if camera.weak_depth is None else camera.weak_depth
    pixel = float(distance / camera.focal)
    outline = ramp(_distance(mask) * pixel, *OUTLINE)
    crease = ramp(_distance(~_creases(depth, JUMP + 6 * pixel)) * pixel, *CREASE)
    return View(corner, extent, depth, (outline * crease).to(depth), pixel)


def trust(
    view: View, sight: Sight, points: Float[Tensor, "N 3"], normals: Float[Tensor, "N 3"]
) -> tuple[Float[Tensor, " N"], Bool[Tensor, " N"]]:
    """Confidence in what the picture shows of surface points, 0 to 1, and whether it shows them.

    Args:
        view: of the mesh.
        sight: that it is a view of.
        points: of the surface, in the camera frame.
        normals: unit normals there.
    """
    screen = sight.camera.project(points)
    place = view.place(screen[:, :2])
    depth, certain = view.at(place)
    towards = -points if sight.camera.weak_depth is None else points.new_tensor([[0.0, 0.0, 1.0]])
    cosine = (normals * normalized(towards.expand_as(points))).sum(-1)
    # Within a pixel, the depth of a surface changes the more the steeper it is.
    steep = (1 - cosine.square()).clamp(min=0).sqrt() / cosine.clamp(min=FACING[0])
    seen = screen[:, 2] <= depth + TOLERANCE + view.pixel * steep
    inside = ((place >= 0) & (place < 1)).all(-1) & (screen[:, 2] > 0)
    visible = seen & inside & (cosine > 0)
    return (ramp(cosine, *FACING) * certain).where(visible, 0.0), visible


def _corners(sight: Sight) -> tuple[tuple[int, int], tuple[int, int]]:
    """Upper left and lower right corner of the part of the picture that the mesh is in."""
    screen = sight.camera.project(sight.vertices.detach())[:, :2].nan_to_num()
    height, width = sight.camera.size
    left, top = (int(bound) - ROOM for bound in screen.amin(0).clamp(-1e6, 1e6))
    right, bottom = (int(bound) + ROOM for bound in screen.amax(0).clamp(-1e6, 1e6))
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return (left, top), (max(min(right, width), left + 1), max(min(bottom, height), top + 1))


def _cropped(camera: Camera, corner: tuple[int, int], extent: tuple[int, int]) -> Camera:
    """The camera of a part of the picture, with pixels no smaller than needed."""
    width, height = extent
    scale = min(1.0, FINEST / max(width, height))
    size = max(round(height * scale), 1), max(round(width * scale), 1)
    principal = (camera.principal - camera.principal.new_tensor(corner)) * scale
    return replace(camera, focal=camera.focal * scale, principal=principal, size=size)


def _creases(depth: Float[Tensor, "H W"], jump: float) -> Bool[Tensor, "H W"]:
    """Pixels beside one whose surface is nearer or farther by `jump`; background has none."""
    found = torch.zeros_like(depth, dtype=torch.bool)
    for axis in (0, 1):
        steps = depth.diff(dim=axis).abs()  # NaN or infinite beside background
        edge = (steps > jump) & steps.isfinite()
        for start in (0, 1):
            found.narrow(axis, start, edge.shape[axis]).logical_or_(edge)
    return found


def _distance(inside: Bool[Tensor, "H W"]) -> Float[Tensor, "H W"]:
    """From each pixel's centre to the border of what is not `inside`, in pixels."""
    if bool(inside.all()):
        return torch.full(inside.shape, torch.inf)
    mask = inside.to(torch.uint8).cpu().contiguous().numpy()
    found = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    return (torch.from_numpy(found) - 0.5).clamp(min=0)
