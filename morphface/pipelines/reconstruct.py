"""A photo in, a folder of files out: parameters, report, overlay and head."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from morphface.core.errors import ParameterError
from morphface.core.files import output_folder, write_json
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.fit.texture import HeadTexture
from morphface.fit.texture.faces import LIMITS, head_texture
from morphface.fit.verdict import check_kinds
from morphface.media.images import Photo, PictureSource, name_of, write_image
from morphface.parameters import save_parameters
from morphface.parameters.io import library_versions
from morphface.pipelines.head_files import write_head
from morphface.pipelines.overlay import draw_overlay
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.pipelines.verdicts import refuse_warned

__all__ = [
    "FILES",
    "POSE_ORDER",
    "check_texture_size",
    "describe",
    "describe_photo",
    "describe_texture",
    "reconstruct",
    "write_seen",
]

FILES = ("face.npz", "report.json", "overlay.png", "head.glb", "head.obj")
POSE_ORDER = (
    "turned by yaw, then pitch, then roll; positive yaw to the subject's left, "
    "positive pitch up, positive roll counter-clockwise in the image"
)
UNKNOWN_CAMERA = (
    "not given: its axis is taken to meet the middle of the picture. If the picture is a crop, "
    "faces come out turned by the angle between the two; give the camera of the crop"
)


def reconstruct(
    image: PictureSource,
    out: str | Path,
    *,
    model: str | Path = "open-head",
    faces: str | int = "largest",
    texture_size: int | None = None,
    strict: Sequence[str] = (),
    progress: Progress | None = None,
    **wishes: Unpack[Wishes],
) -> dict[str, Any]:
    """Fit the faces of a photo and write what was found to a folder.

    One face is written to `out` itself, with "all" each to a folder `face_0`, `face_1`, ... in
    it; there is one `report.json`, in `out`. Nothing appears in `out` before all is done.

    Args:
        image: a picture, as of `fit_photo`.
        out: the folder, made if it is missing; files of the same names are replaced.
        model: name or path of a morphable model.
        faces: "largest", "all", or an index from 0, the largest face first.
        texture_size: height and width of the head's texture, in pixels; None takes what the
            photo's detail needs.
        strict: names of warnings for which a face is refused, or "all".
        progress: is told what begins now.
        wishes: the other arguments of `fit_photo`.

    Returns:
        What `report.json` holds.

    Raises:
        OutputError: the folder cannot be written to; this is found out first.
        ParameterError: `texture_size` is out of range.
        VerdictError: a face has a warning for which it shall be refused; nothing is written.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    check_texture_size(texture_size)
    with output_folder(out) as folder:
        check_kinds(tuple(strict))
        result = fit_photo(image, model=model, faces=faces, progress=progress, **wishes)
        refuse_warned(result.faces, strict)
        report = _header(name_of(image), model, result)
        report["camera"] = UNKNOWN_CAMERA if wishes.get("camera") is None else "as given"
        for index, face in enumerate(result.faces):
            (progress or (lambda _: None))("writing the files")
            inner = f"face_{index}" if faces == "all" else "."
            told = _write_face(folder / inner, face, result, name_of(image), texture_size)
            report["faces"].append({"folder": inner, **told})
        write_json(folder / "report.json", report)
    return report


def _write_face(
    folder: Path, face: FittedFace, result: FittedPhoto, image: str, size: int | None
) -> dict[str, Any]:
    """What the report says of a face whose files are written."""
    start = time.perf_counter()
    write_seen(folder, face, result.photo, image)
    texture = head_texture(face, result.photo, size=size)
    write_head(folder, face, result.photo, texture)
    return describe(face, time.perf_counter() - start) | describe_texture(texture)


def describe_texture(texture: HeadTexture) -> dict[str, Any]:
    """What a report says of a head's texture, in plain JSON values.

    Args:
        texture: as it is written.
    """
    size = None if texture.albedo is None else texture.albedo.shape[0]
    return {"texture": {"size": size, "invented_share": round(texture.invented, 4)}}


def check_texture_size(size: int | None) -> None:
    """Refuse a texture that cannot be made.

    Args:
        size: height and width in pixels; None for what the photo needs.

    Raises:
        ParameterError: it is out of range.
    """
    least, most = LIMITS
    if size is not None and not least <= size <= most:
        raise ParameterError(f"texture_size must be from {least} to {most} pixels, got {size}")


def write_seen(folder: Path, face: FittedFace, photo: Photo, image: str) -> None:
    """Write `face.npz` and `overlay.png`: what a photo shows of a face, and how.

    Args:
        folder: where to.
        face: the fitted face.
        photo: that it was fitted to.
        image: where that came from.

    Raises:
        OutputError: the files cannot be written there.
    """
    extra = {"image": image, "quarter_turns": photo.turns, "report": describe(face, None)}
    save_parameters(
        folder / "face.npz", face.parameters, face.camera, model=face.model.name, extra=extra
    )
    write_image(folder / "overlay.png", draw_overlay(face, photo))


def _header(image: str, model: str | Path, result: FittedPhoto) -> dict[str, Any]:
    return {
        "image": image,
        "model": str(model),
        **describe_photo(result.photo),
        "versions": library_versions(),
        "pose_order": POSE_ORDER,
        "faces": [],
    }


def describe_photo(photo: Photo) -> dict[str, Any]:
    """What a report says of a photo, in plain JSON values.

    Args:
        photo: as it was fitted to.
    """
    height, width = photo.size
    return {
        "size": {"height": height, "width": width},
        "orientation": {
            "exif": photo.orientation,
            "quarter_turns_counter_clockwise": photo.turns,
        },
    }


def describe(face: FittedFace, write_seconds: float | None) -> dict[str, Any]:
    """What a report says of a face, in plain JSON values.

    Args:
        face: the fitted face.
        write_seconds: how long its files took; None where they are not written yet.
    """
    fit, error = face.fit, face.landmark_nme
    seconds = (
        face.seconds if write_seconds is None else face.seconds | {"write": round(write_seconds, 4)}
    )
    return {
        "box": [round(side, 2) for side in fit.landmarks.box],
        "stage": "linear" if face.pixels is None else "pixels",
        "converged": face.converged,
        "reason": face.reason,
        **({} if face.verdict is None else face.verdict.record()),
        "landmark_nme": round(error, 6) if math.isfinite(error) else None,
        "pose_degrees": {name: round(value, 3) for name, value in face.pose_degrees.items()},
        "distance_mm": round(-float(face.parameters.translation[0, 2]), 1),
        "focal_pixels": round(float(face.camera.focal.flatten()[0]), 2),
        **_describe_pixels(face),
        "seconds": seconds,
    }


def _describe_pixels(face: FittedFace) -> dict[str, Any]:
    """What only a fit of pixels knows."""
    seen = face.pixels
    if seen is None:
        return {}
    return {
        "photometric_rmse": round(seen.photometric_rmse[0], 6),
        "energies": {name: round(value, 4) for name, value in seen.energies.items()},
        "iterations": seen.iterations,
        "colour_gain": [round(value, 4) for value in seen.gain[0].tolist()],
        "grey": seen.grey[0],
    }
