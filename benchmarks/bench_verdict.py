"""Is a fit right that is said to be, and wrong that is not? Fits of rendered heads with truth.

    python -m benchmarks.bench_verdict --cache FOLDER [--stage S] [--calibrate] [--kept]

Pictures are those of `benchmarks/spoilt.py`: a fifth with nothing wrong, the others with one thing:
blur, noise, darkness, overexposure, something before the face, a border through it, few pixels, a
turned head, and landmarks that are noisy, rotated, mirrored, shifted or another face's. Each is
fitted to landmarks, and to pixels. Clips of 16 frames, in which a head sways and speaks and one of
these things but the landmarks is wrong, are tracked in both ways. A fit is right if the pose is
within 5 degrees of the truth, the surface within 2 mm (the median distance of the true face to the
fitted one after a rigid motion), and the 68 landmarks on average within 0.15 eye distances of
where they are. Even numbers are for tuning, odd ones for judging; what is reported is of the odd
ones, and of tracks, for which nothing is tuned, of all.

- `converged`: of those said to be right, how many are (precision), and of the right ones how many
  are said to be (recall): what the fits themselves say, as before there were verdicts, and what
  the verdict says, and how many of those are within twice the limits. Of tracks: all frames in
  which the person is seen.
- `quality`: what share of fits with about this number is right.
- `warning`: precision and recall of each one for what it names, on pictures with landmarks of the
  detector, as wrong ones are somewhere else; `landmarks_detector` on all. What is right is told by
  how the picture was made, or by what it shows of the true face.
- `kind`: how many fits of each kind of picture are right, and how many are believed.

`--calibrate` first finds, of the even numbers, what features weigh, and the quality from which on
fits are best believed, precision being worth twice as much as recall; both are written to
`morphface/fit/verdict/weights.py`. Fits are kept in the cache (`benchmarks/spoilt_fits.py`,
`spoilt_clips.py`): the same command goes on where it was, and with `--kept` judges what is there.
Of a stage that is not asked what was reported of it before stays, with the commit that it was
`measured_at`. `fits` of a track are frames; those of one clip are much alike.
"""

import argparse
import json
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize

from benchmarks.common import report, reported, seed
from benchmarks.spoilt import WRONG
from benchmarks.spoilt_clips import clip_rows, track_of
from benchmarks.spoilt_fits import FittedPicture, SpoiltFits
from benchmarks.spoilt_truth import off, right_warnings, true_measures
from morphface.fit.verdict import WARNINGS, measure
from morphface.fit.verdict import weights as kept_weights
from morphface.fit.verdict.quality import FEATURES, features_of, quality_of
from morphface.fit.verdict.weights import LEAST_QUALITY, WEIGHTS
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import MorphableModel, load_model

PICTURES = {"linear": 2700, "pixels": 2700, "track linear": 60, "track pixels": 60}
PRECISION = 2.0  # how much more the precision of what is believed is worth than its recall
POSE, SURFACE, PLACE = 5.0, 2.0, 0.15  # degrees, millimetres and eye distances
OLD_COLOURS = 0.15
Limits = tuple[float | None, float | None]
LEAST_SPREAD = 0.1  # of a feature, so that one that hardly varies gets no large weight
NAMED = (
    "small",
    "blurred",
    "noisy",
    "dark",
    "saturated",
    "cut",
    "turned",
    "occluded",
    "landmarks_detector",
)
OF_FRAMES = ("small", "cut", "turned")


def row_of(number: int, found: FittedPicture, model: MorphableModel) -> dict[str, Any]:
    """What is measured of a fit, and how far it is from the truth."""
    one, start, seen = found.one, found.start, found.seen
    last = start if seen is None else seen
    camera = start.camera if seen is None else seen.cameras[0]
    numbers = measure(model, start, seen, one.photo, witness=one.witness, cover=found.cover)
    return {
        "number": number,
        "kind": one.kind,
        "amount": one.amount,
        **off(model, one.head, last.parameters, camera),
        "shown": true_measures(model, one.head, one.photo),
        "converged_before": last.converged,
        "measures": numbers,
    }


