"""How far a fit of a spoilt picture is from the truth, and which warnings are right of it."""

import torch

from benchmarks.bench_fit import errors
from benchmarks.bench_linear_fit import Head
from benchmarks.moving import points68
from morphface.fit.verdict import WARNINGS
from morphface.fit.verdict.measures import turn_of
from morphface.fit.verdict.sight import look_at
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import outer_eye_distance
from morphface.landmarks.boxes import box_of
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["off", "right_warnings", "true_measures"]

_NAMED = {
    "blur": ("blurred", 0.04),
    "noise": ("noisy", 0.07),
    "occluder": ("occluded", 0.15),
    "jittered landmarks": ("landmarks_detector", 0.15),
    "rotated landmarks": ("landmarks_detector", 0.15),
    "swapped sides": ("landmarks_detector", 0.15),
    "another's landmarks": ("landmarks_detector", 0.15),
    "shifted landmarks": ("landmarks_detector", 0.15),
}
"""The warning that is right of a kind, from which amount on, where no picture tells."""


def off(
    model: MorphableModel, head: Head, found: FaceParameters, camera: Camera
) -> dict[str, float]:
    """How far a fit is from the truth.

    Args:
        model: the open head.
        head: the truth.
        found: one frame.
        camera: of the fit.

    Returns:
        Degrees, millimetres of the surface after a rigid motion, and the mean distance of the 68
        landmarks in eye distances.
    """
    wrong = errors(model, head, found)
    true = points68(model, head.parameters, head.camera)[0]
    far = (points68(model, found, camera)[0] - true).norm(dim=1).mean()
    return {
        "pose_degrees": wrong["pose_degrees"],
        "surface_mm": wrong["surface_mm"],
        "place": float(far / outer_eye_distance(true, "68").clamp(min=1e-6)),
    }


def right_warnings(kind: str, amount: float, shown: dict[str, float]) -> set[str]:
    """The names of the warnings that are right of a picture.

    Args:
        kind: what is wrong with it.
        amount: how much.
        shown: what it shows of the true face, see `true_measures`.
    """
    name, least = _NAMED.get(kind, ("", 0.0))
    found = {name} if name and amount > least else set()
    return found | {
        name for name, value in shown.items() if WARNINGS[name].passes(value, WARNINGS[name].limit)
    }


def true_measures(model: MorphableModel, head: Head, photo: Photo) -> dict[str, float]:
    """What a picture shows of the true face, whatever is fitted to it, by the names of warnings.

    Args:
        model: the open head.
        head: the truth, with the camera of the picture.
        photo: the picture.
    """
    sight = look_at(model, head.parameters, head.camera, photo, None)
    left, top, right, bottom = box_of(_points478(model, head))
    seen = sight.weight > 0
    p = head.parameters
    return {
        "small": max(right - left, bottom - top),
        "dark": float(sight.shown[seen].mean(dim=1).median()) if bool(seen.any()) else 0.0,
        "saturated": sight.mean((sight.shown >= 0.98).any(dim=1).float()),
        "cut": float(1 - (sight.face * sight.inside).sum() / sight.face.sum().clamp(min=1e-9)),
        "turned": float(turn_of(p.rotation[0], p.translation[0])),
    }


def _points478(model: MorphableModel, head: Head) -> torch.Tensor:
    """Where the detector's points lie on the true face, in pixels."""
    p = head.parameters
    shape = model.vertices(p.identity, p.expression, p.gaze)
    points = to_camera(model.landmarks["478"].points(shape), p.rotation, p.translation)
    return head.camera.project(points)[0, :, :2]
