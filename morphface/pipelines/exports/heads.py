"""The head of a clip as a mesh with its colours, and every expression as a target."""

from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from morphface.exchange import Clip
from morphface.fit.texture import HeadTexture, PhotoOfHead, texture_from_photos
from morphface.fit.texture.faces import CLAY, head_texture
from morphface.geometry.angles import rotvec_to_angles
from morphface.media.images import Photo
from morphface.media.meshes import Surface
from morphface.media.video import read_video
from morphface.models import ArticulatedModel
from morphface.pipelines.exports.source import Source
from morphface.pipelines.head_files import reshaped
from morphface.render.sight import Sight

__all__ = ["deviation", "head_of", "photos_of"]

_LOOKED_AT = 100
_VIEWS = (-0.35, 0.0, 0.35)
"""Yaw in radians of the frames that a texture is made of, as near as the clip comes to them."""


def head_of(source: Source) -> tuple[Surface, str]:
    """The neutral head, eyes ahead, in its own colours; and where these come from, in words.

    Args:
        source: whose head.

    Raises:
        VideoError: the video cannot be read.
    """
    clip = source.clip
    texture, words = _texture(source)
    model, face = clip.model, clip.parameters[0]
    still = replace(
        face,
        expression=torch.zeros_like(face.expression),
        gaze=torch.zeros_like(face.gaze),
    )
    plain = Surface(
        vertices=clip.vertices(0),
        faces=model.faces,
        colours=_colours(clip) if texture is None else texture.colours,
        uv=model.uv,
        uv_faces=model.uv_faces,
        texture=None if texture is None else texture.albedo,
    )
    return reshaped(plain, model, still), words


def deviation(head: Surface, clip: Clip) -> float:
    """How far vertices of the targets' sum are from the model's in the clip, in mm, at most.

    At most a hundred frames, spread over the clip, are looked at.
    """
    worst = 0.0
    if not isinstance(clip.model, ArticulatedModel):
        return worst
    offsets = torch.stack(list(head.targets.values())).flatten(1)
    for k in range(0, clip.frames, -(-clip.frames // _LOOKED_AT)):
        face = clip.parameters[k]
        weights = face.expression[0]
        moved = head.vertices + (weights @ offsets[: len(weights)]).unflatten(0, (-1, 3))
        exact = clip.model.vertices(face.identity[0], weights)
        worst = max(worst, float((moved - exact).norm(dim=-1).max()))
    return worst


def photos_of(video: Path, clip: Clip, rows: Int[Tensor, " n"]) -> dict[int, Photo]:
    """The pictures of some frames of a clip, by row.

    Args:
        video: that the clip was fitted to.
        clip: with the frames' numbers in the video.
        rows: of the clip, rising.

    Raises:
        VideoError: the video cannot be read.
    """
    wanted = {int(clip.indices[row]): int(row) for row in rows}
    found: dict[int, Photo] = {}
    with read_video(video) as frames:
        for frame in frames:
            if frame.index in wanted:
                found[wanted[frame.index]] = frame.photo
            if len(found) == len(wanted):
                break
    return found


def _colours(clip: Clip) -> Tensor:
    if clip.model.reflectance is None:
        return torch.full((clip.model.size, 3), CLAY)
    return clip.model.albedo(clip.parameters.reflectance[0])


def _texture(source: Source) -> tuple[HeadTexture | None, str]:
    if source.face is not None and source.photo is not None:
        return head_texture(source.face, source.photo), "the photo"
    clip = source.clip
    if source.photo is not None:
        return texture_from_photos(clip.model, [_photo_of(clip, 0, source.photo)]), "the photo"
    if source.video is None:
        return None, "the model, since no picture of the person is at hand"
    rows = torch.tensor(_views(clip))
    photos = photos_of(source.video, clip, rows)
    fitting = {row: photo for row, photo in photos.items() if photo.size == clip.camera.size}
    if not fitting:
        return None, f"the model, since {source.video} does not show the frames of the track"
    seen = [_photo_of(clip, row, photo) for row, photo in fitting.items()]
    return texture_from_photos(clip.model, seen), f"{len(seen)} frames of {source.video}"


def _views(clip: Clip) -> list[int]:
    """Rows of the frames whose yaw is nearest to that of the views, each once, rising."""
    yaw = rotvec_to_angles(clip.parameters.rotation)[:, 0]
    yaw = torch.where(clip.seen, yaw, torch.inf)
    return sorted({int((yaw - view).abs().argmin()) for view in _VIEWS})


def _photo_of(clip: Clip, row: int, photo: Photo) -> PhotoOfHead:
    sight = Sight(photo.pixels, clip.camera, clip.vertices_in_camera(row), clip.model.faces)
    return PhotoOfHead(sight, _colours(clip), clip.parameters.illumination[row])
