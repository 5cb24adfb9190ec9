"""Many photos in, a folder for each out, with one report and one table of parameters for all.

Photos go to processes that load models and detector once. What is done is noted in a journal, a
line a photo, so that a run that is repeated goes on; what cannot be fitted is noted, too, and
skipped. Nothing heavy is imported here: the processes do that.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphface.core.errors import MorphfaceError, OutputError
from morphface.core.files import atomic_write, write_json
from morphface.core.lean import import_alone
from morphface.core.tasks import Died, Executor, Finished, Task, Tell, Told
from morphface.core.tasks.pool import Pool
from morphface.core.version import __version__
from morphface.media.header import check_picture, read_file, sample_path
from morphface.pipelines.listing import list_photos
from morphface.pipelines.wishes import check_outputs, check_texture_size

__all__ = ["JOURNAL", "Advance", "reconstruct_many"]

JOURNAL = "fits.jsonl"
"""Of a folder of fits: what is known of each photo, in the order in which they were done."""

Advance = Callable[[int, int, str], None]
"""Is told how many photos are done, of how many, and what went wrong with the last, or ""."""


@dataclass(frozen=True)
class _Photo:
    """A picture, the folder of its results, and what they depend on."""

    image: str
    folder: str
    key: str


def reconstruct_many(
    images: Sequence[str | Path],
    out: str | Path,
    *,
    workers: int = 2,
    advance: Advance | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Fit the faces of many photos, each on its own, and write what was found to one folder.

    Each photo gets a folder of its name in `out`, as `reconstruct` fills it; `report.json` and
    `parameters.csv` tell of all. A photo that was fitted with the same settings before is not
    fitted again. One that cannot be fitted is skipped: its entry in the report has an `error`.

    Args:
        images: files, folders, patterns and samples.
        out: the folder, made if it is missing.
        workers: how many processes fit.
        advance: is told how far it is.
        options: the arguments of `reconstruct`.

    Returns:
        What `report.json` holds.

    Raises:
        OutputError: the folder cannot be written to.
        MorphfaceError: an option is wrong, or there is no photo.
    """
    check_texture_size(options.get("texture_size"))
    check_outputs(options.get("only", ()))
    folder, photos = Path(out), _named(list_photos(images), options)
    tell = advance or (lambda done, of, wrong: None)
    known = {photo.key: entry for photo, entry in _known(folder, photos)}
    tell(len(known), len(photos), "")
    todo = [photo for photo in photos if photo.key not in known]
    pool = Pool(max(1, min(workers, len(todo))))
    try:
        for entry in _fitted(pool, folder, todo, options):
            known[entry["key"]] = entry
            _note(folder, entry)
            tell(len(known), len(photos), _complaint(entry))
    finally:
        pool.close()
    return _conclude(folder, [known[photo.key] for photo in photos])


def fit_one(image: str, folder: str, options: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """What one process does with one photo: its entry in the journal.

    Args:
        image: which one.
        folder: where to write.
        options: the arguments of `reconstruct`.
        tell: of the task; there is nothing to tell on the way.

    Raises:
        MorphfaceError: the photo cannot be fitted.
    """
    import_alone()
    from morphface.exchange.tables import parameter_table
    from morphface.pipelines.reconstruct import fit_and_write

    report, result = fit_and_write(image, folder, **options)
    tables = [parameter_table(face.model, face.parameters, face.camera) for face in result.faces]
    rows = [[f"{value:.9g}" for value in row[0].tolist()] for _, row in tables]
    return {"report": report, "columns": tables[0][0], "rows": rows}


def _named(images: Sequence[str], options: Mapping[str, Any]) -> list[_Photo]:
    """A folder for each photo, of its name; photos of one name are numbered."""
    taken: dict[str, int] = {}
    photos = []
    for image in images:
        stem = Path(image.removeprefix("sample:")).stem
        taken[stem] = taken.get(stem, 0) + 1
        name = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        photos.append(_Photo(image, name, _key(image, name, options)))
    return photos


def _key(image: str, name: str, options: Mapping[str, Any]) -> str:
    """The same for the same picture and settings."""
    asked = {key: value for key, value in options.items() if key != "progress"}
    digest = hashlib.sha256(json.dumps([__version__, name, asked], default=str).encode())
    try:
        path = sample_path(image) if image.startswith("sample:") else Path(image)
        digest.update(read_file(path))
    except MorphfaceError:
        digest.update(image.encode())
    return digest.hexdigest()[:32]


def _known(folder: Path, photos: Sequence[_Photo]) -> Iterator[tuple[_Photo, dict[str, Any]]]:
    """Photos that were fitted before and whose folder is still there."""
    journal = folder / JOURNAL
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []
    entries: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # the last line of a run that was killed
            continue
        if "error" not in entry:
            entries[entry["key"]] = entry
    for photo in photos:
        if photo.key in entries and (folder / photo.folder).is_dir():
            yield photo, entries[photo.key] | {"image": photo.image}


def _fitted(
    pool: Executor, folder: Path, photos: Sequence[_Photo], options: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The entries of photos, as they are done; bad files need no process."""
    waiting = {photo.key: photo for photo in photos}
    for photo in photos:
        try:
            check_picture(photo.image)
        except MorphfaceError as error:
            yield _entry(photo, {"error": str(error)})
            continue
        place = str(folder / photo.folder)
        pool.submit(Task(photo.key, fit_one, (photo.image, place, dict(options))))
    for event in pool.events():
        if isinstance(event, Told):
            continue
        photo = waiting[event.task.name]
        if isinstance(event, Finished):
            yield _entry(photo, event.value)
        elif isinstance(event, Died):
            yield _entry(photo, {"error": event.reason})
        elif isinstance(event.error, MorphfaceError) and not isinstance(event.error, OutputError):
            yield _entry(photo, {"error": str(event.error)})
        else:
            raise event.error


def _entry(photo: _Photo, found: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": photo.key, "image": photo.image, "folder": photo.folder, **found}


def _complaint(entry: Mapping[str, Any]) -> str:
    if "error" not in entry:
        return ""
    told = str(entry["error"])
    return told if entry["image"] in told else f"{entry['image']}: {told}"


def _note(folder: Path, entry: Mapping[str, Any]) -> None:
    """Add a line to the journal."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}") from error


def _conclude(folder: Path, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write what is known of all photos, in the order in which they were named."""
    report = {
        "photos": [
            {"image": entry["image"], "folder": entry["folder"]}
            | ({"error": entry["error"]} if "error" in entry else entry["report"])
            for entry in entries
        ],
        "failed": sum("error" in entry for entry in entries),
    }
    write_json(folder / "report.json", report)
    done = [entry for entry in entries if "error" not in entry]
    if done:
        with atomic_write(folder / "parameters.csv") as place, place.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("image", "folder", "face", *done[0]["columns"]))
            for entry in done:
                for number, row in enumerate(entry["rows"]):
                    writer.writerow((entry["image"], entry["folder"], number, *row))
    return report
