"""The texture of fitted faces: what was fitted to photos, as `fit.texture` wants it."""

from collections.abc import Sequence

import torch

from morphface.core.errors import ParameterError
from morphface.fit.texture import HeadTexture, PhotoOfHead, texture_from_photos
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.pipelines.photo import FittedFace
from morphface.render.sight import Sight
from morphface.render.unwrap import sample_photo

__all__ = ["head_texture", "head_texture_from_photos"]

CLAY = 0.65


def head_texture(face: FittedFace, photo: Photo, *, size: int = 1024) -> HeadTexture:
    """The de-lit texture of a fitted face; see `fit.texture`.

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
    light = face.parameters.illumination[0]
    if face.pixels is None:
        return _by_landmarks(face, sight)
    return PhotoOfHead(
        sight,
        face.pixels.albedo,
        light,
        gain=face.pixels.gain[0],
        grey=face.pixels.grey[0],
        occlusion=face.pixels.occlusion[0],
    )


def _by_landmarks(face: FittedFace, sight: Sight) -> PhotoOfHead:
    """Landmarks tell nothing of light: the photo's level is that of the mean albedo."""
    model, light = face.model, face.parameters.illumination[0]
    if model.reflectance is None:
        albedo = torch.full((model.size, 3), CLAY)
    else:
        albedo = model.albedo(face.parameters.reflectance)[0]
    normals = vertex_normals(sight.vertices, sight.faces)
    seen = sample_photo(sight, sight.vertices, normals)
    trust = seen.confidence * model.regions.get("skin", torch.ones(model.size))
    ratio = seen.colour / (albedo * irradiance(light, normals)).clamp(min=0.02)
    gain = ratio[trust >= 0.5 * trust.max()].median(dim=0).values.clamp(0.05, 10)
    return PhotoOfHead(sight, albedo, light, gain=gain)
