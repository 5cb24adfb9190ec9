"""Is a fit right that is said to be, and wrong that is not? Fits of rendered heads with truth.

    python -m benchmarks.bench_verdict --cache FOLDER [--fits N] [--stage S] [--calibrate]

Pictures are those of `benchmarks/spoilt.py`: a fifth with nothing wrong, the others with one thing:
blur, noise, darkness, overexposure, something before the face, a border through it, few pixels, a
turned head, and landmarks that are noisy, rotated, mirrored, shifted or another face's. Each is
fitted to landmarks, and to pixels. A fit is right if the pose is within 5 degrees of the truth,
the surface within 2 mm (the median distance of the true face to the fitted one after a rigid
motion), and the 68 landmarks on average within 0.15 eye distances of where they are. Even numbers
are for tuning, odd ones for judging; what is reported is of the odd ones.

- `converged`: of those said to be right, how many are (precision), and of the right ones how many
  are said to be (recall): what the fits themselves say, as before there were verdicts, and what
  the verdict says.
- `quality`: what share of fits with about this number is right.
- `warning`: precision and recall of each one for what it names, on pictures with landmarks of the
  detector, as wrong ones are somewhere else; `landmarks_detector` on all.
- `kind`: how many fits of each kind of picture are right, and how many are believed.

Fits are kept in the cache, line by line: the same command goes on where it was. The report is of
as many as are there; of a stage that is not asked what was reported of it before stays, with the
commit that it was `measured_at`.
"""

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize

from benchmarks.bench_fit import errors
from benchmarks.common import RESULTS, report, seed
from benchmarks.moving import points68
from benchmarks.spoilt import WRONG, Spoilt, right_warnings, spoilt
from morphface.fit import fit_photometric
from morphface.fit.verdict import WARNINGS, Measures, measure
from morphface.fit.verdict.judge import LEAST_QUALITY
from morphface.fit.verdict.quality import FEATURES, features_of, quality_of
from morphface.geometry.camera import Camera
from morphface.landmarks import outer_eye_distance
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.photo import fit_landmarks

PICTURES = 2000
STAGES = ("linear", "pixels")
POSE, SURFACE, PLACE = 5.0, 2.0, 0.15  # degrees, millimetres and eye distances
OLD_COLOURS = 0.15
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
HOPELESS = 0.2  # as in the pipeline: landmark error from which pixels are not asked


def fitted(one: Spoilt, model: MorphableModel, stage: str) -> dict[str, Any] | None:
    """What a stage finds, measured and judged by the truth; None where pixels were not asked."""
    start, cover = fit_landmarks(model, one.photo, one.landmarks, {"size": one.photo.size})
    seen = None
    if stage == "pixels":
        if not start.landmark_nme <= HOPELESS:
            return None
        seen = fit_photometric(model, [one.photo.pixels], [start], covers=[cover])
    found = start if seen is None else seen
    camera = start.camera if seen is None else seen.cameras[0]
    wrong = errors(model, one.head, found.parameters)
    numbers = measure(model, start, seen, one.photo, witness=one.witness, cover=cover)
    return {
        "kind": one.kind,
        "amount": one.amount,
        "pose_degrees": wrong["pose_degrees"],
        "surface_mm": wrong["surface_mm"],
        "place": place_error(one, model, found.parameters, camera),
        "converged_before": found.converged,
        "nme": start.landmark_nme if seen is None else seen.landmark_nme[0],
        "measures": {name: _number(value) for name, value in numbers.record().items()},
    }


def place_error(one: Spoilt, model: MorphableModel, found: FaceParameters, camera: Camera) -> float:
    """Mean distance of the 68 landmarks of the true and of the fitted face, in eye distances."""
    true = points68(model, one.head.parameters, one.head.camera)[0]
    far = (points68(model, found, camera)[0] - true).norm(dim=1).mean()
    return float(far / outer_eye_distance(true, "68").clamp(min=1e-6))


def _number(value: float) -> float | None:
    return round(value, 5) if np.isfinite(value) else None


def collect(cache: Path, count: int, stage: str) -> list[dict[str, Any]]:
    """Fits of as many pictures, those of the cache among them; none of pictures without a face.

    Args:
        cache: the folder.
        count: of pictures.
        stage: "linear" or "pixels".
    """
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{stage}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    begin = 1 + max((row["number"] for row in rows), default=-1)
    if begin < count:
        model, other = load_model(), None
        with MediaPipeDetector() as detector, path.open("a") as file, torch.no_grad():
            for number in range(begin, count):
                one = spoilt(number, model, detector, other)
                found = None if one is None else fitted(one, model, stage)
                if one is not None and one.kind == "nothing":
                    other = one.landmarks
                rows.append({"number": number} | (found or {}))
                file.write(json.dumps(rows[-1]) + "\n")
                file.flush()
    return [row for row in rows if "kind" in row]


