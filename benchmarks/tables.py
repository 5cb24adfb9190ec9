"""From the errors of single pictures to one row for each method."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.regions import PARTS, near_nose, part_of_points
from benchmarks.subjects import Shot

__all__ = ["printed", "row", "split"]

Errors = dict[str, np.ndarray]
SHOWN = {
    "median_mm": "median",
    "mean_mm": "mean",
    "worst_median_mm": "worst",
    "near_nose_mean_mm": "85 mm",
    **{f"{part}_mm": part.split()[0] for part in PARTS},
    "true_rigid_mm": "true",
    "true_similar_mm": "scaled",
    "neutral_rigid_mm": "neutral",
    "now_median_mm": "NoW",
    "now_mean_mm": "mean",
    "now_std_mm": "std",
}


def split(errors: Errors, shot: Shot, parts: np.ndarray) -> Errors:
    """The errors, with those of each part of the face and those near the nose.

    Args:
        errors: of `benchmarks.measures`.
        shot: the picture.
        parts: of the landmarks.
    """
    points, marks = shot.points.double().numpy(), shot.marks.double().numpy()
    surface, part = errors["surface"], part_of_points(points, marks, parts)
    outer = np.ones(len(points), bool) if shot.outer is None else shot.outer.numpy()
    each = {name: surface[outer & (part == index)] for index, name in enumerate(PARTS)}
    return errors | each | {"near_nose_mean": surface[outer & near_nose(points, marks)]}


def row(case: str, found: Sequence[Errors], pictures: int) -> dict[str, Any]:
    """One method: medians over pictures, but for the NoW numbers, over all points of all."""
    if not found:
        return {"case": case, "pictures": pictures, "faces_found": 0}
    surface = [errors["surface"] for errors in found]
    now = np.concatenate([errors["now"] for errors in found])
    numbers = {
        "median": np.median([np.median(d) for d in surface]),
        "mean": np.median([d.mean() for d in surface]),
        "std": np.median([d.std() for d in surface]),
        "worst_median": max(np.median(d) for d in surface),
    }
    names = (*PARTS, "near_nose_mean", "true_rigid", "true_similar")
    for name in (*names, "neutral_rigid", "neutral_similar"):
        means = [e[name].mean() for e in found if len(e.get(name, ()))]
        numbers |= {name: np.median(means)} if means else {}
    numbers |= {"now_median": np.median(now), "now_mean": now.mean(), "now_std": now.std()}
    rounded = {f"{name}_mm": round(float(x), 3) for name, x in numbers.items()}
    return {"case": case, "pictures": pictures, "faces_found": len(found), **rounded}


def printed(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table to read."""
    wide = max(len(r["case"]) for r in rows)
    lines = [" " * wide + "".join(f"{title[:8]:>9}" for title in SHOWN.values())]
    for r in rows:
        cells = (f"{r[name]:9.3f}" if name in r else f"{'-':>9}" for name in SHOWN)
        lines.append(f"{r['case']:{wide}}" + "".join(cells))
    return "\n".join(lines)
