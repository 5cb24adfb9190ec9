"""The texture of fitted faces: what was fitted to photos, as `fit.texture` wants it."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedFace
from morphface.fit.texture import HeadTexture, PhotoOfHead, texture_from_photos
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.render.detail import Detail
from morphface.render.sight import Sight

__all__ = ["SIZES", "head_texture", "head_texture_from_photos", "texture_size", "without_relief"]

CLAY = 0.65
SIZES = (512, 1024, 2048, 4096)
"""Of textures that take theirs from a photo, in pixels; the largest only when it is asked for."""
_LARGEST = 2048  # that is chosen unasked: each step takes four times as long
_ENOUGH = 0.8  # texels a pixel of the photo, in each direction, with which a size is enough


def head_texture(face: FittedFace, photo: Photo, *, size: int | None = None) -> HeadTexture:
    """The albedo of a fitted face: what its photo shows, without the light, and a plausible rest.

    A fit of landmarks alone knows no light: the photo then counts as evenly lit.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
        size: height and width of the texture in pixels; None takes what the photo's detail needs.

    Raises:
        ParameterError: `size` is less than 1.
    """
    return head_texture_from_photos([face], [photo], size=size)


def head_texture_from_photos(
    faces: Sequence[FittedFace], photos: Sequence[Photo], *, size: int | None = None
) -> HeadTexture:
    """One texture from several photos of one person.

    Args:
        faces: the person's face in each photo, all fitted with one model.
        photos: that they were fitted to.
        size: height and width of the texture in pixels; None takes what the finest photo needs.

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
    size = max(map(texture_size, faces)) if size is None else size
    found = texture_from_photos(faces[0].model, seen, size=size)
    reliefs = [face.detail for face in faces if face.detail is not None]
    return without_relief(found, reliefs[0]) if reliefs else found


def without_relief(texture: HeadTexture, detail: Detail) -> HeadTexture:
    """The albedo without the light that relief catches, as far as photos show it.

    Args:
        texture: made with the light of the mesh's own normals.
        detail: relief of the same head.
    """
    if texture.albedo is None or texture.confidence is None:
        return texture
    plane, size = detail.shading[None, None], texture.albedo.shape[:2]
    fine = interpolate(plane, size, mode="bilinear", align_corners=False, antialias=True)[0, 0]
    light = (fine * texture.confidence).exp()[..., None]
    return replace(texture, albedo=(texture.albedo / light).clamp(0, 1))


def texture_size(face: FittedFace) -> int:
    """The least of `SIZES`, up to 2048, that keeps what a photo shows of a face.

    Args:
        face: fitted to the photo; its model's layout says how much of a texture a face gets.
    """
    model = face.model
    if model.uv is None or model.uv_faces is None:
        return SIZES[0]
    posed = face.vertices_in_camera()
    inside = _skin_of(model)[model.faces].amin(dim=1) > 0.5
    corners = face.camera.project(posed)[:, :2][model.faces[inside]]
    seen = _areas(corners)  # what is turned away has its corners the other way around
    shown = (seen < 0) & corners.isfinite().all(dim=-1).all(dim=-1)
    share = _areas(model.uv[model.uv_faces[inside]])[shown].abs().sum()
    if not share > 0:
        return SIZES[0]
    wanted = _ENOUGH * float((seen[shown].abs().sum() / share).sqrt())
    return next((size for size in SIZES if wanted <= size < _LARGEST), _LARGEST)


def _skin_of(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far each vertex is of the face; 1 for a model that does not say."""
    return model.regions.get("face", torch.ones(model.size))


def _areas(corners: Float[Tensor, "F 3 2"]) -> Float[Tensor, " F"]:
    """Twice the signed area of triangles in a plane."""
    (ax, ay), (bx, by) = (corners[:, k].sub(corners[:, 0]).unbind(-1) for k in (1, 2))
    return ax * by - ay * bx


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
