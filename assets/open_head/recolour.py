"""What reflectance coefficients of the second revision of the open head are in this one.

    git show 22d9b8a:morphface/models/data/open_head.safetensors > OLD
    python assets/open_head/recolour.py OLD

adds the map to `morphface/parameters/data/open_head_2.safetensors`, where `build.py` leaves it. The
two revisions have other colours on another mesh: what is kept is the colour of the skin that is
nearest, by least squares against the prior.
"""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save
from scipy.spatial import cKDTree

from anatomy import BALL
from build import OUTPUT, UPGRADES
from reflectance import vertex_areas

NOISE = 0.02  # standard deviation of a colour that the map may miss, of the area of the face
SAMPLES = 200.0  # independent colours that a face has


def colours_of(path: Path) -> tuple[np.ndarray, ...]:
    """Vertices, mean colours, and components of a model file."""
    tensors = {k: v.astype(np.float64) for k, v in load_file(path).items() if v.ndim > 1}
    return tuple(
        tensors[name]
        for name in ("identity.mean", "reflectance.mean", "reflectance.directions", "faces")
    )


def recoloured(old: Path, new: Path) -> dict[str, np.ndarray]:
    """The matrix and the offset that turn old coefficients into new ones."""
    points, mean, directions, _ = colours_of(old)
    here, wanted, ours, faces = colours_of(new)
    regions = load_file(new)
    near = cKDTree(points).query(here + BALL)[1]
    shown = (regions["regions.skin"] + regions["regions.lips"] + regions["regions.iris"]) / 255.0
    weight = vertex_areas(here, faces.astype(int)) * shown * (0.1 + regions["regions.face"] / 255.0)
    root = np.sqrt(weight / weight.sum())[:, None]
    rows = (ours * root).reshape(len(ours), -1) * np.sqrt(SAMPLES) / NOISE
    gaps = ((mean[near] - wanted) * root).reshape(-1) * np.sqrt(SAMPLES) / NOISE
    moves = (directions[:, near] * root).reshape(len(directions), -1) * np.sqrt(SAMPLES) / NOISE
    normal = rows @ rows.T + np.eye(len(rows))
    return {
        "colours": np.linalg.solve(normal, rows @ moves.T).astype(np.float32),
        "colour_offset": np.linalg.solve(normal, rows @ gaps).astype(np.float32),
    }


def main() -> None:
    """Add the map, and say how far it misses."""
    path = UPGRADES / "open_head_2.safetensors"
    found = recoloured(Path(sys.argv[1]), OUTPUT)
    path.write_bytes(save(load_file(path) | found))
    print(f"{path}: offset of {np.sqrt((found['colour_offset'] ** 2).mean()):.2f} deviations")


if __name__ == "__main__":
    main()
