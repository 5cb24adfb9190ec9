"""Who is lost, mixed up or made up in clips with fades, cuts, flashes, hands and crossing people?

    python -m benchmarks.bench_clips [--before REVISION [--alone]] [--cache FOLDER] [--kept]

Clips are made by `benchmarks/trouble.py`. For each: the share of clear faces that are tracked (the
frames in which the untouched material shows them), the longest run of frames in which a clear face
is lost, how often a number passes from one person to another or a person from one number to
another, and numbers that are nobody's. With `--before`, the same by the code of another revision,
which `before` names; what was reported of it stays where it is not run. `--alone` runs that one
only: of this code, what was reported stays.
Clips that the cache has are not run again: delete `now.jsonl` in it after a change of the tracker.
Targets: no clear face lost for more than 5 frames, no switch, nobody made up.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import RESULTS, report, seed
from benchmarks.trouble import HALVES, Trouble, troubles
from morphface.fit import video as tracking
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.media.video import Frame
from morphface.models import MorphableModel, load_model
from morphface.parameters import LOST, TRACKED, Track

KEYS = 32
_COMPARED = ("tracked_share", "longest_loss", "switches", "false_people")
NEAR = 50.0  # pixels between a true face and the box of whose it is


def frames_of(trouble: Trouble) -> Iterator[Frame]:
    """The frames as a video gives them."""
    for index, picture in enumerate(trouble.shot.pictures):
        pixels = torch.from_numpy(np.clip(picture, 0, 255).round().astype(np.uint8))
        yield Frame(Photo(pixels), index, index / 25)


def tracked(trouble: Trouble, model: MorphableModel) -> dict[int, Track]:
    """The people that are found in a clip, as `morphface track` does it."""
    frames = list(frames_of(trouble))
    keys = [frames[(2 * k + 1) * len(frames) // (2 * KEYS)] for k in range(KEYS)]
    settings = tracking.VideoSettings(people=trouble.people)
    collector = tracking.TrackCollector()
    for one in tracking.fit_video(frames, model, key_frames=keys, settings=settings):
        collector.add(one)
    if hasattr(tracking, "look_back"):
        with MediaPipeDetector() as detector:
            tracking.look_back(frames, collector, settings, detector)
    found = {number: collector.track(number) for number in collector.people}
    return {number: track for number, track in found.items() if track.count(LOST) < track.frames}


def judged(trouble: Trouble, tracks: dict[int, Track]) -> dict[str, Any]:
    """What is right and wrong in the tracks of a clip."""
    owners: dict[int, list[str]] = {number: [] for number in tracks}
    numbers: dict[str, list[int]] = {}
    clear, hits, worst = 0, 0, 0
    runs: Counter[str] = Counter()
    for k, faces in enumerate(trouble.shot.faces):
        found = {number: _spot(track, k) for number, track in tracks.items()}
        for name, place in faces.items():
            clear += 1
            mine = [n for n, spot in found.items() if spot and _apart(spot, place) < NEAR]
            hits += bool(mine)
            runs[name] = 0 if mine else runs[name] + 1
            worst = max(worst, runs[name])
            if mine:
                numbers.setdefault(name, []).append(mine[0])
                owners[mine[0]].append(name)
    return {
        "case": trouble.name,
        "frames": len(trouble.shot),
        "people": trouble.people,
        "tracked_share": round(hits / max(clear, 1), 3),
        "longest_loss": worst,
        "switches": sum(map(_changes, owners.values())) + sum(map(_changes, numbers.values())),
        "false_people": sum(not names for names in owners.values()),
        "found_people": len(tracks),
    }


def _changes(values: list[Any]) -> int:
    return sum(a != b for a, b in zip(values, values[1:], strict=False))


def _spot(track: Track, k: int) -> tuple[float, float] | None:
    if int(track.states[k]) != TRACKED:
        return None
    left, top, right, bottom = track.boxes[k].tolist()
    return (left + right) / 2, (top + bottom) / 2


def _apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def run_all(kept: Path, *, failures: bool = False) -> list[dict[str, Any]]:
    """All clips of both halves by the code of this process; those that are kept are not run.

    Args:
        kept: a file with a line for each clip that was run, which is added to.
        failures: whether a clip that the code fails on is kept with what it says.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    cases = read(kept)
    done = {(case["half"], case["case"]) for case in cases}
    model = load_model()
    for half in reversed(HALVES):
        for trouble in troubles(half):
            if (half, trouble.name) not in done:
                cases.append({"half": half} | _run(trouble, model, failures=failures))
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(cases[-1]) + "\n")
    return cases


def _run(trouble: Trouble, model: MorphableModel, *, failures: bool) -> dict[str, Any]:
    try:
        return judged(trouble, tracked(trouble, model))
    except Exception as error:
        if not failures:
            raise
        return {"case": trouble.name, "failed": f"{type(error).__name__}: {error}"}


def read(kept: Path) -> list[dict[str, Any]]:
    """What was kept of a run."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    return [json.loads(line) for line in lines]


def run_before(revision: str, cache: Path) -> None:
    """The same by the code of another revision."""
    here = Path(__file__).parents[1]
    root = cache / "revisions" / revision
    if not root.exists():
        root.mkdir(parents=True)
        tree = _git(here, "archive", revision, "morphface")
        subprocess.run(["tar", "-x", "-C", str(root)], input=tree, check=True)
    environment = {**os.environ, "PYTHONPATH": f"{root.resolve()}{os.pathsep}{here}"}
    kept = (cache / f"{revision}.jsonl").resolve()
    command = [sys.executable, "-P", "-m", "benchmarks.bench_clips", "--to", str(kept)]
    subprocess.run(command, env=environment, check=True)


def _git(here: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=here, capture_output=True, check=True).stdout


def _reported() -> list[dict[str, Any]]:
    """What was reported before."""
    path = RESULTS / "clips.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def compared(case: dict[str, Any], revision: str) -> dict[str, Any]:
    """What is told of a clip by the code of another revision.

    Args:
        case: what `run_all` says of it.
        revision: its name.
    """
    names = [name for name in ("failed", *_COMPARED) if name in case]
    return {"revision": revision, **{name: case[name] for name in names}}


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", help="a git revision to compare with")
    parser.add_argument("--cache", type=Path, default=Path("clips-cache"))
    parser.add_argument(
        "--kept", action="store_true", help="report what the cache has, run nothing"
    )
    parser.add_argument("--alone", action="store_true", help="run that revision only")
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    seed()
    if wishes.to:
        run_all(wishes.to, failures=True)
        return
    now = wishes.cache / "now.jsonl"
    if not wishes.kept and not wishes.alone:
        run_all(now)
    if not wishes.kept and wishes.before:
        run_before(wishes.before, wishes.cache)
    reported = {(case["half"], case["case"]): case for case in _reported()}
    cases = list(reported.values()) if wishes.alone else read(now)
    kept = read(wishes.cache / f"{wishes.before}.jsonl")
    old = {(case["half"], case["case"]): compared(case, wishes.before) for case in kept}
    for case in cases:
        key = (case["half"], case["case"])
        case["before"] = old.get(key) or reported.get(key, {}).get("before")
    report("clips", cases)


if __name__ == "__main__":
    main()
