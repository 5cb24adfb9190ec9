"""How wrong is a face that a method found? Four answers, each in millimetres of the subject.

- surface: from each of the subject's points to the found surface, after a similarity by all
  landmarks and a rigid motion by closest points; the parts of the face, and what is near the nose,
  are of these;
- now: the same in the region and after the alignment of the NoW challenge (Sanyal et al. 2019): a
  similarity by seven landmarks, then the one that makes the squared distances least;
- true_rigid, true_similar: from each point of an ICT head to its own place on the found mesh, after
  the best rigid motion or similarity of all these pairs. No closest points are involved;
- neutral_rigid, neutral_similar: likewise, of both heads without expression.

All but the first, and all parts of the face, leave out what lies in nostrils and mouth. Closest
points forgive what slides along the surface, and with it a smooth average face; own places do not.
"""

import hashlib
from pathlib import Path

import numpy as np

from benchmarks import surfaces
from benchmarks.faces import Face, Places
from benchmarks.regions import NOW_MARKS, now_region
from benchmarks.subjects import Shot
from benchmarks.surfaces import (
    Surface,
    brought_together,
    distances,
    register,
    register_scaled,
)

__all__ = ["measure", "remembered"]

Errors = dict[str, np.ndarray]


def measure(face: Face, shot: Shot, places: Places | None) -> Errors:
    """All errors of one face; without places, those of its surface alone."""
    points, marks = shot.points.double().numpy(), shot.marks.double().numpy()
    surface = Surface(face.vertices, face.faces)
    both = np.isfinite(marks).all(1) & np.isfinite(face.marks).all(1)
    pose = register(points, surface, brought_together(marks[both], face.marks[both]))
    found = {"surface": distances(points, surface, pose)}
    outer = np.ones(len(points), bool) if shot.outer is None else shot.outer.numpy()
    seven, region = list(NOW_MARKS), points[outer & now_region(points, marks)]
    pose = register_scaled(region, surface, brought_together(marks[seven], face.marks[seven]))
    found["now"] = distances(region, surface, pose)
    if places is None or shot.neutral is None:
        return found
    if places.marks:
        truth, told = marks[: len(places.triangles)], places.points(face.vertices)
        return found | _true("true", told, truth, metric=face.metric)
    told = places.points(face.vertices)[outer]
    found |= _true("true", told, points[outer], metric=face.metric)
    if face.neutral is not None:
        still, told = shot.neutral.double().numpy(), places.points(face.neutral)
        found |= _true("neutral", told[outer], still[outer], metric=face.metric)
    return found


def _true(name: str, points: np.ndarray, truth: np.ndarray, *, metric: bool) -> Errors:
    found = {}
    for kind, scaled in (("rigid", False), ("similar", True)):
        if scaled or metric:
            moved = brought_together(points, truth, scaled=scaled).apply(points)
            found[f"{name}_{kind}"] = np.linalg.norm(moved - truth, axis=1)
    return found


def remembered(face: Face, shot: Shot, places: Places | None, cache: Path) -> Errors:
    """`measure`, or what it said when it was last asked exactly this."""
    path = cache / f"{_key(face, shot, places)}.npz"
    if path.exists():
        with np.load(path) as data:
            return {name: data[name].astype(np.float64) for name in data.files}
    found = measure(face, shot, places)
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: x.astype(np.float32) for name, x in found.items()})
    return found


def _key(face: Face, shot: Shot, places: Places | None) -> str:
    """A hash of everything that the errors depend on, the code included."""
    digest = hashlib.sha256()
    for module in (__file__, surfaces.__file__):
        digest.update(Path(module).read_bytes())
    told = [face.vertices, face.faces, face.marks, face.neutral, np.array(face.metric)]
    told += [
        shot.points.numpy(),
        shot.marks.numpy(),
        None if shot.outer is None else shot.outer.numpy(),
    ]
    told += [now_region(shot.points.double().numpy(), shot.marks.double().numpy())]
    told += [places.triangles, places.barycentric] if places else []
    for array in told:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]
