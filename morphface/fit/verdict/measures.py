"""The numbers that a verdict is made of, each a check of something that can go wrong."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.shared.coefficients import ellipsoid
from morphface.fit.shared.result import FitResult
from morphface.fit.verdict.pose import pose_apart
from morphface.fit.verdict.sight import Sight, look_at
from morphface.landmarks import SCHEMES, Landmarks, outer_eye_distance
from morphface.landmarks.boxes import area, overlap
from morphface.media.images import Photo
from morphface.media.photo import to_uint8
from morphface.models import MorphableModel

__all__ = ["Measures", "measure", "turn_of"]

_SHOWN = 128  # pixels across a face at which its blur is judged
_PIXEL = 0.9  # pixels by which slopes of neighbours show an edge blurred that is sharp
_RADIUS = 4.0  # of the ellipsoid, as in the settings of the fits
_ODD = 0.35  # of a logarithm: two sides of a face differ in colour by more only if one is covered
_FRONTAL = 25.0  # degrees up to which the halves of a face are compared, as light differs beyond
_END = 0.98  # of an expression's range
_NONE = float("nan")


@dataclass(frozen=True)
class Measures:
    """Named as the warnings are; NaN where there is nothing to measure."""

    small: float = _NONE
    blurred: float = _NONE
    noisy: float = _NONE
    dark: float = _NONE
    saturated: float = _NONE
    cut: float = _NONE
    turned: float = _NONE
    occluded: float = _NONE
    landmarks_pixels: float = _NONE
    landmarks_detector: float = _NONE
    detector_pose: float = _NONE
    contradictory: float = _NONE
    facing: float = _NONE
    colours: float = _NONE
    unlike: float = _NONE
    bound: float = _NONE
    focal: float = _NONE
    axis: float = _NONE
    expression: float = _NONE
    overlap: float = _NONE
    asymmetry: float = _NONE

    def record(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def measure(
    model: MorphableModel,
    fit: FitResult,
    pixels: PhotometricResult | None,
    photo: Photo,
    *,
    lens_known: bool = False,
    axis_assumed: bool = False,
    others: Sequence[Landmarks] = (),
    witness: Landmarks | None = None,
    cover: Float[Tensor, "H W"] | None = None,
) -> Measures:
    """What can be measured of a fit.

    Args:
        model: of the fit.
        fit: to the landmarks.
        pixels: what the fit of pixels found; None if they were not asked.
        photo: that was fitted.
        lens_known: whether the focal length was given.
        axis_assumed: whether it was given for the picture as it is, so that a picture that was
            cut from a larger one is seen from a wrong side.
        others: faces that the detector found in the photo besides this one.
        witness: what the detector says of this face where the landmarks are not its own.
        cover: what `fit.covered` found before it; None where that was not asked.
    """
    parameters = fit.parameters if pixels is None else pixels.parameters
    camera = fit.camera if pixels is None else pixels.cameras[0]
    sight = look_at(model, parameters, camera, photo, pixels)
    eyes = _eyes(fit)
    sides = float(camera.focal.flatten()[0]) / max(photo.size)
    face = fit.landmarks
    colours = {} if pixels is None else _of_pixels(fit, pixels, sight, model, eyes)
    if cover is None and pixels is not None:
        cover = pixels.occlusion[0]
    return Measures(
        small=max(face.box[2] - face.box[0], face.box[3] - face.box[1]),
        blurred=_blur(photo, face),
        dark=_brightness(sight),
        saturated=sight.mean((sight.shown >= 0.98).any(dim=1).float()),
        cut=float(1 - (sight.face * sight.inside).sum() / sight.face.sum().clamp(min=1e-9)),
        turned=float(turn_of(parameters.rotation[0], parameters.translation[0])),
        noisy=_noise(photo, face),
        occluded=_NONE if cover is None else sight.mean(_at(cover, sight.spots)),
        landmarks_detector=_NONE if witness is None else _apart(face, witness, eyes),
        detector_pose=pose_apart(model, sight.points, face if witness is None else witness),
        contradictory=fit.landmark_nme,
        facing=_facing_away(model, fit, sight),
        bound=_bound(parameters.identity[0]),
        focal=_NONE if lens_known else sides,
        axis=sides if axis_assumed else _NONE,
        expression=_ends(model, parameters.expression[0]),
        overlap=max((overlap(face.box, other.box) for other in others), default=0.0),
        **colours,
    )


def _of_pixels(
    fit: FitResult,
    pixels: PhotometricResult,
    sight: Sight,
    model: MorphableModel,
    eyes: float,
) -> dict[str, float]:
    """What only pixels know."""
    moved = (pixels.predicted[0] - fit.predicted).norm(dim=1)
    counted = fit.landmarks.confidence > 0
    covered = _at(pixels.occlusion[0], sight.spots)
    p = pixels.parameters
    frontal = float(turn_of(p.rotation[0], p.translation[0])) <= _FRONTAL
    return {
        "landmarks_pixels": float(moved[counted].mean()) / eyes if bool(counted.any()) else _NONE,
        "colours": pixels.photometric_rmse[0],
        "unlike": _likeness(sight, 1 - covered),
        "asymmetry": _asymmetry(model, sight) if frontal else _NONE,
    }


def _eyes(fit: FitResult) -> float:
    """The distance of the outer corners of the eyes, in pixels."""
    if fit.landmarks.scheme in SCHEMES:
        return max(float(outer_eye_distance(fit.predicted, fit.landmarks.scheme)), 1e-6)
    return max(float((fit.predicted.amax(0) - fit.predicted.amin(0)).max()) / 2, 1e-6)


def _brightness(sight: Sight) -> float:
    seen = sight.weight > 0
    return float(sight.shown[seen].mean(dim=1).median()) if bool(seen.any()) else 0.0


def _part(photo: Photo, face: Landmarks) -> UInt8[Tensor, "h w 3"] | None:
    """The photo within the box of a face; None where too little of it is there."""
    left, top, right, bottom = face.box
    height, width = photo.size
    x, y = max(int(left), 0), max(int(top), 0)
    part = photo.pixels[y : min(int(bottom) + 1, height), x : min(int(right) + 1, width)]
    return None if min(part.shape[:2]) < 8 else to_uint8(part)


def _noise(photo: Photo, face: Landmarks) -> float:
    """Standard deviation of a channel's noise, after Immerkaer (1996), by a median.

    The difference of two Laplacians is blind to what changes steadily; its gain for noise is 6.
    """
    part = _part(photo, face)
    if part is None:
        return _NONE
    rough = part.short().diff(n=2, dim=0).diff(n=2, dim=1)
    return float(rough.abs().median()) / (255 * 6 * 0.6745)


def _blur(photo: Photo, face: Landmarks) -> float:
    """Standard deviation of the blur that edges seem to have, as a share of the face's size.

    Of an edge that was blurred by s, its steepest slope is its height over s times the square root
    of 2 pi: the height is how much brightness differs around, over a fifth of the face. What the
    pixels' own size does to an edge is taken away, so that a face of few pixels is small and not
    blurred. Blur of more than a twentieth of the face reads as less than it is.
    """
    part = _part(photo, face)
    if part is None:
        return _NONE
    left, top, right, bottom = face.box
    grey = (part.float() / 255).mean(dim=2)[None, None]
    scale = _SHOWN / max(right - left, bottom - top)
    if scale < 1:
        size = [max(8, round(side * scale)) for side in grey.shape[2:]]
        grey = torch.nn.functional.interpolate(grey, size, mode="area")
    side = max(right - left, bottom - top) * min(scale, 1.0)
    reach = 2 * max(1, round(side / 10)) + 1
    slope = torch.stack(torch.gradient(grey[0, 0])).norm(dim=0)
    steepest = _highest(slope[None, None], reach)[0, 0]
    contrast = (_highest(grey, reach) + _highest(-grey, reach))[0, 0]
    strong = contrast >= contrast.quantile(0.8)
    width_of_edges = (contrast / steepest.clamp(min=1e-6))[strong] / math.sqrt(2 * math.pi)
    return math.sqrt(max(float(width_of_edges.median()) ** 2 - _PIXEL**2, 0.0)) / side


def _highest(image: Float[Tensor, "B C H W"], reach: int) -> Float[Tensor, "B C H W"]:
    """The highest value around each pixel, in a square of an odd side."""
    pool = torch.nn.functional.max_pool2d
    rows = pool(image, (reach, 1), stride=1, padding=(reach // 2, 0))
    return pool(rows, (1, reach), stride=1, padding=(0, reach // 2))


def turn_of(
    rotation: Float[Tensor, "*batch 3"], translation: Float[Tensor, "*batch 3"]
) -> Float[Tensor, "*batch"]:
    """Degrees between where a face looks and where the camera is.

    Args:
        rotation: head to camera.
        translation: of the head in the camera frame.
    """
    ahead = roma.rotvec_to_rotmat(rotation)[..., 2]
    back = torch.nn.functional.normalize(-translation, dim=-1)
    return torch.rad2deg(torch.acos((ahead * back).sum(dim=-1).clamp(-1, 1)))


def _apart(face: Landmarks, other: Landmarks, eyes: float) -> float:
    """How far the detector's points are from these, in eye distances; boxes, of other schemes."""
    if face.scheme == other.scheme:
        present = face.confidence > 0
        far = (face.points - other.points)[present].norm(dim=1)
        return float(far.mean()) / eyes
    here, there = (np.array(one.box).reshape(2, 2).mean(axis=0) for one in (face, other))
    grown = abs(math.log(max(area(face.box), 1e-9) / max(area(other.box), 1e-9))) / 2
    return float(np.hypot(*(here - there))) / eyes + grown