def collect(cache: Path, numbers: range, stage: str, *, kept: bool) -> list[dict[str, Any]]:
    """What is measured of the fits of some pictures, or of the frames of some clips.

    Args:
        cache: the folder.
        numbers: of the pictures or clips.
        stage: one of `PICTURES`.
        kept: whether to make no fit that is not there.
    """
    model = load_model()
    if stage.startswith("track"):
        tracks = ((n, track_of(n, stage, model, cache, kept=kept)) for n in numbers)
        return [row for n, track in tracks if track for row in clip_rows(n, model, track)]
    with MediaPipeDetector() as detector, torch.no_grad():
        found = SpoiltFits(cache, model, detector).all(numbers, stage, kept=kept)
        return [row_of(number, one, model) for number, one in found]


def is_right(row: dict[str, Any], times: float = 1.0) -> bool:
    """Whether pose and surface are near the truth, by so many times the limits."""
    near = row["pose_degrees"] <= times * POSE and row["surface_mm"] <= times * SURFACE
    return bool(near and row["place"] <= times * PLACE)


def said_before(row: dict[str, Any]) -> bool:
    """What the fit itself said before there were verdicts, when colours alone could refuse it."""
    return bool(row["converged_before"]) and not row["measures"].colours > OLD_COLOURS


def verdict_of(row: dict[str, Any], stage: str) -> tuple[float, bool, set[str]]:
    """Quality, whether the fit is believed, and the names of the warnings."""
    measures = row["measures"]
    warned = {
        kind.name
        for kind in WARNINGS.values()
        if kind.passes(getattr(measures, kind.name), kind.limit)
    }
    fatal = any(
        kind.fatal is not None and kind.passes(getattr(measures, kind.name), kind.fatal)
        for kind in WARNINGS.values()
    )
    hopeful = (stage != "linear" or row["converged_before"]) and not fatal
    if stage not in WEIGHTS:
        return float("nan"), hopeful, warned
    quality = quality_of(measures, stage)
    return quality, hopeful and quality >= LEAST_QUALITY[stage], warned


