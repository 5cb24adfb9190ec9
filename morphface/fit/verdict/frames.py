"""How far the frames of a track may be believed, from the track alone."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.fit.verdict.measures import Measures, turn_of
from morphface.fit.verdict.record import WARNINGS, Warned, check_kinds
from morphface.parameters import LOST, Reason, Track

__all__ = [
    "FRAME_WARNINGS",
    "check_frame_kinds",
    "frame_measures",
    "frame_warnings",
    "judge_track",
    "refuse_frames",
    "warned_frames",
]

FRAME_WARNINGS = ("small", "cut", "turned", "contradictory", "colours")
"""The warnings that frames of a track have; the number of "colours" is 1."""


def check_frame_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """The names of warnings that frames of a track can have; "all" is every one of them.

    Args:
        names: as people type them.

    Raises:
        ParameterError: one of them is no warning, or none of frames.
    """
    if list(names) == ["all"]:
        return FRAME_WARNINGS
    for name in check_kinds(list(names)):
        if name not in FRAME_WARNINGS:
            raise ParameterError(
                f"{name!r} is measured in photos, not in the frames of videos, whose warnings are "
                f"{', '.join(FRAME_WARNINGS)}: choose among these"
            )
    return tuple(names)


def judge_track(track: Track) -> Track:
    """The track with the warnings of each frame.

    Args:
        track: of one person.
    """
    found = frame_warnings(track)
    names = [
        name for name in FRAME_WARNINGS if any(one.name == name for all in found for one in all)
    ]
    numbers = {name: torch.full((track.frames,), math.nan) for name in names}
    for k, warnings in enumerate(found):
        for one in warnings:
            numbers[one.name][k] = one.value
    return replace(track, warnings=numbers)


def refuse_frames(track: Track, names: Sequence[str]) -> Track:
    """The track, lost in the frames that have one of some warnings.

    Args:
        track: of one person.
        names: of `FRAME_WARNINGS`.
    """
    refused = torch.tensor([any(w.name in names for w in one) for one in frame_warnings(track)])
    if not bool(refused.any()):
        return track
    reasons = torch.zeros_like(track.states) if track.reasons is None else track.reasons
    return replace(
        track,
        states=torch.where(refused, LOST, track.states),
        boxes=torch.where(refused[:, None], math.nan, track.boxes),
        reasons=torch.where(refused, int(Reason.REFUSED), reasons),
    )


def frame_warnings(track: Track) -> list[tuple[Warned, ...]]:
    """The warnings of each frame, see `FRAME_WARNINGS`; none where the person is lost.

    Args:
        track: of one person.
    """
    return [() if one is None else _warned(one) for one in frame_measures(track)]


def _warned(measures: Measures) -> tuple[Warned, ...]:
    values = {name: getattr(measures, name) for name in FRAME_WARNINGS}
    return tuple(
        Warned(name, value)
        for name, value in values.items()
        if WARNINGS[name].passes(value, WARNINGS[name].limit)
    )


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


def frame_measures(track: Track) -> list[Measures | None]:
    """What is measured in each frame; None where the person is lost.

    Args:
        track: of one person.
    """
    numbers = {name: values.tolist() for name, values in _numbers(track).items()}
    return [
        None if state == LOST else Measures(**{name: numbers[name][k] for name in numbers})
        for k, state in enumerate(track.states.tolist())
    ]


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