def _facing_away(model: MorphableModel, fit: FitResult, sight: Sight) -> float:
    """The share of landmarks that lie on surface that faces away, contours left aside."""
    embedding = model.landmarks[fit.landmarks.scheme]
    corners = sight.points[embedding.triangles]
    normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = (normals * corners.mean(dim=1)).sum(dim=1) >= 0
    counted = fit.landmarks.confidence > 0
    if fit.landmarks.scheme in SCHEMES:
        counted = counted.clone()
        counted[list(SCHEMES[fit.landmarks.scheme].contour)] = False
    return float(away[counted].float().mean()) if bool(counted.any()) else _NONE


def _bound(identity: Float[Tensor, " I"]) -> float:
    """Length of the identity, of that of the ellipsoid."""
    return float(identity.norm()) / ellipsoid(len(identity), _RADIUS) if len(identity) else 0.0


def _ends(model: MorphableModel, expression: Float[Tensor, " E"]) -> float:
    """How many expression weights are at the upper end of their range."""
    upper = model.expression.bounds[:, 1]
    return float((expression >= _END * upper)[upper.isfinite()].sum())


def _at(image: Float[Tensor, "H W"], spots: Float[Tensor, "V 2"]) -> Float[Tensor, " V"]:
    height, width = image.shape
    x, y = spots[:, 0].long().clamp(0, width - 1), spots[:, 1].long().clamp(0, height - 1)
    return image[y, x]


