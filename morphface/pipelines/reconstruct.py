"""A photo in, a folder of files out: parameters, report, overlay and head."""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from morphface.core.files import output_folder, write_json
from morphface.core.threads import one_torch_thread
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.fit.verdict import check_kinds
from morphface.media.images import Photo, PictureSource, name_of, write_image
from morphface.parameters import save_parameters
from morphface.parameters.io import library_versions
from morphface.pipelines.detailed import describe_detail, detailed, write_detail
from morphface.pipelines.kept import keep
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.pipelines.verdicts import refuse_warned
from morphface.pipelines.wishes import OUTPUTS, check_detail, check_outputs, check_texture_size

if TYPE_CHECKING:
    from morphface.fit.texture import HeadTexture
    from morphface.generate.implicit import Implicit
    from morphface.rerender import ImplicitHead

__all__ = [
    "POSE_ORDER",
    "Writing",
    "describe",
    "describe_photo",
    "describe_texture",
    "fit_and_write",
    "reconstruct",
    "write_face",
    "write_seen",
]

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
    only: Sequence[str] = (),
    detail: bool = False,
    implicit: str | Path | None = None,
    openpose: bool = False,
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
        only: what to write of "parameters", "report", "overlay", "glb" and "obj"; all if empty.
        detail: whether relief that is finer than the model is told from shading: it is in
            `head.glb` and the overlay, and in `displacement.png` and `normals.png`.
        implicit: a run of `morphface train implicit`: its network finds the whole head, hair
            included, for `implicit.ply`, and for `head.glb` in place of the shell of hair.
        openpose: whether the landmarks that were found are written as OpenPose does, for all faces
            in one `openpose.json` in `out`, in pixels of the picture as it is shown.
        progress: is told what begins now.
        wishes: the other arguments of `fit_photo`.

    Returns:
        What `report.json` holds.

    Raises:
        OutputError: the folder cannot be written to; this is found out first.
        ParameterError: `texture_size` is out of range, or `only` names something else.
        VerdictError: a face has a warning for which it shall be refused; nothing is written.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    wanted: Any = {"texture_size": texture_size, "strict": strict, "only": only, "detail": detail}
    wanted |= {"implicit": implicit, "openpose": openpose}
    asked = {"faces": faces, "model": model, "progress": progress, **wanted, **wishes}
    return fit_and_write(image, out, **asked)[0]


def fit_and_write(
    image: PictureSource, out: str | Path, **asked: Any
) -> tuple[dict[str, Any], FittedPhoto]:
    """What `reconstruct` does and returns, and the fit that was written.

    Args:
        image: as of `reconstruct`.
        out: the same.
        asked: its other arguments.
    """
    texture_size, strict = asked.pop("texture_size", None), asked.pop("strict", ())
    detail, openpose = asked.pop("detail", False), asked.pop("openpose", False)
    check_texture_size(texture_size)
    check_detail(detail, asked.get("stage", "pixels"))
    network = _network(asked.pop("implicit", None))
    wanted = check_outputs(asked.pop("only", ()))
    model, faces = asked.get("model", "open-head"), asked.get("faces", "largest")
    tell = asked.get("progress") or (lambda _: None)
    with output_folder(out) as folder:
        check_kinds(tuple(strict))
        result = fit_photo(image, **asked)
        refuse_warned(result.faces, strict)
        result = _with_detail(result, tell) if detail else result
        report = _header(name_of(image), model, result)
        report["camera"] = UNKNOWN_CAMERA if asked.get("camera") is None else "as given"
        for index, face in enumerate(result.faces):
            tell("writing the files")
            inner = f"face_{index}" if faces == "all" else "."
            found = None if network is None else _implicit(face, result.photo, network, tell)
            job = Writing(face, result.photo, name_of(image), texture_size, wanted, found)
            report["faces"].append({"folder": inner, **write_face(folder / inner, job)})
        if openpose:
            from morphface.pipelines.landmark_files import write_landmarks  # as most fits want none

            write_landmarks(folder, result.faces, result.photo)
        if "report" in wanted:
            write_json(folder / OUTPUTS["report"], report)
    return report, result


