"""How the shapes of neighbouring sounds run into each other.

Each sound has a dominance that decays on both sides of it, d(t) = a exp(-r |t - t0|), and the
mouth is the mean of all shapes, weighted by their dominances (Cohen and Massaro 1993; Lofqvist
1990). What touches is not averaged: contacts have a plateau of their own.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.edit.articulation import Gesture
from morphface.edit.visemes import Viseme

__all__ = ["blended", "contacts"]

_HOLD = 0.3
"""Share of a sound's length, about its middle, in which its dominance is whole."""
_BEFORE, _AFTER = 14.0, 18.0
"""How fast dominance decays before and after that, a second: lips begin some 120 ms before a
rounded vowel (Cohen and Massaro 1993 use 10 to 30)."""
_REACH = 0.6
"""Seconds beyond which a dominance is nothing."""
_TOGETHER = 1024
"""Frames that are worked out in one go."""
_CLOSING, _OPENING = 0.07, 0.06
"""Seconds that lips take to meet and to part (Lofqvist and Gracco 1997: 60 to 100 ms)."""
_RELEASE = 0.15
"""Share of a labial, at its end, in which it is released."""


def blended(
    gestures: Sequence[Gesture],
    times: Float[Tensor, " T"],
    value: Callable[[Gesture], Float[Tensor, " K"]],
    dominance: Callable[[Viseme], float],
) -> Float[Tensor, "T K"]:
    """The mean of what gestures aim at, weighted by their dominances at each time.

    Args:
        gestures: in the order of time, at least one.
        times: in seconds, rising.
        value: what a gesture aims at.
        dominance: how strongly a shape insists.
    """
    aims = torch.stack([value(g) for g in gestures]).double()
    strength = torch.tensor([max(dominance(g.viseme), 1e-3) for g in gestures]).double()
    starts = np.array([g.start for g in gestures])
    out = []
    for some in times.double().split(_TOGETHER):
        first = int(np.searchsorted(starts, float(some[0]) - _REACH))
        last = int(np.searchsorted(starts, float(some[-1]) + _REACH))
        near = slice(max(0, first - 1), max(last, 1))
        weight = strength[near] * _decay(gestures[near], some)
        out.append(weight @ aims[near] / weight.sum(dim=1, keepdim=True))
    return torch.cat(out).float()


def _decay(gestures: Sequence[Gesture], times: Float[Tensor, " T"]) -> Float[Tensor, "T G"]:
    middle = torch.tensor([(g.start + g.end) / 2 for g in gestures]).double()
    half = torch.tensor([(g.end - g.start) * _HOLD / 2 for g in gestures]).double()
    away = times[:, None] - middle
    before, after = (-away - half).clamp(min=0.0), (away - half).clamp(min=0.0)
    rest = torch.tensor([g.viseme.contact == "rest" for g in gestures])
    edge = torch.tensor([(g.end - g.start) / 2 for g in gestures]).double()
    outside = (away.abs() - edge).clamp(min=0.0)
    beyond = torch.where(away < 0, _BEFORE * outside, _AFTER * outside)
    return torch.exp(-torch.where(rest, beyond, _BEFORE * before + _AFTER * after))


def contacts(
    gestures: Sequence[Gesture], times: Float[Tensor, " T"], contact: str, step: float
) -> Float[Tensor, " T"]:
    """How far something touches at each time, 0 to 1; 1 in at least one frame of each sound.

    Args:
        gestures: in the order of time.
        times: of frames, in seconds.
        contact: of the shapes that count.
        step: seconds of a frame.
    """
    out = torch.zeros_like(times, dtype=torch.float64)
    for one in gestures:
        if one.viseme.contact != contact:
            continue
        start, end = _plateau(one, contact, step)
        near = slice(
            int(torch.searchsorted(times, start - _CLOSING)),
            int(torch.searchsorted(times, end + _OPENING)),
        )
        some = times[near].double()
        rise = ((some - (start - _CLOSING)) / _CLOSING).clamp(0.0, 1.0)
        fall = (((end + _OPENING) - some) / _OPENING).clamp(0.0, 1.0)
        out[near] = torch.maximum(out[near], _smooth(torch.minimum(rise, fall)))
    return out.float()


def _plateau(one: Gesture, contact: str, step: float) -> tuple[float, float]:
    """When it is closed; a little more than a frame, at least."""
    if contact == "rest":
        return min(one.start + _CLOSING, one.end), max(one.start + _CLOSING, one.end - _CLOSING)
    start, end = one.start, one.end - _RELEASE * (one.end - one.start)
    lack = max(0.0, 1.05 * step - (end - start)) / 2
    return start - lack, end + lack


def _smooth(share: Tensor) -> Tensor:
    return share * share * (3.0 - 2.0 * share)
