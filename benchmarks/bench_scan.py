"""How near does a fit come to a head that it knows nothing of, and how near do others?

    python -m benchmarks.bench_scan --cache FOLDER [--before REVISION] [--eos SHARE]
        [--only scan|ict|views ...] [--data FOLDER] [--heads N] [--keep] [--jobs N]

The pictures are made by Mitsuba 3 (`benchmarks/independent.py`), with shadows and the response of
a camera, from known cameras: a scanned person (Lee Perry-Smith, Infinite-Realities, CC BY 3.0)
from nine views in two lights, random heads of ICT-FaceKit, and some of these from four views. The
detector finds the landmarks; the focal length is given. `benchmarks/measures.py` says what is
measured, always in the subject's millimetres.

All methods get the same pictures and landmarks: the linear stage, the fit of pixels of each picture
alone and of all of a person together, the same by another revision of this repository, MediaPipe's
own mesh, eos with the Surrey model, and mean heads, for which no photo is needed.

--cache keeps pictures, the other revision's fits, and errors: only what changed is done again.
Rows that are not measured, as those of sets that --only leaves out, stay, with their commit.
--keep takes the fits of this checkout that are there, too.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import DATA, report, reported, seed
from benchmarks.faces import Face, Places
from benchmarks.fitted import Fitted
from benchmarks.measures import remembered
from benchmarks.peers import Ict, canonical_mean, eos_if_there, mediapipe_mesh
from benchmarks.pictures import read_shot, take
from benchmarks.regions import canonical_face, part_of_marks
from benchmarks.revisions import Fits
from benchmarks.subjects import Shot, scan
from benchmarks.tables import printed, row, split

TITLES = {"scan": "scan", "ict": "ICT heads", "views": "ICT heads, four views"}


@dataclass(frozen=True)
class Method:
    """Who finds a face in a picture.

    Args:
        name: of the row.
        face: given the file of a picture and the picture.
        places: where the vertices of ICT heads are on such a face.
        seconds: that it takes for one of some pictures.
    """

    name: str
    face: Callable[[Path, Shot], Face | None]
    places: Places | None = None
    seconds: Callable[[Sequence[Path]], float] | None = None


def ours(fits: Fitted, ict: Ict, suffix: str = "") -> list[Method]:
    """The stages of a revision, and its mean head."""
    places, away = fits.places(ict)
    print(f"open head{suffix}: to the ICT mean brought within {away.mean():.3f} mm")
    mean = fits.mean()

    def stage(name: str, key: str) -> Method:
        face, seconds = partial(fits.alone, key), partial(fits.seconds, key)
        return Method(f"{name}{suffix}", lambda path, _: face(path), places, seconds)

    return [
        stage("linear stage", "linear"),
        stage("pixels", "pixels"),
        Method(f"pixels, all views together{suffix}", lambda path, _: fits.together(path), places),
        Method(f"mean: open head{suffix}", lambda *_: mean, places),
    ]


def others(ict: Ict, share: Path | None) -> list[Method]:
    """Peers, and mean heads of theirs."""
    mesh, eos = Places.same(468, marks=True), eos_if_there(share, ict)
    methods = [Method("peer: MediaPipe's mesh", lambda _, s: mediapipe_mesh(s, ict.mesh), mesh)]
    if eos is not None:
        places, away = eos.places()
        print(f"Surrey model: to the ICT mean brought within {away.mean():.3f} mm")
        methods.append(Method("peer: eos, Surrey model", lambda _, s: eos.face(s), places))
    canonical, mean = canonical_mean(ict.mesh), ict.face()
    methods.append(Method("mean: ICT-FaceKit", lambda *_: mean, ict.places()))
    methods.append(Method("mean: MediaPipe's canonical face", lambda *_: canonical, mesh))
    return methods


def table(
    title: str, methods: Sequence[Method], shots: Mapping[Path, Shot], cache: Path
) -> list[dict[str, Any]]:
    """A row for each method that found anything."""
    parts, rows, paths = part_of_marks(canonical_face()), [], list(shots)
    for method in methods:
        found = []
        for path, shot in shots.items():
            face = None if shot.landmarks is None else method.face(path, shot)
            if face is not None:
                errors = remembered(face, shot, method.places, cache / "errors")
                found.append(split(errors, shot, parts))
        if found or "together" not in method.name:
            took = {"seconds": round(method.seconds(paths), 3)} if method.seconds else {}
            rows.append(row(f"{title}, {method.name}", found, len(paths)) | took)
    linear = rows[0]["median_mm"]
    return [r | {"linear_over_this": round(linear / r["median_mm"], 3)} for r in rows]


def main() -> None:
    """Take pictures, fit, measure, write the results."""
    chosen = arguments()
    seed()
    names = chosen.only or list(TITLES)
    sets = {name: take(name, chosen.data, chosen.cache, chosen.heads) for name in names}
    paths = [path for found in sets.values() for path in found]
    ict = Ict(chosen.data / "ict/ict_facekit.npz")
    fits = Fits(chosen.cache, chosen.jobs)
    methods = ours(Fitted(fits.now(paths, keep=chosen.keep)), ict)
    if chosen.before:
        methods += ours(Fitted(fits.before(paths, chosen.before)), ict, ", before")
    methods += others(ict, chosen.eos)
    cases = []
    for name, found in sets.items():
        person = scan(chosen.data / "scans/lee_perry_smith.obj") if name == "scan" else None
        outer = torch.from_numpy(ict.outer) if person is None else person.outer
        shots = {path: replace(read_shot(path), outer=outer) for path in found}
        cases += table(TITLES[name], methods, shots, chosen.cache)
    done = {case["case"] for case in cases}
    kept = reported("scan", lambda case: case["case"] not in done)
    report("scan", [*cases, *kept])
    print(printed(cases))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, required=True, help="keeps pictures and fits")
    options.add_argument("--before", help="a git revision that fits the same pictures")
    options.add_argument("--eos", type=Path, help="the folder share/ of the eos library")
    options.add_argument("--only", nargs="+", choices=TITLES)
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--heads", type=int, default=20)
    options.add_argument("--keep", action="store_true", help="keep this checkout's stored fits")
    options.add_argument("--jobs", type=int, default=1, help="processes that fit")
    return options.parse_args()


if __name__ == "__main__":
    main()
