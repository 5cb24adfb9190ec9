"""Where a model has the points of a landmark scheme: found by looking, not by hand.

The model's mean is rendered from several sides, the detector looks at each picture, and what
it finds is cast back onto the surface. The robust mean over the views is the landmark.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from morphface.core.errors import LandmarkError
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import vertex_normals
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import Scheme, scheme, to_scheme
from morphface.media.images import Photo
from morphface.models import LandmarkEmbedding, MorphableModel
from morphface.render import interpolate, rasterize, shade_sh

__all__ = ["VIEWS", "embed"]

VIEWS = tuple((yaw, pitch) for yaw in (0, -15, 15, -30, 30) for pitch in (0, -12, 12))
SKIN = (0.70, 0.53, 0.45)

_SIZE = 640  # pixels; a face spans about half of them
_DISTANCE, _WIDTH = 900.0, 300.0  # mm to the viewer, and what the picture spans there
_HIDDEN = ("mouth", "eye_sockets", "eyeballs", "teeth", "tongue")
_REACH = 12  # pixels from a detected point to the surface it is taken to lie on
_STEADY = 2.0  # mm of spread over the views at which a point's confidence is a half
_SLIDING = 0.3  # the most confidence of a point on the silhouette


@dataclass(frozen=True, eq=False)
class _View:
    """Surface points that were seen from one side, and how far each may be trusted."""

    points: Tensor
    weight: Tensor


def embed(
    model: MorphableModel,
    detector: LandmarkDetector | None = None,
    *,
    scheme_name: str = "478",
    views: Sequence[tuple[float, float]] = VIEWS,
) -> LandmarkEmbedding:
    """The landmark embedding of any model, in a minute at the most.

    Confidence falls with the spread of a point over the views, and is at most 0.3 for points
    of the silhouette, which slide over the surface as the head turns.

    Args:
        model: in the toolkit's frame: millimetres, +z out of the face, origin between the eyes.
        detector: who looks; None takes MediaPipe's.
        scheme_name: "478", or "68", which selects from it.
        views: yaw and pitch in degrees of each picture.

    Raises:
        LandmarkError: the detector found the face in fewer than three views.
    """
    if detector is None:
        from morphface.landmarks.detectors.mediapipe import MediaPipeDetector

        detector = MediaPipeDetector()
    which = scheme(scheme_name)
    eyeballs = _eyeball_faces(model)
    skin = model.faces[~(_touches(model, _HIDDEN) | eyeballs)]
    balls = model.faces[eyeballs]
    irises = _irises(which) if len(balls) else []
    looks = list(_look(model, detector, which, views, skin, balls, irises))
    if len(looks) < 3:
        raise LandmarkError(
            f"the detector found a face in {len(looks)} of {len(views)} views of model "
            f"{model.name!r}: check that it is in millimetres, with +z out of the face"
        )
    points, spread = _robust_mean(looks)
    points = _symmetric(model, which, points)
    return _on_surface(model, which, points, spread, (skin, balls, irises))


def _touches(model: MorphableModel, regions: Sequence[str]) -> Tensor:
    """Faces of which a corner lies in one of `regions`."""
    inside = torch.zeros(model.size, dtype=torch.bool)
    for name in regions:
        if name in model.regions:
            inside |= model.regions[name] > 0.5
    return inside[model.faces].any(dim=1)


def _eyeball_faces(model: MorphableModel) -> Tensor:
    inside = torch.zeros(model.size, dtype=torch.bool)
    for eye in model.eyes or ():
        inside[eye.vertices] = True
    return inside[model.faces].all(dim=1)


def _irises(which: Scheme) -> list[int]:
    return [k for side in ("right_iris", "left_iris") for k in which.groups.get(side, ())]


def _look(
    model: MorphableModel,
    detector: LandmarkDetector,
    which: Scheme,
    views: Sequence[tuple[float, float]],
    skin: Tensor,
    balls: Tensor,
    irises: list[int],
) -> Iterator[_View]:
    """What is seen of the model from each side in which its face is found."""
    camera = Camera.facing((_SIZE, _SIZE), focal=_SIZE * _DISTANCE / _WIDTH)
    place = torch.tensor([0.0, 25.0, -_DISTANCE])
    for yaw, pitch in views:
        rotation = _rotation(yaw, pitch)
        seen = to_camera(model.identity.mean, rotation, place)
        screen = camera.project(seen)
        faces = detector.detect(Photo(_picture(model, seen, screen), source="a rendered model"))
        if not faces:
            continue
        found = to_scheme(faces[0], which.name)
        view = _cast(model, seen, screen, skin, found)
        if irises:
            on_ball = _cast(model, seen, screen, balls, found)
            view.points[irises] = on_ball.points[irises]
            view.weight[irises] = on_ball.weight[irises]
        yield view


def _rotation(yaw: float, pitch: float) -> Tensor:
    """Rotation vector of a small turn: positive yaw to the subject's left, positive pitch up."""
    return torch.tensor([-math.radians(pitch), math.radians(yaw), 0.0])


