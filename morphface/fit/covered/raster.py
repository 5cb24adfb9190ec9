"""A face at a size of its own: the photo's colours beside what the mesh says of each pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.fit.analysis.surface import face_weight
from morphface.fit.shared.result import FitResult
from morphface.geometry.camera import to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.render import interpolate, rasterize

__all__ = ["SIDE", "FaceRaster", "face_raster"]

SIDE = 96
"""Pixels along the longer side of a face."""
_MARGIN = 0.06
"""Around it, in its sizes."""
_FACING = 0.2
"""Cosine of the angle of view below which a pixel is not judged."""
_MARKED = ("brows", "eyelids", "lashes", "lips", "eyeballs", "mouth")
_BETWEEN = 62.0
"""Millimetres between people's eyes, by which a face is measured."""
_SMOOTH = 0.45
"""Standard deviation, in pixels of the raster, of what a larger photo is blurred by."""


@dataclass(frozen=True, eq=False)
class FaceRaster:
    """A face, pixel by pixel.

    Args:
        colours: of the photo, RGB.
        normals: in the camera frame, of unit length.
        seen: where the face is in the picture and turned to the camera.
        skin: the part of that which is neither brows nor eyes nor mouth.
        lips: where lips are expected.
        eyes: where lids and brows are.
        beard: where a beard would grow.
        corner: x and y of the upper left corner, in pixels of the photo.
        ratio: pixels for one of the photo.
        distance: of each pixel from the mouth, in millimetres.
        middles: x and y of the middles of the subject's left and right eye, in its pixels; None
            for a model without eyes.
    """

    colours: Float[np.ndarray, "h w 3"]
    normals: Float[np.ndarray, "h w 3"]
    seen: Bool[np.ndarray, "h w"]
    skin: Bool[np.ndarray, "h w"]
    lips: Bool[np.ndarray, "h w"]
    eyes: Bool[np.ndarray, "h w"]
    beard: Bool[np.ndarray, "h w"]
    corner: Float[np.ndarray, "2"]
    ratio: float
    distance: Float[np.ndarray, "h w"]
    middles: Float[np.ndarray, "2 2"] | None

    @property
    def axes(self) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]] | None:
        """A millimetre to the subject's left and one up, in its pixels; None without eyes."""
        if self.middles is None:
            return None
        left = (self.middles[0] - self.middles[1]) / _BETWEEN
        return left, np.array([left[1], -left[0]])

    def from_eyes(self) -> list[tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]] | None:
        """How far each pixel is to the subject's left of the middle of each eye, and above it.

        In millimetres, of the left and of the right eye; `None` without eyes.
        """
        if self.middles is None or self.axes is None:
            return None
        y, x = np.indices(self.seen.shape)
        away = [np.stack([x, y], axis=-1) - middle for middle in self.middles]
        left, up = ((axis, axis @ axis) for axis in self.axes)
        return [(to @ left[0] / left[1], to @ up[0] / up[1]) for to in away]

    def spread(self, values: Float[np.ndarray, "h w"], size: tuple[int, int]) -> Tensor:
        """Values of the raster as a picture of the photo's size; 0 beyond the raster."""
        wide = cv2.warpAffine(
            values.astype(np.float32),
            _there(self.corner, self.ratio),
            (size[1], size[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        return torch.from_numpy(np.asarray(wide))


def face_raster(model: MorphableModel, fit: FitResult, photo: Photo) -> FaceRaster | None:
    """The face that landmarks found; None where it is nowhere.

    Args:
        model: of the fit.
        fit: to landmarks.
        photo: that they are in.
    """
    p = fit.parameters
    shape = model.vertices(p.identity, p.expression, p.gaze)[0]
    points = to_camera(shape, p.rotation[0], p.translation[0])
    screen = fit.camera.project(points)
    weight = face_weight(model).float()
    own = screen[weight > 0.3, :2]
    low, high = own.amin(dim=0), own.amax(dim=0)
    side = float((high - low).max())
    if not (np.isfinite(side) and side > 1 and bool(screen.isfinite().all())):
        return None
    low, high = low - _MARGIN * side, high + _MARGIN * side
    ratio = SIDE / side
    height, width = (int(extent * ratio) + 1 for extent in (high - low).flip(0).tolist())
    place = (screen - torch.cat([low, low.new_zeros(1)])) * screen.new_tensor([ratio, ratio, 1])
    found = rasterize(place[None], model.faces, (height, width))
    values = torch.cat([vertex_normals(points[None], model.faces)[0], _marks(model, shape)], dim=1)
    shown = interpolate(values[None], model.faces, found)[0].numpy()
    colours, inside = _shrunk(photo, low.numpy(), ratio, (height, width))
    normals = shown[..., :3] / np.maximum(np.linalg.norm(shown[..., :3], axis=-1)[..., None], 1e-6)
    face, marked, lips, eyes, beard = (shown[..., k] for k in range(3, 8))
    seen = found.mask[0].numpy() & (face > 0.5) & inside & (normals[..., 2] > _FACING)
    there = found.mask[0].numpy() & inside
    return FaceRaster(
        colours=colours,
        normals=normals,
        seen=seen,
        skin=seen & (marked < 0.2),
        lips=there & (lips > 0.5),
        eyes=there & (eyes > 0.5),
        beard=there & (beard > 0.5),
        corner=low.numpy(),
        ratio=ratio,
        distance=np.where(there, shown[..., 8], np.inf),
        middles=_middles(model, place),
    )


def _middles(model: MorphableModel, place: Float[Tensor, "V 3"]) -> Float[np.ndarray, "2 2"] | None:
    """Of the eyes, where the vertices are."""
    if model.eyes is None:
        return None
    return np.stack([place[eye.vertices.long(), :2].mean(dim=0).numpy() for eye in model.eyes])


def _marks(model: MorphableModel, shape: Float[Tensor, "V 3"]) -> Float[Tensor, "V 6"]:
    """Of each vertex: face, marked parts, lips, lids and brows, beard, millimetres to the mouth."""
    blank = torch.zeros(model.size)
    parts = {name: model.regions.get(name, blank) for name in _MARKED}
    lips = parts["lips"]
    away = torch.full((model.size,), torch.inf)
    if bool(lips.any()):
        middle = (shape * lips[:, None]).sum(dim=0) / lips.sum()
        away = (shape - middle).norm(dim=1)
    eyes = torch.maximum(parts["eyelids"], parts["brows"])
    marked = torch.stack(list(parts.values())).amax(dim=0)
    beard = model.regions.get("beard", blank)
    return torch.stack([face_weight(model).float(), marked, lips, eyes, beard, away], dim=1)


def _there(corner: Float[np.ndarray, "2"], ratio: float) -> Float[np.ndarray, "2 3"]:
    """From pixels of the photo to those of the raster, both counted from their first centre."""
    shift = (0.5 - corner) * ratio - 0.5
    return np.array([[ratio, 0.0, shift[0]], [0.0, ratio, shift[1]]])


def _shrunk(
    photo: Photo, corner: Float[np.ndarray, "2"], ratio: float, size: tuple[int, int]
) -> tuple[Float[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """The photo's colours at the raster, and where it has any."""
    pixels = np.ascontiguousarray(photo.pixels.float().numpy())
    if ratio < 1:
        pixels = cv2.GaussianBlur(pixels, (0, 0), _SMOOTH / ratio)
    shown = cv2.warpAffine(
        pixels,
        _there(corner, ratio),
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(-9.0, -9.0, -9.0),
    )
    return np.clip(shown, 0, 1), shown.min(axis=2) >= 0
