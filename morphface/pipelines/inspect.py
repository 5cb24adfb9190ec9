"""What a dataset holds: a table of statistics, a contact sheet, and whether its files are whole."""

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from morphface.core.errors import DatasetError, ParameterError
from morphface.core.files import atomic_write
from morphface.fit.verdict import check_frame_kinds
from morphface.media.shards import ShardFolder, open_shards

__all__ = ["Inspected", "inspect_dataset"]

_ROWS = 12
_SIDE = 160
_EXPRESSIONS = 6
_REASONS = 10


@dataclass(frozen=True)
class Inspected:
    """What was seen.

    Args:
        rows: of a table: what, and its value.
        sheet: where the contact sheet is; None for a dataset without samples.
    """

    rows: list[tuple[str, str]]
    sheet: Path | None


def inspect_dataset(
    dataset: str | Path,
    sheet: str | Path | None = None,
    *,
    verify: bool = False,
    only: Sequence[str] = (),
    below: float | None = None,
) -> Inspected:
    """Look at a dataset; writes a contact sheet of frames with their maps.

    Args:
        dataset: the folder.
        sheet: where the sheet goes; by default `sheet.jpg` in the folder.
        verify: read all files and compare their checksums.
        only: show and count only samples that have one of these warnings, see
            `fit.verdict.FRAME_WARNINGS`, or "all"; none: every sample.
        below: show and count only samples of people with less quality than this, see
            `parameters.Track`.

    Raises:
        ParameterError: frames have no such warning, or there is no such quality.
        MissingFileError: there is no such folder.
        DatasetError: it is no finished dataset, files are damaged, which the message names, or no
            person of it has a quality.
        OutputError: the sheet cannot be written.
    """
    folder = open_shards(dataset)
    if verify:
        _check(folder)
    rows = list(_table(folder.manifest))
    if below is not None and not 0 < below <= 1:
        raise ParameterError(f"below must be above 0 and at most 1, got {below:g}")
    chosen = _chosen(folder, check_frame_kinds(tuple(only)), below)
    if only or below is not None:
        rows.insert(1, ("samples chosen", str(len(chosen))))
    if not chosen:
        return Inspected(rows, None)
    place = Path(sheet or folder.path / "sheet.jpg")
    with atomic_write(place) as temporary:
        Image.fromarray(_sheet(folder, chosen)).save(temporary, quality=90)
    return Inspected(rows, place)


def _check(folder: ShardFolder) -> None:
    damage = folder.damage()
    if damage:
        more = f" (and {len(damage) - 3} more)" if len(damage) > 3 else ""
        raise DatasetError(
            f"{folder.path} has {len(damage)} damaged files: {'; '.join(damage[:3])}{more}; give "
            "the `morphface prepare` that made it again to mend it"
        )


def _table(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    found = manifest["statistics"]
    yield "samples", str(manifest["samples"])
    yield "shards", f"{len(manifest['shards'])}, {manifest['bytes'] / 1e6:.1f} MB"
    for name, count in found["clips"].items():
        yield f"clips {name}", str(count)
    for rule, count in found.get("rejected_because", {}).items():
        yield "clips rejected", f"{count}: {rule}"
    people = {clip["source"].get("identity") for clip in manifest["clips"] if clip["samples"]}
    if manifest["settings"].get("corpus"):
        yield "people", str(len(people))
    yield "sequences", str(found["sequences"])
    for name, count in found["frames"].items():
        yield f"frames {name}", str(count)
    for name, words in (("lost_because", "lost"), ("left_out", "left out"), ("warnings", "warned")):
        for reason, count in found.get(name, {}).items():
            yield f"frames {words}", f"{count}: {reason}"
    if found.get("quality", [0])[0]:
        _, mean, low, high = found["quality"]
        yield "quality of people", f"{low:.2f} to {high:.2f}, mean {mean:.2f}"
    for name, (_, mean, low, high) in found["pose"].items():
        yield f"{name}, degrees", f"{low:+.1f} to {high:+.1f}, mean {mean:+.1f}"
    used = sorted(found["expression"].items(), key=lambda item: item[1][2] - item[1][3])
    for name, (_, mean, low, high) in used[:_EXPRESSIONS]:
        yield f"expression {name}", f"{low:.2f} to {high:.2f}, mean {mean:.2f}"
    yield "maps", ", ".join(manifest["windows"]["maps"])
    yield "size", f"{manifest['settings']['size']} pixels"
    yield "made with", ", ".join(f"{name} {value}" for name, value in manifest["versions"].items())
    yield from _reasons(manifest["clips"])


def _reasons(clips: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Why clips are missing: each reason with an example."""
    skipped = [clip for clip in clips if clip["outcome"] in ("skipped", "died")]
    reasons = Counter(clip["reason"].replace(clip["source"]["name"], "it") for clip in skipped)
    for reason, count in reasons.most_common(_REASONS):
        example = next(
            clip["source"]["name"]
            for clip in skipped
            if clip["reason"].replace(clip["source"]["name"], "it") == reason
        )
        yield "skipped", f"{count}, such as {example}: {reason}"
    for clip in clips:
        for warning in clip["warnings"][:1]:
            yield "note", f"{clip['source']['name']}: {warning}"


def _chosen(folder: ShardFolder, names: tuple[str, ...], below: float | None) -> Sequence[int]:
    """The samples that have one of the warnings and less quality; all, where nothing is asked."""
    if not names and below is None:
        return range(len(folder))

    def wanted(facts: dict[str, Any]) -> bool:
        quality = facts.get("quality")
        named = not names or bool(set(names) & set(facts.get("warnings", {})))
        return named and (below is None or (quality is not None and quality < below))

    facts = [json.loads(folder.read(sample, "json")) for sample in range(len(folder))]
    if below is not None and facts and all(one.get("quality") is None for one in facts):
        raise DatasetError(
            "no person of this dataset has a quality: prepare it anew by pixels (--stage pixels), "
            "or leave out below"
        )
    return [sample for sample, found in enumerate(facts) if wanted(found)]


def _sheet(folder: ShardFolder, chosen: Sequence[int]) -> UInt8[np.ndarray, "H W 3"]:
    """Frames spread over the samples, each with its maps beside it, two columns of them."""
    count = min(_ROWS, len(chosen))
    samples = [chosen[(2 * k + 1) * len(chosen) // (2 * count)] for k in range(count)]
    names = ["frame", *folder.manifest["windows"]["maps"]]
    rows = [np.hstack([_picture(folder, sample, name) for name in names]) for sample in samples]
    if len(rows) % 2:
        rows.append(np.full_like(rows[0], 255))
    half = len(rows) // 2
    gap = np.full((half * _SIDE, _SIDE // 10, 3), 255, dtype=np.uint8)
    return np.hstack([np.vstack(rows[:half]), gap, np.vstack(rows[half:])])


def _picture(folder: ShardFolder, sample: int, name: str) -> UInt8[np.ndarray, "S S 3"]:
    data = folder.read(sample, f"{name}.png")
    try:
        with Image.open(io.BytesIO(data)) as image:
            deep = image.mode.startswith("I")
            values = (np.asarray(image) >> 8).astype(np.uint8) if deep else np.asarray(image)
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError
        raise DatasetError(
            f"{name}.png of sample {folder.key(sample)} is damaged; `morphface inspect --verify` "
            "tells which shards are"
        ) from error
    picture = Image.fromarray(values).convert("RGB")
    return np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
