"""How long does a command take, from the return key to its last file?

Whole processes with warm caches, the median of five, each case in turn for every version compared:
`--beside before=PATH` runs the same commands with the package at PATH, a checkout of an older
commit. Beside seconds stand processor seconds of user and system, which a busy machine changes
less; `load` is what else ran. Of fits the report says how long reading, finding, fitting and
writing took; what is left of the process is imports and start.

Peers that run from a shell here: MediaPipe's landmarks alone, and eos (the 68-point fit of the
Surrey model and its texture) on MediaPipe's landmarks, where `EOS_SHARE` names the folder `share`
of its repository.

    python -m benchmarks.bench_shell --beside before=../before [--runs 5] [--only NAMES]
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from benchmarks.common import DATA, RESULTS, report

ROOT = Path(__file__).parents[1]
RUNS = 5
MANY = 20
MEGAPIXEL = 816, 1225  # of the portrait, 2:3
TARGETS = {  # seconds on two quiet cores
    "help": 0.2,
    "refusal": 0.5,
    "parameters": 2.5,
    "everything": 4.0,
    "many, a photo": 1.2,
    "edit a fit": 2.5,
}

PEER_LANDMARKS = """
import sys, mediapipe
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision
options = vision.FaceLandmarkerOptions(base_options=tasks.BaseOptions(model_asset_path=sys.argv[1]))
with vision.FaceLandmarker.create_from_options(options) as finder:
    found = finder.detect(mediapipe.Image.create_from_file(sys.argv[2])).face_landmarks[0]
