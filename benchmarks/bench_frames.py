"""Is any frame of a clip missing from a dataset without a word?

    python -m benchmarks.bench_frames [--stage linear|pixels] [--cache FOLDER]

Sixty short clips are prepared: those of `benchmarks/trouble.py` around what happens in them, parts
of the shared clips, and such as cannot give anything: no face, one frame, cut off, no video. Every
frame must be a sample of each person of its clip, or be counted there with a reason; a clip without
samples must say why; the sums of the manifest must be those of its clips.

- `clip`: frames that were read, and of each person how many are samples, lost or left out, by
  reason. `unexplained` is what is missing then.
- `all`: the sums, and how many clips have something unexplained, which should be none.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clips import FILM, FOLDER, HEAD, cut
from benchmarks.common import DATA, report, seed
from benchmarks.trouble import HALVES, Trouble, troubles
from morphface.core.errors import MorphfaceError
from morphface.media.images import read_image
from morphface.media.video import VideoWriter, read_video
from morphface.parameters import STATES
from morphface.pipelines.prepare import PrepareSettings, prepare

CLIPS = 60
LONGEST = 10  # frames of a clip
RATE = 25.0


def write(path: Path, pictures: list[np.ndarray]) -> None:
    """Pictures, 0 to 255, as a clip."""
    with VideoWriter(path, pictures[0].shape[:2], RATE) as writer:
        for number, picture in enumerate(pictures):
            writer.write(torch.from_numpy(picture / 255).float(), number / RATE)


def shortened(trouble: Trouble) -> list[np.ndarray]:
    """Frames evenly over a clip, the same ones for whoever makes it."""
    count = len(trouble.shot)
    chosen = np.unique(np.linspace(0, count - 1, min(LONGEST, count)).round().astype(int))
    return [trouble.shot.pictures[k] for k in chosen]


def make(folder: Path) -> None:
    """All clips."""
    folder.mkdir(parents=True, exist_ok=True)
    made = chain(_of_troubles(folder), _odd(folder), _of_films(folder))
    for _ in islice(made, CLIPS):
        pass


def _of_troubles(folder: Path) -> Iterator[Path]:
    for half in HALVES:
        for trouble in troubles(half):
            name = "".join(c if c.isalnum() else "_" for c in trouble.name)
            path = folder / f"{half}_{name}.mp4"
            write(path, shortened(trouble))
            yield path


def _odd(folder: Path) -> Iterator[Path]:
    rocket = read_image(DATA / "photos" / "noface_rocket.jpg").to_uint8().numpy()
    write(folder / "nobody.mp4", [rocket.astype(float)[:426, :640]] * 8)
    yield folder / "nobody.mp4"
    cut(FOLDER / HEAD, folder / "one_frame.mp4", 100, 1)
    yield folder / "one_frame.mp4"
    whole = (FOLDER / HEAD).read_bytes()
    (folder / "cut_off.mp4").write_bytes(whole[: len(whole) // 20])
    yield folder / "cut_off.mp4"
    (folder / "no_video.mp4").write_bytes(b"nothing to see here" * 100)
    yield folder / "no_video.mp4"


def _of_films(folder: Path) -> Iterator[Path]:
    for number in range(CLIPS):
        source, length = ((HEAD, 765), (FILM, 241))[number % 3 == 2]
        path = folder / f"part_{number:02d}.mp4"
        cut(FOLDER / source, path, (number * 37) % (length - LONGEST), LONGEST)
        yield path


def frames_in(path: Path) -> int:
    """Frames that can be read of a file; 0 if it is none."""
    try:
        with read_video(path) as video:
            return sum(1 for _ in video)
    except MorphfaceError:
        return 0


def accounted(record: dict[str, Any], frames: int) -> dict[str, Any]:
    """What became of the frames of a clip."""
    people = []
    missing = 0
    for sequence in record["sequences"]:
        states = sequence["statistics"]["frames"]
        samples = sum(length for _, length in sequence["runs"])
        lost, left = sequence["lost_because"], sequence["left_out"]
        named = samples + sum(lost.values()) + sum(left.values())
        missing += abs(frames - named) + abs(frames - sum(states[name] for name in STATES))
        people.append({"samples": samples, "lost": lost, "left_out": left})
    missing += abs(record["samples"] - sum(one["samples"] for one in people))
    if not record["sequences"]:
        missing += 0 if record["reason"] else max(frames, 1)
    return {
        "case": "clip",
        "name": record["source"]["name"],
        "frames": frames,
        "outcome": record["outcome"],
        "reason": record["reason"],
        "people": people,
        "unexplained": missing,
    }


def sums(manifest: dict[str, Any], cases: list[dict[str, Any]]) -> dict[str, Any]:
    """What the manifest says of all clips, beside what its clips say."""
    people = [one for case in cases for one in case["people"]]
    lost = sum((Counter(one["lost"]) for one in people), Counter())
    said = manifest["statistics"]
    samples = sum(one["samples"] for one in people)
    return {
        "case": "all",
        "clips": len(cases),
        "outcomes": said["clips"],
        "frames": sum(case["frames"] for case in cases),
        "samples": samples,
        "lost": dict(lost.most_common()),
        "clips_with_unexplained": sum(case["unexplained"] > 0 for case in cases),
        "sums_agree": samples == manifest["samples"]
        and dict(lost) == said["lost_because"]
        and sum(said["clips"].values()) == len(cases),
        "target": "60 clips, nothing unexplained, sums agree",
    }


def main() -> None:
    """Prepare, count and report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stage", default="linear", choices=("linear", "pixels"))
    parser.add_argument("--cache", type=Path, help="where clips and dataset stay, to go on there")
    wishes = parser.parse_args()
    seed()
    with tempfile.TemporaryDirectory() as name:
        folder = wishes.cache or Path(name)
        clips = folder / "clips"
        if not clips.exists():
            make(clips)
        settings = PrepareSettings(stage=wishes.stage, people=2)
        made = prepare([str(clips)], str(folder / wishes.stage), settings, workers=1)
        cases = [
            accounted(record, frames_in(clips / record["source"]["name"]))
            for record in made.manifest["clips"]
        ]
    cases.append(sums(made.manifest, cases))
    report("frames", [{"stage": wishes.stage} | case for case in cases])


if __name__ == "__main__":
    main()