def _likeness(sight: Sight, opened: Float[Tensor, " V"]) -> float:
    """Correlation of brightness between model and photo over the face that is not covered."""
    if sight.expected is None:
        return _NONE
    weight = sight.weight * opened
    if not float(weight.sum()) > 0:
        return _NONE
    weight = weight / weight.sum()
    one, other = (values.mean(dim=1) for values in (sight.expected, sight.shown))
    one, other = one - (weight * one).sum(), other - (weight * other).sum()
    spread = float((weight * one.square()).sum() * (weight * other.square()).sum()) ** 0.5
    return float((weight * one * other).sum()) / spread if spread > 1e-9 else _NONE


def _asymmetry(model: MorphableModel, sight: Sight) -> float:
    """The share of the seen pairs of mirrored vertices whose colours, freed of light, differ."""
    if sight.shading is None or model.mirror is None:
        return _NONE
    twin = model.mirror.long()
    both = (sight.weight > 0.5) & (sight.weight[twin] > 0.5)
    if int(both.sum()) < 50:
        return _NONE
    bare = sight.shown.clamp(min=0.02).mean(dim=1) / sight.shading.clamp(min=0.05).mean(dim=1)
    ratio = torch.log(bare / bare[twin])[both]
    return float((ratio.abs() > _ODD).float().mean())