def _network(run: str | Path | None) -> "Implicit | None":
    """The trained network of an implicit head, if one is asked for."""
    if run is None:
        return None
    from morphface.pipelines.implicit import open_implicit  # here, as most fits want none

    return open_implicit(run)


def _implicit(
    face: FittedFace, photo: Photo, network: "Implicit", tell: Progress
) -> "ImplicitHead":
    """What the network makes of a fitted face."""
    from morphface.rerender import implicit_head

    tell("looking for the head's surface")
    return implicit_head(face, photo, network)


def _with_detail(result: FittedPhoto, tell: Progress) -> FittedPhoto:
    """The faces of a photo, each with the relief that it shows."""
    tell("looking at wrinkles")
    faces = tuple(detailed([face], [result.photo])[0] for face in result.faces)
    return replace(result, faces=faces)


@dataclass(frozen=True, eq=False)
class Writing:
    """What is to be written of a face.

    Args:
        face: the fitted face.
        photo: that it was fitted to.
        image: where that came from.
        texture_size: as asked for.
        wanted: names of `OUTPUTS`.
        implicit: the head with its hair, where that was asked for.
    """

    face: FittedFace
    photo: Photo
    image: str
    texture_size: int | None
    wanted: frozenset[str]
    implicit: "ImplicitHead | None" = None


def write_face(folder: Path, job: Writing) -> dict[str, Any]:
    """Write the files of a face, the overlay beside the head; what the report says of it.

    Args:
        folder: where to.
        job: what.

    Raises:
        OutputError: the files cannot be written there.
    """
    start, told = time.perf_counter(), {}
    with one_torch_thread(), ThreadPoolExecutor(1) as beside:  # one thread for each of the two
        seen = beside.submit(write_seen, folder, job)
        if job.wanted & {"glb", "obj"}:
            told = _write_textured(folder, job)
        seen.result()
    if job.face.detail is not None:
        write_detail(folder, job.face.detail)
    if job.implicit is not None:
        told |= _write_implicit(folder, job.implicit)
    return describe(job.face, time.perf_counter() - start) | told | describe_detail(job.face)


def _write_implicit(folder: Path, found: "ImplicitHead") -> dict[str, Any]:
    from morphface.pipelines.implicit import describe_implicit, write_implicit

    write_implicit(folder, found)
    return describe_implicit(found)


def _write_textured(folder: Path, job: Writing) -> dict[str, Any]:
    """The files that carry a texture, whose libraries only they need."""
    from morphface.pipelines.head_files import write_head

    kinds, size = job.wanted & {"glb", "obj"}, job.texture_size
    seen = [job.face], [job.photo]
    return describe_texture(write_head(folder, *seen, kinds, size=size, implicit=job.implicit))


def describe_texture(texture: "HeadTexture") -> dict[str, Any]:
    """What a report says of a head's texture, in plain JSON values.

    Args:
        texture: as it is written.
    """
    size = None if texture.albedo is None else texture.albedo.shape[0]
    return {"texture": {"size": size, "invented_share": round(texture.invented, 4)}}


def write_seen(folder: Path, job: Writing) -> None:
    """Write `face.npz` and `overlay.png`: what a photo shows of a face, and how.

    Args:
        folder: where to.
        job: what; of the files those two that are wanted.

    Raises:
        OutputError: the files cannot be written there.
    """
    face, photo = job.face, job.photo
    if "parameters" in job.wanted:
        extra = {"image": job.image, "quarter_turns": photo.turns, "report": describe(face, None)}
        place, name = folder / OUTPUTS["parameters"], face.model.name
        kept, arrays = keep(face, photo)
        save_parameters(
            place, face.parameters, face.camera, model=name, extra=extra | kept, arrays=arrays
        )
    if "overlay" in job.wanted:
        from morphface.pipelines.overlay import draw_overlay

        write_image(folder / OUTPUTS["overlay"], draw_overlay(face, photo))


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
