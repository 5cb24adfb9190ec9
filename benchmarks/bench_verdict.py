"""Is a fit right that is said to be, and wrong that is not? Fits of rendered heads with truth.

    python -m benchmarks.bench_verdict --cache FOLDER [--fits N]

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
- `warning`: precision and recall of each one for what it names.

Fits are kept in the cache, line by line: the same command goes on where it was. The report is of
as many as are there.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.bench_fit import errors
from benchmarks.common import report, seed
from benchmarks.moving import points68
from benchmarks.spoilt import Spoilt, spoilt
from morphface.fit import fit_linear, fit_photometric
from morphface.fit.verdict import doubt_of, measure
from morphface.geometry.camera import Camera
from morphface.landmarks import outer_eye_distance
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters

POSE, SURFACE, PLACE = 5.0, 2.0, 0.15  # degrees, millimetres and eye distances
HOPELESS = 0.2  # as in the pipeline: landmark error from which pixels are not asked


def fitted(
    one: Spoilt, model: MorphableModel, detector: MediaPipeDetector, stage: str
) -> dict[str, Any] | None:
    """What a stage finds, measured and judged by the truth; None where pixels were not asked."""
    start = fit_linear(model, one.landmarks, size=one.photo.size)
    seen = None
    if stage == "pixels":
        if not start.landmark_nme <= HOPELESS:
            return None
        seen = fit_photometric(model, [one.photo.pixels], [start])
    found = start if seen is None else seen
    camera = start.camera if seen is None else seen.cameras[0]
    wrong = errors(model, one.head, found.parameters)
    doubt = doubt_of(one.photo, one.landmarks, detector)
    numbers = measure(model, start, seen, one.photo, witness=one.witness, doubt=doubt)
    return {
        "kind": one.kind,
        "amount": one.amount,
        "warns": sorted(one.warns),
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
                found = None if one is None else fitted(one, model, detector, stage)
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


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--fits", type=int, default=2000, help="how many pictures")
    wishes = parser.parse_args()
    seed()
    rows = [row for row in collect(wishes.cache, wishes.fits) if row["stage"] != "none"]
    report("verdict", [{"case": "fits", "rows": len(rows)}])


if __name__ == "__main__":
    main()
