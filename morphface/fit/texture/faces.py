"""The texture of fitted faces: what was fitted to photos, as `fit.texture` wants it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedFace
from morphface.fit.texture import HeadTexture, PhotoOfHead, texture_from_photos
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.render.sight import Sight

__all__ = ["head_texture", "head_texture_from_photos"]

CLAY = 0.65


def head_texture(face: FittedFace, photo: Photo, *, size: int = 1024) -> HeadTexture:
    """The albedo of a fitted face: what its photo shows, without the light, and a plausible rest.

    A fit of landmarks alone knows no light: the photo then counts as evenly lit.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
        size: height and width of the texture in pixels.

    Raises:
        ParameterError: `size` is less than 1.
    """
    return head_texture_from_photos([face], [photo], size=size)


def head_texture_from_photos(
    faces: Sequence[FittedFace], photos: Sequence[Photo], *, size: int = 1024
) -> HeadTexture:
    """One texture from several photos of one person.

    Args:
        faces: the person's face in each photo, all fitted with one model.
        photos: that they were fitted to.
        size: height and width of the texture in pixels.

    Raises:
        ParameterError: there are no photos, not as many as faces, the faces have different
            models, or `size` is less than 1.
    """
    if len(faces) != len(photos):
        raise ParameterError(f"faces and photos must pair up, got {len(faces)} and {len(photos)}")
    names = {face.model.name for face in faces}
    if len(names) > 1:
        raise ParameterError(f"all faces must have one model, got {', '.join(sorted(names))}")
    seen = [_photo_of(face, photo) for face, photo in zip(faces, photos, strict=True)]
    if not seen:
        raise ParameterError("photos must hold at least one photo, got none")
    return texture_from_photos(faces[0].model, seen, size=size)


def _photo_of(face: FittedFace, photo: Photo) -> PhotoOfHead:
    sight = Sight(photo.pixels, face.camera, face.vertices_in_camera(), face.model.faces)
    light, seen = face.parameters.illumination[0], face.pixels
    if seen is None:  # landmarks tell nothing of light, so that the photo counts as evenly lit
        even = irradiance(torch.zeros_like(light), light.new_tensor([[0.0, 0.0, 1.0]]))[0]
        return PhotoOfHead(sight, _mean_albedo(face), torch.zeros_like(light), gain=1 / even)
    return PhotoOfHead(
        sight,
        seen.albedo,
        light,
        gain=seen.gain[0],
        grey=seen.grey[0],
        occlusion=seen.occlusion[0],
    )


def _mean_albedo(face: FittedFace) -> Float[Tensor, "V 3"]:
    if face.model.reflectance is None:
        return torch.full((face.model.size, 3), CLAY)
    return face.albedo()