def _picture(model: MorphableModel, seen: Tensor, screen: Tensor) -> Tensor:
    """A lit head before grey; a model without reflectance gets skin and dark eyes."""
    albedo = torch.tensor(SKIN).expand_as(seen).clone()
    if model.reflectance is not None:
        albedo = model.albedo(torch.zeros(model.reflectance.rank))
    light = torch.zeros(9, 3)
    light[0], light[1], light[2] = -0.1, -0.10, 0.24
    colours = shade_sh(albedo, vertex_normals(seen, model.faces), light)
    fragments = rasterize(screen[None], model.faces, (_SIZE, _SIZE))
    image = interpolate(colours[None], model.faces, fragments)[0]
    return torch.where(fragments.mask[0, ..., None], image, 0.45).clamp(0, 1)


def _cast(
    model: MorphableModel, seen: Tensor, screen: Tensor, eligible: Tensor, found: Landmarks
) -> _View:
    """Points of the mean's surface under the detected points.

    Only `eligible` faces that nothing hides count; a point beside them takes the nearest
    pixel that shows one, and weighs less the farther that is.
    """
    everything = rasterize(screen[None], model.faces, (_SIZE, _SIZE))
    fragments = rasterize(screen[None], eligible, (_SIZE, _SIZE))
    shown = fragments.mask[0] & (fragments.depth[0] < everything.depth[0] + 1.0)
    normals = vertex_normals(seen, model.faces)
    values = torch.cat([model.identity.mean, normals], dim=-1)
    surface = interpolate(values[None], eligible, fragments)[0]
    row, column, distance = _nearest_pixel(shown, found.points)
    at = surface[row, column]
    facing = torch.nn.functional.normalize(at[:, 3:], dim=-1)[:, 2].clamp(min=0)
    near = (1 - distance / _REACH).clamp(min=0)
    return _View(at[:, :3], facing.square() * near * (facing > 0.2))


def _nearest_pixel(shown: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Row, column and distance of the shown pixel nearest to each point, within reach."""
    steps = torch.arange(-_REACH, _REACH + 1)
    offset = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1).reshape(-1, 2)
    base = points.flip(-1).floor().long()
    pixel = base[:, None] + offset
    inside = ((pixel >= 0) & (pixel < _SIZE)).all(-1)
    pixel = pixel.clamp(0, _SIZE - 1)
    away = (pixel + 0.5 - points.flip(-1)[:, None]).norm(dim=-1)
    away = away.where(inside & shown[pixel[..., 0], pixel[..., 1]], torch.tensor(torch.inf))
    distance, best = away.min(dim=1)
    chosen = pixel[torch.arange(len(points)), best]
    return chosen[:, 0], chosen[:, 1], distance.clamp(max=_REACH)


def _robust_mean(looks: list[_View]) -> tuple[Tensor, Tensor]:
    """Weighted geometric median over the views (Weiszfeld 1937), and the median distance to it."""
    points = torch.stack([look.points for look in looks])
    weight = torch.stack([look.weight for look in looks])
    weight = weight + 1e-6
    mean = (weight[..., None] * points).sum(0) / weight.sum(0)[:, None]
    for _ in range(20):
        away = (points - mean).norm(dim=-1).clamp(min=0.05)
        share = weight / away
        mean = (share[..., None] * points).sum(0) / share.sum(0)[:, None]
    away = (points - mean).norm(dim=-1)
    unseen = weight < 1e-3
    spread = away.masked_fill(unseen, torch.nan).nanmedian(dim=0).values
    return mean, spread.nan_to_num(10.0)


def _symmetric(model: MorphableModel, which: Scheme, points: Tensor) -> Tensor:
    """The mean of each point and its twin's mirror image, where the model's mean is symmetric."""
    if model.mirror is None:
        return points
    flip = torch.tensor([-1.0, 1.0, 1.0])
    mean = model.identity.mean
    if (mean[model.mirror] * flip - mean).abs().max() > 0.5:
        return points
    return (points + points[list(which.mirror)] * flip) / 2


def _on_surface(
    model: MorphableModel,
    which: Scheme,
    points: Tensor,
    spread: Tensor,
    surfaces: tuple[Tensor, Tensor, list[int]],
) -> LandmarkEmbedding:
    """The embedding of the surface points nearest to `points`."""
    skin, balls, irises = surfaces
    face, weights = closest_on_mesh(points, model.identity.mean, skin)
    triangles = skin[face]
    if irises:
        face, ball_weights = closest_on_mesh(points[irises], model.identity.mean, balls)
        triangles[irises], weights[irises] = balls[face], ball_weights
    confidence = 1 / (1 + (spread / _STEADY).square())
    contour = list(which.contour)
    confidence[contour] = confidence[contour].clamp(max=_SLIDING)
    return LandmarkEmbedding(triangles, weights, confidence)
