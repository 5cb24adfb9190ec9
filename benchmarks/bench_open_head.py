"""Can the open head be a real person? It is fitted to the surfaces of heads from another model.

    python -m benchmarks.bench_open_head --ict PATH/ict_facekit.npz

The targets are 30 random heads of ICT-FaceKit, whose 100 identity modes come from light-stage
scans: coefficients from N(0, 1), seed 0, the narrow face. Identity coefficients and a
similarity are fitted to the surface by non-rigid iterated closest points; the error is the
distance from each of its vertices to the nearest point of our surface, in the millimetres of the
target. The baseline, fitted the same way, is the mean head alone.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import SEED, report
from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import vertex_normals
from morphface.models import MorphableModel, load_model

HEADS = 30
PRIOR = 0.004  # mm^2 of squared error that one squared coefficient may save, per point
STRIDE = 3
RIGID, ROUNDS = 8, 18


@dataclass
class Similarity:
    """Target to model: `scale * points @ rotation.T + shift`."""

    scale: float
    rotation: np.ndarray
    shift: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Points of the target in the model frame."""
        return self.scale * points @ self.rotation.T + self.shift


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
    skin = _skin(model)
    mean = model.identity.mean.double().numpy()
    modes = model.identity.directions[:rank].double().numpy()
    pose, x = Similarity(1.0, np.eye(3), np.zeros(3)), np.zeros(rank)
    sampled, vertices = target[::STRIDE], mean
    for turn in range(RIGID + (ROUNDS if rank else 0)):
        points = pose.apply(sampled)
        face, weight = _closest(points, vertices, skin)
        free = modes if turn >= RIGID else modes[:0]
        step, x_new = _step(points, mean, vertices, free, (skin[face], weight), pose.scale)
        pose = _moved(pose, step)
        if turn >= RIGID:
            x = x_new
            vertices = mean + np.tensordot(x, modes, 1)
    points = pose.apply(target)
    face, weight = _closest(points, vertices, skin)
    nearest = (weight[..., None] * vertices[skin[face]]).sum(1)
    return np.linalg.norm(points - nearest, axis=1) / pose.scale, x


def _skin(model: MorphableModel) -> np.ndarray:
    """Faces of the skin, lips and nostrils included: no eyeballs, teeth or tongue."""
    inner = sum(model.regions[n] for n in ("eyeballs", "teeth", "tongue"))
    return model.faces[~(inner > 0.5)[model.faces].any(dim=1)].numpy()


def _closest(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    face, weight = closest_on_mesh(
        torch.from_numpy(points).float(),
        torch.from_numpy(vertices).float(),
        torch.from_numpy(faces),
        candidates=12,
    )
    return face.numpy(), weight.double().numpy()


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
    faces = torch.from_numpy(triangles)
    normals = vertex_normals(torch.from_numpy(vertices), faces).numpy()
    normal = (weight[..., None] * normals[triangles]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    surface = (weight[..., None] * vertices[triangles]).sum(1)
    base = (weight[..., None] * mean[triangles]).sum(1)
    moves = np.einsum("nk,jnkc,nc->nj", weight, modes[:, triangles], normal, optimize=True)
    turns, lengths = np.cross(points, normal), (points * normal).sum(1, keepdims=True)
    rows = np.concatenate([moves, -turns, -normal, -lengths], axis=1)
    away = np.linalg.norm(points - surface, axis=1)
    trust = 1 / (1 + (away / (2 * np.median(away) + 0.2)) ** 2) / (len(points) * scale**2)
    prior = np.concatenate([np.full(len(modes), PRIOR), np.full(7, 1e-9)])
    right = rows.T @ (trust * ((points - base) * normal).sum(1))
    solution = np.linalg.solve(rows.T @ (rows * trust[:, None]) + np.diag(prior), right)
    return solution[len(modes) :], solution[: len(modes)]


def _moved(pose: Similarity, step: np.ndarray) -> Similarity:
    x, y, z = step[:3]
    u, _, vt = np.linalg.svd(np.eye(3) + np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))
    turn, growth = u @ vt, float(np.exp(step[6]))
    shift = growth * turn @ pose.shift + step[3:6]
    return Similarity(growth * pose.scale, turn @ pose.rotation, shift)


if __name__ == "__main__":
    main()
