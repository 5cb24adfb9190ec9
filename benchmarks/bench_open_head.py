"""Can the open head be a real person? It is fitted to the surfaces of heads from another model.

    python -m benchmarks.bench_open_head --ict PATH/ict_facekit.npz

The targets are 30 random heads of ICT-FaceKit, whose 100 identity modes come from light-stage
scans: coefficients from N(0, 1), seed 0, the narrow face. Identity coefficients and a
similarity are fitted to the surface by non-rigid iterated closest points; the error is the
distance from each of its vertices to the nearest point of our surface, in the millimetres of the
target. The baseline, fitted the same way, is the mean head alone.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import SEED, report
from benchmarks.nonrigid import Shapes, fit_surface
from benchmarks.surfaces import Surface, distances, skin_faces
from morphface.models import MorphableModel, load_model

HEADS = 30


def main() -> None:
    """Fit all heads, print and store the errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[2] / "shared/data/ict/ict_facekit.npz"
    parser.add_argument("--ict", type=Path, default=default)
    targets = read_targets(parser.parse_args().ict)
    model = load_model()
    cases = [
        case("open head, 80 identity components", targets, model, model.identity.rank),
        case("baseline: mean head, similarity only", targets, model, 0),
    ]
    cases[0]["ratio_to_baseline"] = round(cases[0]["median_mm"] / cases[1]["median_mm"], 3)
    report("open_head", cases)


def read_targets(path: Path) -> list[np.ndarray]:
    """Narrow faces of random heads, in millimetres, origin between the eyes of the mean."""
    with np.load(path) as data:
        count = int(data["narrow_face_count"])
        mean, modes = data["vertices"] * 10, data["identity"].astype(np.float64) * 10
        parts = list(data["part_names"])
        eyes = [
            mean[data["vertex_part"] == parts.index(name)].mean(0)
            for name in ("sclera_left", "sclera_right")
        ]
    rng = np.random.default_rng(SEED)
    draws = rng.normal(size=(HEADS, len(modes)))
    heads = mean[:count] + np.tensordot(draws, modes[:, :count], 1)
    return list(heads - (eyes[0] + eyes[1]) / 2)


def case(name: str, targets: list[np.ndarray], model: MorphableModel, rank: int) -> dict[str, Any]:
    """Errors over all targets with the first `rank` identity components."""
    fits = [fit(target, model, rank) for target in targets]
    medians = np.array([np.median(distance) for distance, _ in fits])
    means = np.array([distance.mean() for distance, _ in fits])
    sizes = np.array([np.sqrt((x**2).mean()) if len(x) else 0.0 for _, x in fits])
    return {
        "case": name,
        "heads": len(targets),
        "median_mm": round(float(np.median(medians)), 3),
        "worst_head_median_mm": round(float(medians.max()), 3),
        "mean_mm": round(float(np.median(means)), 3),
        "rms_coefficient_median": round(float(np.median(sizes)), 3),
        "rms_coefficient_worst": round(float(sizes.max()), 3),
    }


def fit(target: np.ndarray, model: MorphableModel, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances in millimetres of the target's vertices, and identity coefficients."""
    mean = model.identity.mean.double().numpy()
    modes = model.identity.directions[:rank].double().numpy()
    shapes = Shapes(mean, modes, skin_faces(model))
    pose, x = fit_surface(target, shapes)
    return distances(target, Surface(shapes.instance(x), shapes.faces), pose), x


if __name__ == "__main__":
    main()
