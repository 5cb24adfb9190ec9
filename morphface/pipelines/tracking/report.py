"""What a track says of itself: how much was seen, how well, how steadily."""

import math
from typing import Any

import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.evaluate.motion import jitter
from morphface.fit.verdict import WARNINGS, Warned
from morphface.geometry.camera import to_camera
from morphface.media.crop import box_drift
from morphface.models import MorphableModel
from morphface.parameters.track import LOST, PREDICTED, TRACKED, Track

__all__ = [
    "blink_rate",
    "describe_track",
    "landmark_paths",
    "lost_warnings",
    "still_jitter",
    "warned_of",
]

_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_SHUT, _OPEN = 0.5, 0.3
_STILL = (0.004, 0.6, 3.0)
"""By how much a still head turns (radians), moves across and along the line of sight (mm), at most
and in a frame of a 25th of a second."""
_REACH = 4
_MUCH = 0.5  # share of frames from which there is a warning
_CHUNK = 256


def describe_track(track: Track, model: MorphableModel) -> dict[str, Any]:
    """The numbers of one person for a report; None where there is nothing to measure."""
    error = track.landmark_nme[track.landmark_nme.isfinite()]
    seen = track.boxes.isfinite().all(dim=-1)
    steady = still_jitter(track, model)
    return {
        "frames": track.frames,
        "frames_tracked": track.count(TRACKED),
        "frames_predicted": track.count(PREDICTED),
        "frames_lost": track.count(LOST),
        "lost_because": track.why(LOST),
        "odd_frames": track.why(TRACKED),
        "quality": _rounded(track.quality, 4),
        "warnings": warned_of(track),
        "landmark_error": _rounded(float(error.mean()) if len(error) else None, 5),
        "landmark_error_worst": _rounded(float(error.max()) if len(error) else None, 5),
        "jitter_pixels": _rounded(steady, 4),
        "box_drift": _rounded(
            box_drift(track.boxes, track.camera.size) if bool(seen.any()) else None, 4
        ),
        "blinks_per_minute": _rounded(blink_rate(track, model), 2),
        "focal_pixels": _rounded(float(track.camera.focal.flatten()[0]), 2),
    }


def warned_of(track: Track) -> list[dict[str, Any]]:
    """Each kind of warning: in how many frames, the worst number, and in words.

    Args:
        track: that was judged, see `fit.verdict.judge_track`.
    """
    out = []
    for name, values in (track.warnings or {}).items():
        found = values[values.isfinite()]
        worst = float(found.min() if WARNINGS[name].below else found.max())
        words = f"in {len(found)} frames {Warned(name, worst).words}, at worst"
        out.append(
            {"name": name, "frames": len(found), "worst": _rounded(worst, 4), "words": words}
        )
    return sorted(out, key=lambda one: -one["frames"])


def lost_warnings(tracks: dict[int, Track]) -> list[str]:
    """A sentence for each person who is lost in much of a video, or whose colours do not fit.

    Args:
        tracks: of each person, by number.
    """
    out = []
    for number, track in tracks.items():
        for words, state in (("lost", LOST), ("odd", TRACKED)):
            reasons = track.why(state)
            share = sum(reasons.values()) / track.frames
            if share >= _MUCH:
                most = next(iter(reasons))
                out.append(f"person {number} is {words} in {share:.0%} of the frames: {most}")
    return out


def blink_rate(track: Track, model: MorphableModel) -> float | None:
    """Blinks in a minute in which the face was seen; None where the model has no blinks.

    An eye counts as shut above a weight of a half, and as open again below 0.3.
    """
    names = model.expression.names
    seen = track.states != LOST
    if not set(_BLINKS) <= set(names) or int(seen.sum()) < 2:
        return None
    columns = [names.index(name) for name in _BLINKS]
    weights = track.parameters.expression[:, columns].mean(dim=-1)
    blinks, shut = 0, True
    for weight, there in zip(weights.tolist(), seen.tolist(), strict=True):
        if not there or weight < _OPEN:
            shut = not there
        elif weight > _SHUT and not shut:
            blinks, shut = blinks + 1, True
    steps = track.times.diff()
    minutes = float(steps[seen[1:]].sum()) / 60
    return blinks / minutes if minutes > 0 else None


def landmark_paths(track: Track, model: MorphableModel) -> Float[Tensor, "T 68 2"] | None:
    """Where the 68 points are in each frame, in pixels; None where the model has none."""
    if "68" not in model.landmarks:
        return None
    embedding = model.landmarks["68"]
    found = []
    for begin in range(0, track.frames, _CHUNK):
        face = track[begin : begin + _CHUNK].parameters
        shape = model.vertices(face.identity, face.expression, face.gaze)
        points = to_camera(embedding.points(shape), face.rotation, face.translation)
        found.append(track.camera.project(points)[..., :2])
    return torch.cat(found)


def still_jitter(track: Track, model: MorphableModel) -> float | None:
    """Mean absolute second difference of the 68 points over frames where the head is still.

    In pixels; None where it never is. The head is still where over nine frames it turns by less
    than 5.7 degrees a second, and moves by less than 15 mm a second, or 75 mm to or fro.
    """
    points = landmark_paths(track, model)
    if points is None or len(points) < 3:
        return None
    seen = track.states != LOST
    whole = seen[2:] & seen[1:-1] & seen[:-2]
    even = (track.indices.diff().diff() == 0) & whole & _still(track)[1:-1]
    return float(jitter(points)[even].mean()) if bool(even.any()) else None


def _still(track: Track) -> Bool[Tensor, " T"]:
    here = torch.arange(track.frames)
    before, after = (here - _REACH).clamp(min=0), (here + _REACH).clamp(max=track.frames - 1)
    frames = (track.times[after] - track.times[before]).clamp(min=1e-6) * 25
    turns = roma.rotvec_to_rotmat(track.parameters.rotation)
    turned = roma.rotmat_geodesic_distance(turns[before], turns[after])
    moved = (track.parameters.translation[after] - track.parameters.translation[before]).abs()
    motion = torch.stack([turned, moved[:, :2].norm(dim=-1), moved[:, 2]], dim=-1)
    return (motion / frames[:, None] < motion.new_tensor(_STILL)).all(dim=-1)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
