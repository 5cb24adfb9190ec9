"""Does a fitted face tell who it is? People are told apart by shape alone, all in one skin colour.

    python -m benchmarks.bench_recognition --cache FOLDER [--before REVISION] [--eos SHARE]
        [--data FOLDER] [--people N] [--keep] [--jobs N]

Random identities of ICT-FaceKit, four pictures each, made by Mitsuba 3 with 16 rays a pixel: each
time four other expressions, yaw within 30 and pitch within 12 degrees, and one of two lamps or, as
often, a random one. Every picture looks for the nearest of all others (rank-1), and all pairs are
accepted or not by a threshold (equal-error rate). Descriptions are identity coefficients, by
Euclidean distance, cosine, or cosine after whitening by how pictures of other people differ, and
shapes, by the root-mean-square distance of a quarter of the face's vertices after a rigid motion.

Beside the stages of ours: MediaPipe's mesh, the same size for all, which is the face with its
expression; eos; the expression's own coefficients, which should know nobody; and the true shape
with its expression, which only a method that tells identity from expression can beat.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import DATA, report, seed
from benchmarks.faces import Places
from benchmarks.fitted import Fitted
from benchmarks.matching import (
    cosine_distances,
    equal_error_rate,
    euclidean_distances,
    rank_one,
    rms_rigid,
    within_distances,
)
from benchmarks.peers import MESH, Ict, eos_if_there
from benchmarks.pictures import read_shot, take
from benchmarks.revisions import Fits
from benchmarks.subjects import Shot

STRIDE = 4


def ours(fits: Fitted, paths: Sequence[Path], ict: Ict, suffix: str = "") -> dict[str, np.ndarray]:
    """Distances between pictures by what each stage of a revision found."""
    found, told, people = {}, [fits.raw(path) for path in paths], who(paths)
    places, _ = fits.places(ict)
    for stage in ("linear", "pixels"):
        identity = np.stack([one[f"{stage}_identity"] for one in told])
        neutral = np.stack([some(places, ict, one[f"{stage}_neutral"]) for one in told])
        moving = np.stack([some(places, ict, one[f"{stage}_vertices"]) for one in told])
        expression = np.stack([one[f"{stage}_expression"] for one in told])
        found |= {
            f"{stage}{suffix}, identity, euclidean": euclidean_distances(identity),
            f"{stage}{suffix}, identity, cosine": cosine_distances(identity),
            f"{stage}{suffix}, identity, within people": within_distances(identity, people),
            f"{stage}{suffix}, neutral shape": rms_rigid(neutral),
            f"{stage}{suffix}, shape with expression": rms_rigid(moving),
            f"{stage}{suffix}, expression, euclidean": euclidean_distances(expression),
        }
    return found


def who(paths: Sequence[Path]) -> np.ndarray:
    """The number of the person on each picture."""
    return np.array([int(path.stem.split("-")[0]) for path in paths])


def some(places: Places, ict: Ict, vertices: np.ndarray) -> np.ndarray:
    """Points of a face where some points of the face of ICT-FaceKit that are seen belong."""
    return places.points(vertices)[ict.outer][::STRIDE]


def others(shots: Sequence[Shot], ict: Ict, share: Path | None) -> dict[str, np.ndarray]:
    """Distances by what peers found, and by the truth."""
    seen = [shot.landmarks for shot in shots]
    points = [np.column_stack([one.points, one.depth])[:MESH] for one in seen]
    truth = np.stack([shot.points.numpy()[ict.outer][::STRIDE] for shot in shots])
    marks = np.stack([shot.marks.numpy()[:MESH] for shot in shots])
    found = {"peer: MediaPipe's mesh": rms_rigid(np.stack(points), scaled=True)}
    eos = eos_if_there(share, ict)
    if eos is not None:
        places, _ = eos.places()
        faces = np.stack([some(places, ict, eos.face(shot).neutral) for shot in shots])
        found["peer: eos, neutral shape"] = rms_rigid(faces)
    return found | {
        "truth: with expression": rms_rigid(truth),
        "truth: MediaPipe's points, same size": rms_rigid(marks, scaled=True),
    }


def rows(
    found: Mapping[str, np.ndarray], people: np.ndarray, pictures: int
) -> list[dict[str, Any]]:
    """Rank-1 and equal-error rate of each."""
    return [
        {
            "case": name,
            "people": len(np.unique(people)),
            "pictures": pictures,
            "faces_found": len(people),
            "rank_1": round(rank_one(distances, people), 3),
            "equal_error_rate": round(equal_error_rate(distances, people), 3),
        }
        for name, distances in found.items()
    ]


def main() -> None:
    """Take pictures, fit, compare, write the results."""
    chosen = arguments()
    seed()
    paths = take("people", chosen.data, chosen.cache, chosen.people)
    shots = {path: read_shot(path) for path in paths}
    used = [path for path in paths if shots[path].landmarks is not None]
    fits = Fits(chosen.cache, chosen.jobs, alone=True)
    ict = Ict(chosen.data / "ict/ict_facekit.npz")
    found = ours(Fitted(fits.now(used, keep=chosen.keep)), used, ict)
    if chosen.before:
        before = Fitted(fits.before(used, chosen.before))
        found |= ours(before, used, ict, ", before")
    found |= others([shots[path] for path in used], ict, chosen.eos)
    cases = rows(found, who(used), len(paths))
    report("recognition", cases)
    for case in cases:
        print(f"{case['case']:45}{case['rank_1']:8.3f}{case['equal_error_rate']:8.3f}")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, required=True, help="keeps pictures and fits")
    options.add_argument("--before", help="a git revision that fits the same pictures")
    options.add_argument("--eos", type=Path, help="the folder share/ of the eos library")
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--people", type=int, default=50)
    options.add_argument("--keep", action="store_true", help="keep this checkout's stored fits")
    options.add_argument("--jobs", type=int, default=1, help="processes that fit")
    return options.parse_args()


if __name__ == "__main__":
    main()
