"""A fitted photo with fewer pixels, or a part of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, pad

from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.camera import Camera
from morphface.landmarks.points import moved
from morphface.media.crop import Crop

__all__ = ["cropped", "shrunk"]

Picture = Float[Tensor, "H W C"]
_BEYOND = 4


@dataclass(frozen=True, eq=False)
class _Place:
    """Where another picture of the same scene has what this one has.

    Args:
        ratio: its pixels for one of this one.
        offset: where it has the corner of this one, x and y.
        camera: of this one, as its own.
        picture: what it shows of this one, or of what lies over it.
    """

    ratio: float
    offset: tuple[float, float]
    camera: Callable[[Camera], Camera]
    picture: Callable[[Picture], Picture]


def shrunk(found: FittedPhoto, longest: int) -> FittedPhoto:
    """The photo with its faces, no longer than so many pixels; the faces stay the same.

    Args:
        found: the photo.
        longest: pixels along its longer side, at most.
    """
    height, width = found.photo.size
    ratio = longest / max(height, width)
    if ratio >= 1:
        return found
    size = max(round(height * ratio), 1), max(round(width * ratio), 1)

    def camera(old: Camera) -> Camera:
        return replace(old, focal=old.focal * ratio, principal=old.principal * ratio, size=size)

    return _placed(found, _Place(ratio, (0.0, 0.0), camera, lambda old: _resized(old, size)))


def cropped(found: FittedPhoto, window: Crop) -> FittedPhoto:
    """A part of the photo with all its faces, which stay the same; black far beyond its border.

    Args:
        found: the photo.
        window: the part.
    """
    ratio = window.scale
    corner = -window.left * ratio, -window.top * ratio
    # Resampling looks around each pixel; a border that goes on a little is not darkened by that.
    more = math.ceil(_BEYOND * max(1 / ratio, 1.0))
    wider = replace(window, left=window.left + more, top=window.top + more)

    def picture(old: Picture) -> Picture:
        planes = pad(old.movedim(-1, 0)[None], (more,) * 4, mode="replicate")
        return wider.apply(planes[0].movedim(0, -1))

    return _placed(found, _Place(ratio, corner, window.camera, picture))


def _placed(found: FittedPhoto, place: _Place) -> FittedPhoto:
    focal = None if found.photo.focal is None else found.photo.focal * place.ratio
    photo = replace(found.photo, pixels=place.picture(found.photo.pixels), focal=focal)
    return FittedPhoto(photo, tuple(_placed_face(face, place) for face in found.faces))


def _placed_face(face: FittedFace, place: _Place) -> FittedFace:
    def there(points: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
        return points * place.ratio + points.new_tensor(place.offset)

    fit, seen = face.fit, face.pixels
    landmarks = moved(fit.landmarks, place.ratio, place.offset)
    camera, predicted = place.camera(fit.camera), there(fit.predicted)
    fit = replace(fit, camera=camera, landmarks=landmarks, predicted=predicted)
    if seen is not None:
        seen = replace(
            seen,
            cameras=tuple(place.camera(camera) for camera in seen.cameras),
            landmarks=(landmarks,),
            predicted=tuple(there(points) for points in seen.predicted),
            occlusion=tuple(place.picture(cover[..., None])[..., 0] for cover in seen.occlusion),
        )
    return replace(face, fit=fit, pixels=seen)


def _resized(values: Float[Tensor, "H W C"], size: tuple[int, int]) -> Float[Tensor, "h w C"]:
    planes = interpolate(values.movedim(-1, 0)[None], size, mode="area")
    return planes[0].movedim(0, -1).contiguous()