print(len(found))
"""


@dataclass(frozen=True)
class Run:
    """What a process took, and what the report of a fit says of its parts."""

    seconds: float
    processor: float
    parts: dict[str, float]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="", help="names of cases, with ';' between them")
    options = parser.parse_args()
    versions = {"after": ROOT} | {
        name: Path(path) for name, path in (text.split("=") for text in options.beside)
    }
    with TemporaryDirectory() as place:
        cases = _cases(_photos(Path(place)))
        chosen = options.only.split(";") if options.only else list(cases)
        found = [_case(name, cases[name], versions, options.runs) for name in chosen]
        found += [] if options.only else _peers(Path(place), options.runs)
    file, new = RESULTS / "shell.json", {case["case"] for case in found}
    old = json.loads(file.read_text()) if options.only and file.is_file() else []
    report("shell", [case for case in old if case["case"] not in new] + found)


def _photos(place: Path) -> Path:
    """A folder with a photo of one megapixel, twenty photos, and a file that is none."""
    portrait = Image.open(DATA / "photos" / "woman_portrait.jpg").convert("RGB")
    portrait.resize(MEGAPIXEL, Image.Resampling.LANCZOS).save(place / "photo.jpg", quality=92)
    (place / "bad.jpg").write_bytes(b"")
    (place / "many").mkdir()
    names = ["astronaut.png", "glasses_frontal.jpg", "grace_hopper.jpg", "sunglasses_selfie.jpg"]
    for number in range(MANY):
        source = DATA / "photos" / names[number % len(names)]
        shutil.copy(source, place / "many" / f"{number:02d}{source.suffix}")
    return place


def _cases(place: Path) -> dict[str, Callable[[Path], list[str] | None]]:
    """The words of each command, for a folder to write to; None where a version has no such."""
    photo, fit = str(place / "photo.jpg"), place / "fit"
    return {
        "help": lambda _: ["--help"],
        "refusal": lambda out: ["fit", str(place / "bad.jpg"), "-o", str(out)],
        "parameters": lambda out: ["fit", photo, "-o", str(out), "--only", "parameters,report"],
        "everything": lambda out: ["fit", photo, "-o", str(out)],
        "many, a photo": lambda out: ["fit", str(place / "many"), "-o", str(out)],
        "many, parameters, a photo": lambda out: [
            *("fit", str(place / "many"), "-o", str(out), "--only", "parameters,report")
        ],
        "edit a photo": lambda out: ["edit", photo, "-o", f"{out}.png", "--preset", "smile"],
        "edit a fit": lambda out: ["edit", str(fit), "-o", f"{out}.png", "--preset", "smile"],
        "view a fit": lambda out: ["view", str(fit), "-o", f"{out}.png", "--yaw", "20"],
    }


def _case(
    name: str, words: Callable[[Path], list[str] | None], versions: Mapping[str, Path], runs: int
) -> dict[str, Any]:
    """One command, the versions in turn; the first run of each warms its caches."""
    found: dict[str, list[Run]] = {version: [] for version in versions}
    for turn in range(runs + 1):
        for version, package in versions.items():
            with TemporaryDirectory() as place:
                one = _command(name, words(Path(place) / "out"), package, Path(place) / "out")
            if one is not None and turn:
                found[version].append(one)
    case: dict[str, Any] = {"case": name, "target_s": TARGETS.get(name), "runs": runs}
    case["load"] = round(os.getloadavg()[1], 1)  # of all that runs here; 2 is two busy cores
    for version, each in found.items():
        case |= _summary(version, each, MANY if name.startswith("many") else 1)
    return case


def _summary(version: str, each: list[Run], photos: int) -> dict[str, Any]:
    if not each:
        return {f"{version}_s": None}
    told = {
        f"{version}_s": round(median(run.seconds for run in each) / photos, 3),
        f"{version}_cpu_s": round(median(run.processor for run in each) / photos, 3),
    }
    parts = {name: round(median(r.parts[name] for r in each), 3) for name in each[0].parts}
    return told | ({f"{version}_parts_s": parts} if parts else {})


def _command(name: str, words: list[str] | None, package: Path, out: Path) -> Run | None:
    """A run of `morphface`; None where this version refuses its options."""
    if words is None:
        return None
    if words[0] in ("edit", "view") and name.endswith("fit"):
        words = [words[0], str(_fitted(Path(words[1]), package)), *words[2:]]
    command = [sys.executable, "-m", "morphface", *words]
    run, code = _timed(command, package)
    if code == 2 and "--only" in words:  # a version that writes everything, always
        run, code = _timed(command[: command.index("--only")], package)
    if code != (2 if name == "refusal" else 0):
        return None
    return Run(run.seconds, run.processor, _parts(out, run.seconds))


def _fitted(place: Path, package: Path) -> Path:
    """The fit of a version, which an older one may be unable to read."""
    folder = place / package.resolve().as_posix().strip("/").replace("/", "-")
    if not folder.is_dir():
        words = ["fit", str(place.with_name("photo.jpg")), "-o", str(folder)]
        _timed([sys.executable, "-m", "morphface", *words], package)
    return folder


def _timed(words: list[str], package: Path) -> tuple[Run, int]:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users have compiled modules
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, check=False, cwd="/")
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, used, {}), done.returncode


def _parts(out: Path, seconds: float) -> dict[str, float]:
    """Start, detection, fit and writing of one photo."""
    place = out / "report.json"
    told = json.loads(place.read_text()) if place.is_file() else {}
    if "faces" not in told:
        return {}
    laps = told["faces"][0]["seconds"]
    fit = sum(laps.get(name, 0.0) for name in ("fit", "pixels", "verdict"))
    parts = {"detect": laps["detect"], "fit": fit, "write": laps["write"]}
    return {"start": seconds - laps["read"] - sum(parts.values()), **parts}


def _peers(place: Path, runs: int) -> list[dict[str, Any]]:
    from morphface.landmarks.detectors.model_file import require_model

    photo, model = str(place / "photo.jpg"), str(require_model(None))
    calls = {"peer: MediaPipe's landmarks": [sys.executable, "-c", PEER_LANDMARKS, model, photo]}
    share = os.environ.get("EOS_SHARE")
    if share:
        script = str(Path(__file__).parent / "peer_eos.py")
        calls["peer: eos on MediaPipe's landmarks"] = [sys.executable, script, model, photo, share]
    found = []
    for name, words in calls.items():
        each = [_timed(words, ROOT) for _ in range(runs + 1)][1:]
        good = [run for run, code in each if code == 0]
        found.append({"case": name, "runs": runs, **_summary("peer", good, 1)})
    return found


if __name__ == "__main__":
    main()