def is_right(row: dict[str, Any]) -> bool:
    """Whether pose and surface are near the truth."""
    near = row["pose_degrees"] <= POSE and row["surface_mm"] <= SURFACE
    return bool(near and row["place"] <= PLACE)


def said_before(row: dict[str, Any]) -> bool:
    """What the fit itself said before there were verdicts, when colours alone could refuse it."""
    colours = row["measures"]["colours"]
    return bool(row["converged_before"]) and (colours is None or colours <= OLD_COLOURS)


def verdict_of(row: dict[str, Any], stage: str) -> tuple[float, bool, set[str]]:
    """Quality, whether the fit is believed, and the names of the warnings."""
    measures = measures_of(row)
    warned = {
        kind.name
        for kind in WARNINGS.values()
        if kind.passes(getattr(measures, kind.name), kind.limit)
    }
    fatal = any(
        kind.fatal is not None and kind.passes(getattr(measures, kind.name), kind.fatal)
        for kind in WARNINGS.values()
    )
    quality = quality_of(measures, with_pixels=stage == "pixels")
    return quality, row["converged_before"] and not fatal and quality >= LEAST_QUALITY, warned


def measures_of(row: dict[str, Any]) -> Measures:
    """The measures of a stored row."""
    return Measures(**{k: np.nan if v is None else v for k, v in row["measures"].items()})


def calibrate(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Weights of the features: a logistic regression, held towards 0."""
    found = [features_of(measures_of(row)) for row in rows]
    names = list(FEATURES)
    table = np.array([[1.0, *(one[name] for name in names)] for one in found])
    right = np.array([is_right(row) for row in rows], dtype=float)
    scale = np.maximum(table.std(axis=0), LEAST_SPREAD)
    scale[0] = 1.0
    ridge = np.full(table.shape[1], 1.0)
    ridge[0] = 1e-3

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total = table / scale @ weights
        chance = 1 / (1 + np.exp(-np.clip(total, -30, 30)))
        value = np.logaddexp(0, total).sum() - right @ total + 0.5 * ridge @ weights**2
        return float(value), (table / scale).T @ (chance - right) + ridge * weights

    weights = minimize(loss, np.zeros(table.shape[1]), jac=True, bounds=bounds(names)).x / scale
    return dict(zip(["", *names], np.round(weights, 4).tolist(), strict=True))


def bounds(names: list[str]) -> list[tuple[float | None, float | None]]:
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
    cases: list[dict[str, Any]] = [
        {"case": f"converged, {name}", "stage": stage, **_precision(said, right)}
        for name, said in (("before", before), ("verdict", now))
    ]
    edges = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0001])
    shares = [
        (quality[inside].mean(), right[inside].mean(), int(inside.sum()))
        for low, high in pairwise(edges)
        if (inside := (quality >= low) & (quality < high)).any()
    ]
    cases.append(
        {
            "case": "quality",
            "stage": stage,
            "fits": len(rows),
            "said_right_fits": [[round(float(a), 3), round(float(b), 3), n] for a, b, n in shares],
            "error": round(float(sum(abs(a - b) * n for a, b, n in shares)) / len(rows), 4),
            "brier": round(float(((quality - right) ** 2).mean()), 4),
        }
    )
    own = np.array([row["kind"] not in WRONG for row in rows])
    for kind in NAMED:
        judged_by = own | (kind == "landmarks_detector")
        true = np.array([kind in right_warnings(row["kind"], row["amount"]) for row in rows])
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
                "quality": round(float(quality[own].mean()), 3),
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


def reported(stage: str) -> list[dict[str, Any]]:
    """What was reported of a stage before."""
    path = RESULTS / "verdict.json"
    cases = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [{"measured_at": c["commit"]} | c for c in cases if c["stage"] == stage]


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--fits", type=int, default=PICTURES, help="how many pictures")
    parser.add_argument("--stage", choices=STAGES, help="one stage alone")
    parser.add_argument("--calibrate", action="store_true", help="print weights, of even numbers")
    wishes = parser.parse_args()
    seed()
    cases = []
    for stage in STAGES:
        if wishes.stage not in (None, stage):
            cases += reported(stage)
            continue
        rows = collect(wishes.cache, wishes.fits, stage)
        if wishes.calibrate:
            print(stage, calibrate([row for row in rows if row["number"] % 2 == 0]))
        cases += judged([row for row in rows if row["number"] % 2], stage)
    if not wishes.calibrate:
        report("verdict", [case | {"pictures_asked": PICTURES} for case in cases])


if __name__ == "__main__":
    main()
