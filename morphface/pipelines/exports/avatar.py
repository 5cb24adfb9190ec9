"""A folder that VHAP and GaussianAvatars train a head on: FLAME, a camera, pictures and masks."""

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from morphface.core.files import atomic_write, output_folder
from morphface.exchange import Clip, write_flame_track
from morphface.exchange.flame import image_name, is_flame, mask_name
from morphface.media import Photo, read_video, write_image
from morphface.models import convert_parameters, load_model
from morphface.pipelines.exports.source import Source
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.render import render_maps

__all__ = ["write_avatar"]

_SCHEMES = ("478", "68")


def write_avatar(source: Source, out: Path, flame: str | Path | None) -> list[str]:
    """Write the folder; what should be known of it.

    Frames in which the face is lost are left out. Masks are those of the model's head, without
    hair.

    Args:
        source: whose head.
        out: the folder.
        flame: name or path of FLAME, for parameters of another model.

    Raises:
        ModelError: there is no FLAME, or the face cannot be converted to it.
        VideoError: the video cannot be read.
        OutputError: the folder cannot be written.
    """
    clip, notes = _converted(_seen(source.clip), flame)
    with output_folder(out) as folder:
        rows = _write_pictures(folder, source, clip)
        write_flame_track(folder, clip, rows)
    if len(rows) < clip.frames:
        notes.append(
            f"{clip.frames - len(rows)} of {clip.frames} frames have no picture in images/: the "
            "video of the track was not found, or is shorter; name it as pictures=, --pictures"
        )
    if not _is_central(clip):
        notes.append(
            "the optical axis is off the middle of the picture, which VHAP reads and "
            "GaussianAvatars does not"
        )
    return notes


def _seen(clip: Clip) -> Clip:
    """The frames in which the face was seen."""
    rows = clip.seen
    face = clip.parameters
    kept = {
        name: getattr(face, name)[rows]
        for name in ("expression", "illumination", "rotation", "translation", "gaze")
    }
    parts = {name: getattr(clip, name)[rows] for name in ("times", "indices", "seen")}
    return replace(clip, parameters=replace(face, **kept), **parts)


def _converted(clip: Clip, flame: str | Path | None) -> tuple[Clip, list[str]]:
    if flame is None or is_flame(clip):
        return clip, []
    head = with_landmarks_for(load_model(flame), flame, _SCHEMES)
    moved = convert_parameters(clip.parameters, clip.model, head)
    error = float(moved.error_mm.median())
    words = f"converted from {clip.model.name!r}, whose face is {error:.2f} mm off in the median"
    return replace(clip, parameters=moved.parameters, model=head), [words]


def _write_pictures(folder: Path, source: Source, clip: Clip) -> list[int]:
    """Write the pictures and masks that there are; the rows of the clip that have them."""
    if source.photo is not None:
        return [_write_picture(folder, clip, 0, source.photo)]
    if source.video is None:
        return []
    wanted = {int(index): row for row, index in enumerate(clip.indices)}
    written = []
    with read_video(source.video) as frames:
        for frame in frames:
            row = wanted.get(frame.index)
            if row is not None and frame.photo.size == clip.camera.size:
                written.append(_write_picture(folder, clip, row, frame.photo))
            if len(written) == len(wanted):
                break
    return written


def _write_picture(folder: Path, clip: Clip, row: int, photo: Photo) -> int:
    mask = render_maps(clip.model, clip.parameters[row], clip.camera, ("mask",))["mask"][0, ..., 0]
    write_image(folder / image_name(row), photo.pixels)
    with atomic_write(folder / mask_name(row)) as temporary:
        Image.fromarray((mask * 255).round().to(torch.uint8).numpy()).save(temporary)
    return row


def _is_central(clip: Clip) -> bool:
    height, width = clip.camera.size
    middle = torch.tensor([width / 2, height / 2])
    return bool((clip.camera.principal.reshape(2) - middle).abs().max() < 0.5)