def calibrate(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Weights of the features: a logistic regression, held towards 0."""
    found = [features_of(row["measures"]) for row in rows]
    names = list(FEATURES)
    table = np.array([[1.0, *(one[name] for name in names)] for one in found])
    right = np.array([is_right(row) for row in rows], dtype=float)
    weights = logistic(table, right, bounds(names), np.ones(len(rows)))
    found_weights = zip(["", *names], np.round(weights, 4).tolist(), strict=True)
    return {name: weight for name, weight in found_weights if weight or not name}


def logistic(
    table: np.ndarray, right: np.ndarray, limits: list[Limits], counts: np.ndarray
) -> np.ndarray:
    """Weights of the columns of a table, whose first one is 1, held towards 0.

    Args:
        table: a row for each fit.
        right: 1 where it is right, 0 where it is not.
        limits: of the weights.
        counts: how much each fit counts.
    """
    scale = np.maximum(table.std(axis=0), LEAST_SPREAD)
    scale[0] = 1.0
    ridge = np.full(table.shape[1], 1.0)
    ridge[0] = 1e-3

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total = table / scale @ weights
        chance = 1 / (1 + np.exp(-np.clip(total, -30, 30)))
        value = counts @ (np.logaddexp(0, total) - right * total) + 0.5 * ridge @ weights**2
        slope = (table / scale).T @ (counts * (chance - right)) + ridge * weights
        return float(value), slope

    found: np.ndarray = minimize(loss, np.zeros(table.shape[1]), jac=True, bounds=limits).x
    return found / scale


def least_quality(rows: list[dict[str, Any]], stage: str) -> float:
    """From which quality on fits are best believed: the largest F of precision and recall."""
    LEAST_QUALITY[stage] = 0.0
    told = [verdict_of(row, stage)[:2] for row in rows]
    quality = np.array([one[0] for one in told])
    believed, right = np.array([one[1] for one in told]), np.array([is_right(r) for r in rows])

    def worth(least: float) -> float:
        chosen = believed & (quality >= least)
        both, weight = float((chosen & right).sum()), 1 / PRECISION**2
        return (1 + weight) * both / max(weight * right.sum() + chosen.sum(), 1e-9)

    return round(float(max(np.arange(0.3, 0.95, 0.05), key=worth)), 2)


def keep(path: Path) -> None:
    """Writes weights and limits as the module that the package reads them from."""
    head = path.read_text(encoding="utf-8").partition("\nWEIGHTS")[0]
    values = f"\nWEIGHTS: dict[str, dict[str, float]] = {json.dumps(WEIGHTS)}\n"
    limits = f"LEAST_QUALITY: dict[str, float] = {json.dumps(LEAST_QUALITY)}\n"
    path.write_text(head + values + limits, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", str(path)], check=True)


def bounds(names: list[str]) -> list[Limits]:
    """No measure may speak for a fit by being worse."""
    rising = {"small", "dark"}
    return [(None, None), *((0.0, None) if n in rising else (None, 0.0) for n in names)]


def judged(rows: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
    """The cases of a stage."""
    right = np.array([is_right(row) for row in rows])
    told = [verdict_of(row, stage) for row in rows]
    quality = np.array([one[0] for one in told])
    before = np.array([said_before(row) for row in rows])
    now = np.array([one[1] for one in told])
    wide = np.array([is_right(row, 2.0) for row in rows])
    cases: list[dict[str, Any]] = [
        {"case": f"converged, {name}", "stage": stage, **_precision(said, right)}
        | {"within_twice_the_limits": round(float(wide[said].mean()), 3)}
        for name, said in (("before", before), ("verdict", now))
    ]
    edges = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0001])
    shares = [
        (quality[inside].mean(), right[inside].mean(), int(inside.sum()))
        for low, high in pairwise(edges)
        if (inside := (quality >= low) & (quality < high)).any()
    ]
    if stage in WEIGHTS:
        bins = [[round(float(a), 3), round(float(b), 3), n] for a, b, n in shares]
        error = round(float(sum(abs(a - b) * n for a, b, n in shares)) / len(rows), 4)
        brier = round(float(((quality - right) ** 2).mean()), 4)
        numbers = {"said_right_fits": bins, "error": error, "brier": brier}
        cases.append({"case": "quality", "stage": stage, "fits": len(rows), **numbers})
    own = np.array([row["kind"] not in WRONG for row in rows])
    for kind in NAMED if not stage.startswith("track") else OF_FRAMES:
        judged_by = own | (kind == "landmarks_detector")
        true = np.array(
            [kind in right_warnings(row["kind"], row["amount"], row["shown"]) for row in rows]
        )
        said = np.array([kind in one[2] for one in told])
        true, said = true[judged_by], said[judged_by]
        cases.append({"case": "warning", "stage": stage, "name": kind, **_precision(said, true)})
    for kind in sorted({row["kind"] for row in rows}):
        own = np.array([row["kind"] == kind for row in rows])
        cases.append(
            {
                "case": "kind",
                "stage": stage,
                "name": kind,
                "fits": int(own.sum()),
                "right": round(float(right[own].mean()), 3),
                "quality": round(float(quality[own].mean()), 3) if stage in WEIGHTS else None,
                "believed_before": round(float(before[own].mean()), 3),
                "believed": round(float(now[own].mean()), 3),
            }
        )
    return cases


def _precision(said: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    both = int((said & true).sum())
    return {
        "fits": len(said),
        "said": int(said.sum()),
        "true": int(true.sum()),
        "precision": round(both / max(int(said.sum()), 1), 3),
        "recall": round(both / max(int(true.sum()), 1), 3),
    }


def _is_of(stage: str, case: dict[str, Any]) -> bool:
    return bool(case["stage"] == stage)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--stage", choices=PICTURES, help="one stage alone")
    parser.add_argument("--calibrate", action="store_true", help="find weights, of even numbers")
    parser.add_argument("--kept", action="store_true", help="make no fits, judge what is there")
    wishes = parser.parse_args()
    seed()
    cases = []
    for stage in PICTURES:
        if wishes.stage not in (None, stage):
            cases += reported("verdict", partial(_is_of, stage))
            continue
        every = wishes.calibrate or stage not in WEIGHTS
        numbers = range(PICTURES[stage]) if every else range(1, PICTURES[stage], 2)
        rows = collect(wishes.cache, numbers, stage, kept=wishes.kept)
        tuning, judging = ([row for row in rows if row["number"] % 2 == k] for k in (0, 1))
        tuning, judging = (tuning, judging) if stage in WEIGHTS else ([], rows)
        if wishes.calibrate and stage in WEIGHTS:
            WEIGHTS[stage] = calibrate(tuning)
            LEAST_QUALITY[stage] = least_quality(tuning, stage)
            keep(Path(kept_weights.__file__))
        halves = {"tuning_fits": len(tuning), "judging_fits": len(judging)}
        if stage in LEAST_QUALITY:
            halves["least_quality"] = LEAST_QUALITY[stage]
        cases += [case | halves for case in judged(judging, stage)]
    report("verdict", cases)


if __name__ == "__main__":
    main()
