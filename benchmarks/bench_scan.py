"""How near does a fit come to the surface of a head that it knows nothing of?

    python -m benchmarks.bench_scan --data FOLDER [--heads N]

The pictures are made by Mitsuba 3 (`benchmarks/independent.py`), with shadows and the response of
a camera, from known cameras: a scanned person (Lee Perry-Smith, Infinite-Realities, CC BY 3.0)
from nine views in two lights, and random heads of ICT-FaceKit. The detector finds the landmarks;
the focal length is given. The error is the distance from each of the subject's face points to the
fitted surface, in the subject's millimetres, after a similarity by landmarks and a rigid motion by
closest points. FOLDER holds `scans/lee_perry_smith.obj` and `ict/ict_facekit.npz`.

Beside the fit of pixels, in the same run: the linear stage that it starts from, and the model's
mean head.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import report, seed
from benchmarks.independent import LAMPS
from benchmarks.subjects import VIEWS, Shot, ict_heads, photograph, scan
from benchmarks.surfaces import brought_together, distances, register
from morphface.fit import FitResult, fit_linear, fit_photometric
from morphface.geometry.camera import to_camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.models import MorphableModel, load_model
from morphface.models.skin import skin_faces
from morphface.parameters import FaceParameters

Errors = dict[str, list[np.ndarray]]


def errors(model: MorphableModel, parameters: FaceParameters, shot: Shot, row: int) -> np.ndarray:
    """Distances of the subject's face points to the fitted head of one row."""
    p = parameters
    gaze = p.gaze[row : row + 1]
    vertices = model.vertices(p.identity, p.expression[row : row + 1], gaze)
    placed = to_camera(vertices, p.rotation[row : row + 1], p.translation[row : row + 1])[0]
    embedding = model.landmarks["478"]
    sure = (embedding.confidence > 0.3) & shot.marks.isfinite().all(1)
    points, surface = shot.points.double().numpy(), placed.double().numpy()
    marks = [x[sure].double().numpy() for x in (shot.marks, embedding.points(placed))]
    faces = model.faces[skin_faces(model)].numpy()
    pose = register(points, surface, faces, brought_together(*marks))
    return distances(points, surface, faces, pose)


def fit_shot(model: MorphableModel, shot: Shot) -> FitResult | None:
    """The linear stage, with the focal length known."""
    if shot.landmarks is None:
        return None
    focal = float(shot.camera.focal)
    return fit_linear(model, shot.landmarks, size=shot.photo.size, focal=focal)


def alone(model: MorphableModel, shots: Sequence[Shot], found: Errors) -> None:
    """Each picture by itself."""
    for shot in shots:
        start = fit_shot(model, shot)
        if start is None:
            continue
        p = start.parameters
        found["mean head"].append(errors(model, mean_head(p), shot, 0))
        found["linear stage"].append(errors(model, p, shot, 0))
        fit = fit_photometric(model, [shot.photo.pixels], [start])
        found["pixels"].append(errors(model, fit.parameters, shot, 0))


def mean_head(parameters: FaceParameters) -> FaceParameters:
    """The mean head without expression, where a fit has its head."""
    return replace(
        parameters,
        identity=torch.zeros_like(parameters.identity),
        expression=torch.zeros_like(parameters.expression),
    )


def together(model: MorphableModel, shots: Sequence[Shot], found: Errors) -> None:
    """All pictures as those of one person."""
    pairs = [(shot, fit_shot(model, shot)) for shot in shots]
    used = [(shot, start) for shot, start in pairs if start is not None]
    photos = [shot.photo.pixels for shot, _ in used]
    fit = fit_photometric(model, photos, [start for _, start in used])
    for row, (shot, _) in enumerate(used):
        found["pixels, all views together"].append(errors(model, fit.parameters, shot, row))


def table(name: str, found: Errors, pictures: int) -> list[dict[str, Any]]:
    """Medians over the pictures of each picture's median, mean and standard deviation."""
    rows = []
    linear = float(np.median([np.median(d) for d in found["linear stage"]]))
    for method, values in found.items():
        median = float(np.median([np.median(d) for d in values]))
        rows.append(
            {
                "case": f"{name}, {method}",
                "pictures": pictures,
                "faces_found": len(values),
                "median_mm": round(median, 3),
                "mean_mm": round(float(np.median([d.mean() for d in values])), 3),
                "std_mm": round(float(np.median([d.std() for d in values])), 3),
                "worst_median_mm": round(float(max(np.median(d) for d in values)), 3),
                "linear_over_this": round(linear / median, 3),
            }
        )
    return rows


def bench_scan(
    model: MorphableModel, path: Path, detector: MediaPipeDetector
) -> list[dict[str, Any]]:
    """The scanned person, each view alone and all together."""
    person, found = scan(path, model, detector), defaultdict(list)
    for lamp in LAMPS.values():
        shots = [photograph(person, angles, lamp, detector) for angles in VIEWS]
        alone(model, shots, found)
        together(model, shots, found)
    return table("scan", found, len(LAMPS) * len(VIEWS))


def bench_ict(
    model: MorphableModel, path: Path, count: int, detector: MediaPipeDetector
) -> list[dict[str, Any]]:
    """Random people of another model, one picture each."""
    found: Errors = defaultdict(list)
    rng, lamps = np.random.default_rng(1), list(LAMPS.values())
    for index, head in enumerate(ict_heads(path, count)):
        angles = (float(rng.uniform(-35, 35)), float(rng.uniform(-10, 10)))
        alone(model, [photograph(head, angles, lamps[index % 2], detector)], found)
    return table("ICT heads", found, count)


def main() -> None:
    """Render, fit, measure, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options.add_argument("--heads", type=int, default=20)
    chosen = options.parse_args()
    seed()
    model = load_model()
    with MediaPipeDetector() as detector:
        cases = bench_scan(model, chosen.data / "scans/lee_perry_smith.obj", detector)
        cases += bench_ict(model, chosen.data / "ict/ict_facekit.npz", chosen.heads, detector)
    report("scan", cases)


if __name__ == "__main__":
    main()
