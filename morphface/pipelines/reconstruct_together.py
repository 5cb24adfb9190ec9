"""Photos of one person in, a folder of files out: one head, and what each photo shows of it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.files import output_folder, write_json
from morphface.fit.texture.faces import head_texture_from_photos
from morphface.media.video.sequence import PICTURES
from morphface.parameters.io import library_versions
from morphface.pipelines.head_files import write_head
from morphface.pipelines.photo import Progress
from morphface.pipelines.reconstruct import (
    POSE_ORDER,
    check_texture_size,
    describe,
    describe_photo,
    describe_texture,
    write_seen,
)
from morphface.pipelines.together import FittedPhotos, Wishes, fit_photos

__all__ = ["list_photos", "reconstruct_together"]


def list_photos(inputs: Sequence[str | Path]) -> list[str]:
    """The photos in files and folders, those in a folder sorted by name.

    Args:
        inputs: files, folders, and samples.

    Raises:
        MissingFileError: a folder has no photo.
        ParameterError: a photo is there twice.
    """
    found: list[str] = []
    for given in map(str, inputs):
        found += _inside(Path(given)) if Path(given).is_dir() else [given]
    places = [given if given.startswith("sample:") else Path(given).resolve() for given in found]
    twice = next((name for n, name in enumerate(found) if places[n] in places[:n]), None)
    if twice is not None:
        raise ParameterError(f"{twice} is named twice; each photo counts once")
    return found


def _inside(folder: Path) -> list[str]:
    files = sorted(item for item in folder.iterdir() if item.is_file())
    photos = [
        str(item)
        for item in files
        if item.suffix.lower() in PICTURES and not item.name.startswith(".")
    ]
    if not photos:
        raise MissingFileError(
            f"there is no photo in {folder}; photos in folders end in {' '.join(sorted(PICTURES))}"
        )
    return photos


def reconstruct_together(
    images: Sequence[str | Path],
    out: str | Path,
    *,
    model: str | Path = "open-head",
    texture_size: int | None = None,
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
        progress: is told what begins now.
        wishes: `faces`, `focal`, `stage` and `device` of `fit_photos`.

    Returns:
        What `report.json` holds.

    Raises:
        OutputError: the folder cannot be written to; this is found out first.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    check_texture_size(texture_size)
    photos = list_photos(images)
    with output_folder(out) as folder:
        result = fit_photos(photos, model=model, progress=progress, **wishes)
        (progress or (lambda _: None))("writing the files")
        report = _header(photos, model, result)
        for number, image in enumerate(photos):
            report["faces"].append(_write_photo(folder, number, image, result))
        report |= _write_head(folder, result, texture_size)
        write_json(folder / "report.json", report)
    return report


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


def _write_photo(folder: Path, number: int, image: str, result: FittedPhotos) -> dict[str, Any]:
    start, name = time.perf_counter(), f"photo_{number}"
    face, photo = result.faces[number], result.photos[number]
    write_seen(folder / name, face, photo, image)
    told = describe(face, time.perf_counter() - start)
    return {"folder": name, "image": image, **describe_photo(photo), **told}


def _write_head(folder: Path, result: FittedPhotos, size: int | None) -> dict[str, Any]:
    """What the report says of the head, which is written."""
    chosen = result.trusted
    faces = [result.faces[n] for n in chosen]
    photos = [result.photos[n] for n in chosen]
    texture = head_texture_from_photos(faces, photos, size=size)
    write_head(folder, faces[0], photos[0], texture)
    return describe_texture(texture)
