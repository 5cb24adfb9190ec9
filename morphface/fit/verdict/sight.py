"""A fitted face beside its photo, vertex by vertex, as evidence for a verdict."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import grid_sample

from morphface.fit.analysis.colour import Balance
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.analysis.surface import face_weight
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render import rasterize

__all__ = ["Sight", "look_at"]

_SIDE = 160  # pixels at which it is found out what hides what
_BEHIND = 4.0  # millimetres behind what is seen from which a vertex is hidden
_FACING = 0.15  # cosine of the angle of view below which a vertex is not judged


@dataclass(frozen=True, eq=False)
class Sight:
    """The vertices of a face and what a photo shows at them.

    Args:
        points: in the camera frame.
        spots: in pixels of the photo.
        weight: how far each is of the face and seen.
        inside: whether each lies in the picture.
        face: how far each is of the face, seen or not.
        shown: the photo's colours there.
        expected: the model's colours there; None where nobody asked the pixels.
        shading: light that reaches each vertex; likewise.
    """

    points: Float[Tensor, "V 3"]
    spots: Float[Tensor, "V 2"]
    weight: Float[Tensor, " V"]
    inside: Bool[Tensor, " V"]
    face: Float[Tensor, " V"]
    shown: Float[Tensor, "V 3"]
    expected: Float[Tensor, "V 3"] | None
    shading: Float[Tensor, "V 3"] | None

    def mean(self, values: Float[Tensor, " V"]) -> float:
        """Mean over what is seen."""
        return float((values * self.weight).sum() / self.weight.sum().clamp(min=1e-9))


def look_at(
    model: MorphableModel,
    parameters: FaceParameters,
    camera: Camera,
    photo: Photo,
    pixels: PhotometricResult | None,
) -> Sight:
    """What a photo shows of a fitted face.

    Args:
        model: of the parameters.
        parameters: one frame.
        camera: that took the photo.
        photo: the photo.
        pixels: what the fit of pixels found; None if they were not asked.
    """
    p = parameters
    shape = model.vertices(p.identity, p.expression, p.gaze)[0]
    points = to_camera(shape, p.rotation[0], p.translation[0])
    screen = camera.project(points)
    normals = vertex_normals(points[None], model.faces)[0]
    cosine = -(normals * torch.nn.functional.normalize(points, dim=-1)).sum(dim=-1)
    face = face_weight(model).float()
    height, width = photo.size
    spots = screen[:, :2]
    inside = ((spots >= 0) & (spots < spots.new_tensor([width, height]))).all(dim=1)
    seen = _open(screen, model.faces, face) & (cosine > _FACING)
    expected = shading = None
    if pixels is not None:
        light = irradiance(p.illumination[0][None], normals[None])[0]
        mix = Balance(pixels.gain[0], pixels.grey[0]).mix
        shading = light
        expected = pixels.albedo * light
        expected = expected if mix is None else expected @ mix.T
    return Sight(
        points=points,
        spots=spots,
        weight=face * seen * inside,
        inside=inside,
        face=face * seen,
        shown=_sampled(photo, spots),
        expected=expected,
        shading=shading,
    )


def _open(
    screen: Float[Tensor, "V 3"], faces: Tensor, face: Float[Tensor, " V"]
) -> Bool[Tensor, " V"]:
    """Which vertices the head itself does not hide, in or out of the picture."""
    own = screen[face > 0, :2]
    low, high = own.amin(dim=0), own.amax(dim=0)
    scale = _SIDE / max(float((high - low).max()), 1e-6)
    moved = (screen - torch.cat([low, low.new_zeros(1)])) * screen.new_tensor([scale, scale, 1.0])
    if not bool(moved.isfinite().all()) or not math.isfinite(scale):
        return torch.zeros(len(screen), dtype=torch.bool)
    depth = rasterize(moved[None], faces, (_SIDE, _SIDE)).depth[0]
    x, y = moved[:, 0].long().clamp(0, _SIDE - 1), moved[:, 1].long().clamp(0, _SIDE - 1)
    return moved[:, 2] <= depth[y, x] + _BEHIND


def _sampled(photo: Photo, spots: Float[Tensor, "V 2"]) -> Float[Tensor, "V 3"]:
    height, width = photo.size
    grid = spots / spots.new_tensor([width, height]) * 2 - 1
    image = photo.pixels.float().permute(2, 0, 1)[None]
    found = grid_sample(image, grid[None, None], padding_mode="border", align_corners=False)
    return found[0, :, 0].T.contiguous()
