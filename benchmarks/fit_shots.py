"""Fits stored pictures with whichever morphface is on the path, and stores what it found.

    python -P benchmarks/fit_shots.py FOUND PICTURE.npz ...

`bench_scan` and `bench_recognition` run it as a process of its own, so that another revision's code
and model can be measured on the same pictures: it imports nothing of `benchmarks`. For each
picture of `<set>/<group>-<number>.npz` it writes `FOUND/<set>/<group>-<number>.npz` with the linear
stage and the fit of pixels; for each group of several, unless `--alone`, `FOUND/<set>/<group>.npz`
with the fit of all its pictures as those of one person; and once `FOUND/model.npz`.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import morphface
from morphface.fit import fit_linear, fit_photometric
from morphface.geometry.camera import to_camera
from morphface.landmarks import Landmarks
from morphface.models import MorphableModel, load_model
from morphface.models.skin import skin_faces
from morphface.parameters import FaceParameters

Arrays = dict[str, np.ndarray]


def read_landmarks(content: Mapping[str, np.ndarray]) -> Landmarks | None:
    """What the detector saw in a stored picture."""
    if "face_points" not in content:
        return None
    names = [str(name) for name in content["face_score_names"]]
    return Landmarks(
        points=torch.from_numpy(content["face_points"]),
        scheme="478",
        confidence=torch.from_numpy(content["face_confidence"]),
        box=tuple(float(x) for x in content["face_box"]),
        depth=torch.from_numpy(content["face_depth"]),
        scores=dict(zip(names, content["face_scores"].tolist(), strict=True)),
    )


def placed(model: MorphableModel, parameters: FaceParameters, row: int) -> Arrays:
    """The fitted head of one row in the camera frame, its neutral shape, and its identity."""
    p = parameters
    gaze = p.gaze[row : row + 1]
    vertices = model.vertices(p.identity, p.expression[row : row + 1], gaze)
    vertices = to_camera(vertices, p.rotation[row : row + 1], p.translation[row : row + 1])[0]
    return {
        "vertices": vertices.numpy(),
        "marks": model.landmarks["478"].points(vertices).numpy(),
        "neutral": model.identity.instance(p.identity)[0].numpy(),
        "identity": p.identity[0].numpy(),
        "expression": p.expression[row].numpy(),
    }


def fit_group(model: MorphableModel, paths: Sequence[Path], found: Path, *, alone: bool) -> None:
    """Each picture by itself, then all as those of one person."""
    photos, starts, used = [], [], []
    for path in paths:
        with np.load(path) as data:
            face, photo = read_landmarks(data), torch.from_numpy(data["pixels"])
            focal = float(data["focal"])
        if face is None:
            continue
        size, clock = (photo.shape[0], photo.shape[1]), time.perf_counter()
        start = fit_linear(model, face, size=size, focal=focal)
        between = time.perf_counter()
        fit = fit_photometric(model, [photo], [start])
        took = (between - clock, time.perf_counter() - between)
        rows = zip(("linear", "pixels"), (start, fit), took, strict=True)
        content = {
            f"{stage}_{name}": value
            for stage, result, seconds in rows
            for name, value in _result(model, result, seconds).items()
        }
        _save(found / path.parent.name / path.name, content)
        photos.append(photo)
        starts.append(start)
        used.append(path.stem)
    if len(used) > 1 and not alone:
        fit = fit_photometric(model, photos, starts)
        each = [placed(model, fit.parameters, row) for row in range(len(used))]
        content = {name: np.stack([one[name] for one in each]) for name in each[0]}
        group = paths[0].stem.split("-")[0]
        _save(found / paths[0].parent.name / f"{group}.npz", content | {"used": np.array(used)})


def _result(model: MorphableModel, result: Any, seconds: float) -> Arrays:
    return placed(model, result.parameters, 0) | {
        "converged": np.array(result.converged),
        "seconds": np.array(seconds),
    }


def save_model(model: MorphableModel, path: Path) -> None:
    """What the measuring process has to know of the model."""
    embedding = model.landmarks["478"]
    content = {
        "mean": model.identity.mean,
        "directions": model.identity.directions,
        "faces": model.faces[skin_faces(model)],
        "triangles": embedding.triangles,
        "barycentric": embedding.barycentric,
        "confidence": embedding.confidence,
    }
    arrays = {name: value.numpy() for name, value in content.items()}
    _save(path, arrays | {"origin": np.array(str(Path(morphface.__file__).parent))})


def _save(path: Path, content: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **content)


def main() -> None:
    """Fit every picture that is given."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("found", type=Path)
    options.add_argument("pictures", type=Path, nargs="+")
    options.add_argument("--alone", action="store_true", help="no fit of several pictures together")
    chosen = options.parse_args()
    model = load_model()
    save_model(model, chosen.found / "model.npz")
    groups = defaultdict(list)
    for path in chosen.pictures:
        groups[path.parent, path.stem.split("-")[0]].append(path)
    for paths in groups.values():
        fit_group(model, paths, chosen.found, alone=chosen.alone)


if __name__ == "__main__":
    main()
