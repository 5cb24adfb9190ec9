"""What can be warned of in the frames of a track, from the track alone."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.verdict.measures import turn_of
from morphface.fit.verdict.record import WARNINGS, Warned
from morphface.parameters import LOST, Reason, Track

__all__ = ["frame_warnings", "warned_frames"]


def frame_warnings(track: Track) -> list[tuple[Warned, ...]]:
    """The warnings of each frame; none for frames in which the person is lost.

    They are "small", "cut", "turned", "contradictory" and "colours", whose number is 1.

    Args:
        track: of one person.
    """
    numbers = _numbers(track)
    out = []
    for k in range(track.frames):
        seen = int(track.states[k]) != LOST
        found = {name: float(values[k]) for name, values in numbers.items()} if seen else {}
        out.append(
            tuple(
                Warned(name, value)
                for name, value in found.items()
                if WARNINGS[name].passes(value, WARNINGS[name].limit)
            )
        )
    return out


def warned_frames(track: Track) -> dict[str, int]:
    """How many frames have each warning, the most frequent first.

    Args:
        track: of one person.
    """
    counts: dict[str, int] = {}
    for warnings in frame_warnings(track):
        for one in warnings:
            counts[one.name] = counts.get(one.name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _numbers(track: Track) -> dict[str, Float[Tensor, " T"]]:
    left, top, right, bottom = track.boxes.unbind(dim=1)
    height, width = track.camera.size
    whole = ((right - left) * (bottom - top)).clamp(min=1e-9)
    across = (right.clamp(max=width) - left.clamp(min=0)).clamp(min=0)
    along = (bottom.clamp(max=height) - top.clamp(min=0)).clamp(min=0)
    odd = torch.full_like(left, math.nan)
    if track.reasons is not None:
        odd[track.reasons == Reason.COLOURS] = 1.0
    return {
        "small": torch.maximum(right - left, bottom - top),
        "cut": 1 - across * along / whole,
        "turned": turn_of(track.parameters.rotation, track.parameters.translation),
        "contradictory": track.landmark_nme,
        "colours": odd,
    }
