"""Pictures of a model's mean face from several sides, for a detector to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import radians

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.geometry.camera import Camera
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import Photo
from morphface.models import MorphableModel, gaze_rotation
from morphface.render import Fragments, interpolate, rasterize

__all__ = ["View", "mean_colours", "view_of", "views"]

YAWS = (-40.0, -20.0, 0.0, 20.0, 40.0)
PITCHES = (-15.0, 0.0, 15.0)

_SIZE = (768, 768)
_FOCAL = 1400.0  # the face covers about half of the picture
_PLACE = (0.0, 35.0, -700.0)
_BACKGROUND = 0.55
_SKIN = (0.72, 0.53, 0.45)
_SCLERA = (0.86, 0.84, 0.82)
_IRIS = (0.30, 0.20, 0.14)
_PUPIL = (0.03, 0.03, 0.03)
_PUPIL_SHARE = 0.4  # of the iris radius


@dataclass(frozen=True, eq=False)
class View:
    """One picture of a mesh, and what is where in it.

    Args:
        rotation: head to camera.
        camera: what saw it.
        fragments: which face of the mesh each pixel shows.
        photo: what a detector is shown.
    """

    rotation: Float[Tensor, "3 3"]
    camera: Camera
    fragments: Fragments
    photo: Photo

    def to_model(self, screen: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
        """Points of the model frame at screen positions and depths."""
        return (self.camera.unproject(screen) - torch.tensor(_PLACE)) @ self.rotation

    def towards(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
        """Unit directions from points of the model frame to the camera."""
        eye = -torch.tensor(_PLACE) @ self.rotation
        return torch.nn.functional.normalize(eye - points, dim=-1)


def mean_colours(model: MorphableModel) -> Float[Tensor, "V 3"]:
    """Colours that let a detector see a face: the model's own, or skin with painted eyes."""
    if model.reflectance is not None:
        return model.reflectance.mean.clamp(0, 1)
    vertices = model.identity.mean
    colours = torch.tensor(_SKIN).expand_as(vertices).clone()
    for eye in model.eyes or ():
        ball = vertices[eye.vertices] - eye.centre(vertices)
        off_axis = torch.where(ball[:, 2] > 0, ball[:, :2].norm(dim=-1), torch.inf)
        paint = torch.tensor(_SCLERA).repeat(len(ball), 1)
        paint[off_axis < eye.iris_radius] = torch.tensor(_IRIS)
        paint[off_axis < _PUPIL_SHARE * eye.iris_radius] = torch.tensor(_PUPIL)
        colours[eye.vertices] = paint
    return colours


def views(model: MorphableModel) -> Iterator[View]:
    """The mean face seen from a grid of sides, one after the other."""
    for yaw in YAWS:
        for pitch in PITCHES:
            yield view_of(model, radians(yaw), radians(pitch))


def view_of(model: MorphableModel, yaw: float, pitch: float) -> View:
    """The mean face turned to the subject's left and up, lit from the camera.

    Args:
        model: whose mean to show.
        yaw: in radians, positive turns the face to the subject's left.
        pitch: in radians, positive turns the face up.
    """
    rotation = gaze_rotation(torch.tensor([float(yaw), float(pitch)]))
    camera = Camera.facing(_SIZE, focal=_FOCAL)
    vertices = model.identity.mean @ rotation.mT + torch.tensor(_PLACE)
    normals = vertex_normals(vertices, model.faces)
    lamp = torch.nn.functional.normalize(torch.tensor([0.0, 0.3, 1.0]), dim=0)
    light = 0.35 + 0.65 * (normals @ lamp).clamp(min=0)
    lit = mean_colours(model) * light[:, None]
    fragments = rasterize(camera.project(vertices)[None], model.faces, _SIZE)
    pixels = interpolate(lit[None], model.faces, fragments)[0]
    pixels = torch.where(fragments.mask[0, ..., None], pixels, _BACKGROUND)
    return View(rotation, camera, fragments, Photo(pixels, source=f"model {model.name}"))
