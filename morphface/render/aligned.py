"""A fitted head as implicit heads see it: maps of its mesh, and points in relation to it.

Points are those of the model frame. The picture is a square about the head, as wide as hair goes.
"""

from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.media.crop import Crop
from morphface.models import MorphableModel
from morphface.models.skin import outer_faces
from morphface.parameters import FaceParameters
from morphface.render.distance import Nearest, SignedDistance
from morphface.render.interpolate import interpolate
from morphface.render.maps import render_maps
from morphface.render.rasterize import rasterize

__all__ = ["ALIGNED", "HIGH", "LOW", "AlignedHead", "check_aligned", "head_crop"]

LOW, HIGH = (-180.0, -180.0, -255.0), (180.0, 180.0, 105.0)
"""Corners of the box in which heads and their hair are looked for, in millimetres."""
SIDE = 400.0
"""What a picture of a head is wide, at the depth of the middle of that box, in millimetres."""
BACK, HAIR = "normal_back", "hair"
ALIGNED = ("normal", BACK, "depth", "correspondence", HAIR)
"""What a picture may have beside its colours."""
GREY = 0.5
"""What is behind the person."""
FLAT = 0.5
"""What maps of normals have where there is no surface: no direction."""


def check_aligned(names: Sequence[str]) -> None:
    """Refuse what a picture cannot have beside its colours.

    Args:
        names: of maps.

    Raises:
        ParameterError: one is none of `ALIGNED`.
    """
    if not set(names) <= set(ALIGNED):
        raise ParameterError(f"maps must be of {', '.join(ALIGNED)}, got {', '.join(names)}")


def head_crop(camera: Camera, parameters: FaceParameters, size: int) -> Crop:
    """The square about a head that implicit heads see.

    Args:
        camera: that took the photo.
        parameters: one frame.
        size: of the square in pixels.
    """
    middle = (torch.tensor(LOW) + torch.tensor(HIGH)) / 2
    place = to_camera(middle[None], parameters.rotation[0], parameters.translation[0])
    seen = camera.project(place)[0]
    depth = seen[2] if camera.weak_depth is None else camera.weak_depth.flatten()[0]
    side = float(SIDE * camera.focal.flatten()[0] / depth)
    x, y = seen[:2].tolist()
    return Crop(x - side / 2, y - side / 2, side, size)


class AlignedHead:
    """A head before a camera.

    Args:
        model: that the parameters belong to.
        parameters: one frame.
        camera: of the square about the head.
    """

    def __init__(self, model: MorphableModel, parameters: FaceParameters, camera: Camera) -> None:
        self.model, self.parameters, self.camera = model, parameters, camera
        face = parameters
        self.vertices = model.vertices(face.identity, face.expression, face.gaze)[0]
        """Of the mesh in the model frame."""

    @cached_property
    def distance(self) -> SignedDistance:
        """To skin and eyeballs."""
        return SignedDistance(self.vertices, outer_faces(self.model))

    def nearest(self, points: Float[Tensor, "N 3"]) -> Nearest:
        """What of skin and eyeballs is nearest to points of the model frame."""
        return self.distance.at(points)

    def mean_places(self, nearest: Nearest) -> Float[Tensor, "N 3"]:
        """Where in the mean shape that is, in millimetres."""
        return nearest.carried(self.model.identity.mean)

    def places(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 2"]:
        """Where the picture shows points; -1 and 1 are its outer edges."""
        seen = self.camera.project(self.in_camera(points))[:, :2]
        height, width = self.camera.size
        return seen / seen.new_tensor([width, height]) * 2 - 1

    def in_camera(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
        """Points in the camera frame."""
        return to_camera(points, self.parameters.rotation[0], self.parameters.translation[0])

    def picture(
        self,
        colours: Float[Tensor, "S S 3"],
        matte: Float[Tensor, "S S"],
        hair: Float[Tensor, "S S"],
        names: Sequence[str],
    ) -> Float[Tensor, "C S S"]:
        """The photo's square over grey, and maps, all from 0 to 1.

        Args:
            colours: of the square.
            matte: where the person is.
            hair: where hair is.
            names: of maps, of `ALIGNED`; "normal_back" shows normals of the farthest surface in
                each pixel, "hair" what is given, the others are as `render_maps` draws them.
        """
        own = tuple(name for name in names if name not in (BACK, HAIR))
        drawn = dict(render_maps(self.model, self.parameters, self.camera, own).maps) if own else {}
        if "normal" in drawn:
            seen = drawn["normal"].any(-1, keepdim=True)
            drawn["normal"] = torch.where(seen, drawn["normal"], FLAT)
        drawn[HAIR] = hair[None, ..., None]
        if BACK in names:
            drawn[BACK] = self._back()
        shown = matte[..., None] * colours + (1 - matte[..., None]) * GREY
        parts = [shown, *(drawn[name][0] for name in names)]
        return torch.cat(parts, dim=-1).permute(2, 0, 1).contiguous()

    def _back(self) -> Float[Tensor, "1 H W 3"]:
        """Normals of what is seen last; depths are turned round, as straight on the screen."""
        points, faces = self.in_camera(self.vertices), self.model.faces
        screen = self.camera.project(points)[None]
        x, y, depth = screen.unbind(-1)
        near, far = depth.min(), depth.max()
        if self.camera.weak_depth is None:
            turned = 1 / (1 / near + 1 / far - 1 / depth)
        else:
            turned = near + far - depth
        perspective = self.camera.weak_depth is None
        found = rasterize(
            torch.stack([x, y, turned], -1), faces, self.camera.size, perspective=perspective
        )
        normals = normalized(interpolate(vertex_normals(points, faces)[None], faces, found))
        return torch.where(found.mask[..., None], normals * 0.5 + 0.5, FLAT)
