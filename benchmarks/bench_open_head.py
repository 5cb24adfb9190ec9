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
from benchmarks.surfaces import Similarity, closest, distances, plane_rows, skin_faces, trust
from morphface.models import MorphableModel, load_model

HEADS = 30
PRIOR = 0.004  # mm^2 of squared error that one squared coefficient may save, per point
STRIDE = 3
RIGID, ROUNDS = 8, 18


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
    skin = skin_faces(model)
    mean = model.identity.mean.double().numpy()
    modes = model.identity.directions[:rank].double().numpy()
    pose, x = Similarity.identity(), np.zeros(rank)
    sampled, vertices = target[::STRIDE], mean
    for turn in range(RIGID + (ROUNDS if rank else 0)):
        points = pose.apply(sampled)
        face, weight = closest(points, vertices, skin)
        free = modes if turn >= RIGID else modes[:0]
        step, x_new = _step(points, mean, vertices, free, (skin[face], weight), pose.scale)
        pose = pose.moved(step)
        if turn >= RIGID:
            x = x_new
            vertices = mean + np.tensordot(x, modes, 1)
    return distances(target, vertices, skin, pose), x


def _step(
    points: np.ndarray,
    mean: np.ndarray,
    vertices: np.ndarray,
    modes: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Point-to-plane least squares for a small similarity and all coefficients.

    Residuals are in millimetres of the target, so that shrinking it gains nothing.
    """
    triangles, weight = at
    motion, normal, surface = plane_rows(points, vertices, at)
    base = (weight[..., None] * mean[triangles]).sum(1)
    moves = np.einsum("nk,jnkc,nc->nj", weight, modes[:, triangles], normal, optimize=True)
    rows = np.concatenate([moves, motion], axis=1)
    share = trust(np.linalg.norm(points - surface, axis=1)) / (len(points) * scale**2)
    prior = np.concatenate([np.full(len(modes), PRIOR), np.full(7, 1e-9)])
    right = rows.T @ (share * ((points - base) * normal).sum(1))
    solution = np.linalg.solve(rows.T @ (rows * share[:, None]) + np.diag(prior), right)
    return solution[len(modes) :], solution[: len(modes)]


if __name__ == "__main__":
    main()
