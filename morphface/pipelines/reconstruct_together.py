"""Photos of one person in, a folder of files out: one head, and what each photo shows of it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from morphface.core.files import output_folder, write_json
from morphface.parameters.io import library_versions
from morphface.pipelines.detailed import describe_detail, detailed, write_detail
from morphface.pipelines.head_files import write_head
from morphface.pipelines.listing import list_photos
from morphface.pipelines.photo import Progress
from morphface.pipelines.reconstruct import (
    POSE_ORDER,
    Writing,
    describe,
    describe_photo,
    describe_texture,
    write_seen,
)
from morphface.pipelines.together import FittedPhotos, Wishes, fit_photos
from morphface.pipelines.wishes import OUTPUTS, check_detail, check_outputs, check_texture_size

__all__ = ["reconstruct_together"]


def reconstruct_together(
    images: Sequence[str | Path],
    out: str | Path,
    *,
    model: str | Path = "open-head",
    texture_size: int | None = None,
    only: Sequence[str] = (),
    detail: bool = False,
    openpose: bool = False,
    progress: Progress | None = None,
    **wishes: Unpack[Wishes],
) -> dict[str, Any]:
    """Fit several photos of one person together and write what was found to a folder.

    The head is written to `out` itself, with the texture that the trusted photos show together and
    the expression of the first of them; parameters and overlay of each photo to a folder `photo_0`,
    `photo_1`, ... in it, all with the same identity and reflectance; there is one `report.json`, in
    `out`. Nothing appears in `out` before all is done.

    Args:
        images: paths of pictures and of folders of pictures.
        out: the folder, made if it is missing; files of the same names are replaced.
        model: as in `fit_photos`.
        texture_size: as in `reconstruct`.
        only: as in `reconstruct`.
        detail: the same; the trusted photos show one relief together.
        openpose: as in `reconstruct`, a file in the folder of each photo.
        progress: is told what begins now.
        wishes: `faces`, `focal`, `stage` and `device` of `fit_photos`.

    Returns:
        What `report.json` holds.

    Raises:
        OutputError: the folder cannot be written to; this is found out first.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    check_texture_size(texture_size)
    check_detail(detail, wishes.get("stage", "pixels"))
    wanted = check_outputs(only)
    photos = list_photos(images)
    with output_folder(out) as folder:
        result = fit_photos(photos, model=model, progress=progress, **wishes)
        result = _with_detail(result) if detail else result
        (progress or (lambda _: None))("writing the files")
        report = _header(photos, model, result)
        for number, image in enumerate(photos):
            report["faces"].append(_write_photo(folder, number, image, result, wanted))
            if openpose:
                from morphface.pipelines.landmark_files import write_landmarks

                inner = folder / report["faces"][-1]["folder"]
                write_landmarks(inner, [result.faces[number]], result.photos[number])
        kinds = wanted & {"glb", "obj"}
        report |= _write_head(folder, result, texture_size, kinds) if kinds else {}
        if "report" in wanted:
            write_json(folder / OUTPUTS["report"], report)
    return report


def _with_detail(result: FittedPhotos) -> FittedPhotos:
    """All faces with the relief that the trusted photos show, these in poses that agree."""
    chosen = result.trusted
    told = detailed([result.faces[n] for n in chosen], [result.photos[n] for n in chosen])
    aligned = dict(zip(chosen, told, strict=True))
    faces = (aligned.get(n, face) for n, face in enumerate(result.faces))
    return replace(result, faces=tuple(replace(f, detail=told[0].detail) for f in faces))


def _header(photos: Sequence[str], model: str | Path, result: FittedPhotos) -> dict[str, Any]:
    return {
        "images": list(photos),
        "model": str(model),
        "converged": result.converged,
        "photos_of_head": list(result.trusted),
        "versions": library_versions(),
        "pose_order": POSE_ORDER,
        "faces": [],
    }


def _write_photo(
    folder: Path, number: int, image: str, result: FittedPhotos, wanted: frozenset[str]
) -> dict[str, Any]:
    start, name = time.perf_counter(), f"photo_{number}"
    face, photo = result.faces[number], result.photos[number]
    write_seen(folder / name, Writing(face, photo, image, None, wanted))
    told = describe(face, time.perf_counter() - start)
    return {"folder": name, "image": image, **describe_photo(photo), **told}


def _write_head(
    folder: Path, result: FittedPhotos, size: int | None, kinds: frozenset[str]
) -> dict[str, Any]:
    """What the report says of the head, which is written."""
    chosen = result.trusted
    faces = [result.faces[n] for n in chosen]
    photos = [result.photos[n] for n in chosen]
    texture = write_head(folder, faces, photos, kinds, size=size)
    if faces[0].detail is not None:
        write_detail(folder, faces[0].detail)
    return describe_texture(texture) | describe_detail(faces[0])
