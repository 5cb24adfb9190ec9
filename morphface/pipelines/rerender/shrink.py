"""A fitted photo with fewer pixels."""

from dataclasses import replace

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from morphface.geometry.camera import Camera
from morphface.landmarks.points import moved
from morphface.pipelines.photo import FittedFace, FittedPhoto

__all__ = ["shrunk"]


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
    pixels = _resized(found.photo.pixels, size)
    focal = None if found.photo.focal is None else found.photo.focal * ratio
    photo = replace(found.photo, pixels=pixels, focal=focal)
    return FittedPhoto(photo, tuple(_shrunk_face(face, ratio, size) for face in found.faces))


def _shrunk_face(face: FittedFace, ratio: float, size: tuple[int, int]) -> FittedFace:
    fit, seen = face.fit, face.pixels
    landmarks = moved(fit.landmarks, ratio, (0.0, 0.0))
    fit = replace(
        fit,
        camera=_shrunk_camera(fit.camera, ratio, size),
        landmarks=landmarks,
        predicted=fit.predicted * ratio,
    )
    if seen is not None:
        seen = replace(
            seen,
            cameras=tuple(_shrunk_camera(camera, ratio, size) for camera in seen.cameras),
            landmarks=(landmarks,),
            predicted=tuple(points * ratio for points in seen.predicted),
            occlusion=tuple(_resized(cover[..., None], size)[..., 0] for cover in seen.occlusion),
        )
    return replace(face, fit=fit, pixels=seen)


def _shrunk_camera(camera: Camera, ratio: float, size: tuple[int, int]) -> Camera:
    return replace(
        camera, focal=camera.focal * ratio, principal=camera.principal * ratio, size=size
    )


def _resized(values: Float[Tensor, "H W C"], size: tuple[int, int]) -> Float[Tensor, "h w C"]:
    planes = interpolate(values.movedim(-1, 0)[None], size, mode="area")
    return planes[0].movedim(0, -1).contiguous()
