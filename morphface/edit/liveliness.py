"""What else moves in a face that speaks: blinks, brows and the head. By chance, but seeded.

Blinks come some 17 times a minute in conversation (Bentivoglio et al. 1997), rather in pauses;
heads nod and brows rise with the accents of pitch (Munhall et al. 2004; Cavé et al. 1996).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.edit.pose import turned_to
from morphface.edit.visemes import both
from morphface.edit.weights import with_weights
from morphface.geometry.angles import angles_to_rotvec
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.speech import Speech, Voice
from morphface.speech.voice import STEP

__all__ = ["Life", "accents", "blink_times", "enlivened"]

_BETWEEN = (3.5, 1.0)
"""Mean and least seconds between two blinks: 17 a minute, as people blink in conversation."""
_IN_PAUSE, _LONG_PAUSE = 0.6, 0.35
"""How likely a pause of so many seconds brings a blink."""
_BLINK = (0.07, 0.04, 0.14)
"""Seconds in which lids close, stay closed, and open (Bentivoglio et al. 1997)."""
_BROWS = both(browInnerUp=0.22, browOuterUp=0.16)
"""What a whole accent adds to the brows."""
_NOD = math.radians(2.2)
"""How far a whole accent nods, the chin down."""
_SWAY = tuple(math.radians(angle) for angle in (2.0, 1.2, 1.0))
"""Root mean square of slow turns in yaw, pitch and roll (Munhall et al. 2004: a few degrees)."""
_SLOW = 0.9
"""Seconds over which slow turns are smooth."""
_ACCENT = 0.12
"""Seconds of a rise or fall of an accent."""
_RANGE = 4.0
"""Semitones above the usual pitch that make a whole accent, or as many decibels above the usual
loudness."""
_APART = 0.45
"""Seconds between two accents, at least."""


@dataclass(frozen=True)
class Life:
    """How lively a face is.

    Args:
        amount: 1 as usual, 0 not at all.
        seed: of chance.
    """

    amount: float = 1.0
    seed: int = 0


def enlivened(
    face: FaceParameters,
    speech: Speech,
    times: Float[Tensor, " T"],
    *,
    model: MorphableModel,
    life: Life,
) -> FaceParameters:
    """A face that speaks, with blinks, brows and head as they go with that.

    Args:
        face: of one frame for each time.
        speech: what is said.
        times: of the frames, in seconds.
        model: that the face belongs to.
        life: how much.
    """
    from morphface.models.conversion import arkit_weights

    now = arkit_weights(face, model)
    strength = accents(speech.voice, times, speech.seconds) * life.amount
    brows = {name: (now[name] + w * strength).clamp(0.0, 1.0) for name, w in _BROWS.items()}
    moved = with_weights(face, model, brows | _blinks(now, speech, times, life))
    sway = _sway(times, life)
    sway[:, 1] -= _NOD * strength
    turn = angles_to_rotvec(sway)
    return turned_to(moved, roma.rotvec_composition([turn, moved.rotation]))


def _blinks(
    now: Mapping[str, Float[Tensor, " T"]],
    speech: Speech,
    times: Float[Tensor, " T"],
    life: Life,
) -> dict[str, Float[Tensor, " T"]]:
    """The lids: from as open as they are to closed."""
    shut = torch.zeros_like(times, dtype=torch.float32)
    if life.amount > 0:
        for begin in blink_times(speech, life):
            shut = torch.maximum(shut, _lid(times.float() - begin))
    return {n: torch.lerp(now[n], torch.ones_like(shut), shut) for n in both(eyeBlink=1.0)}


def _lid(since: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """How far a lid is closed so long after a blink began."""
    closing, held, opening = _BLINK
    down = (since / closing).clamp(0.0, 1.0)
    up = ((closing + held + opening - since) / opening).clamp(0.0, 1.0)
    share = torch.minimum(down, up)
    return share * share * (3.0 - 2.0 * share)


def blink_times(speech: Speech, life: Life) -> list[float]:
    """When blinks begin: in pauses, rather, and often enough.

    Args:
        speech: what is said.
        life: how lively the face is; more of it blinks more often.
    """
    chance = np.random.default_rng(life.seed)
    mean, least = _BETWEEN[0] / max(life.amount, 1e-3), _BETWEEN[1]
    pauses = [p for p in _pauses(speech) if chance.random() < _IN_PAUSE]
    out: list[float] = []
    wait = least + chance.gamma(2.0, max(mean - least, 0.1) / 2.0)
    now = 0.0
    while True:
        inside = [p for p in pauses if now + least <= p < now + wait]
        now = inside[0] if inside else now + wait
        if now >= speech.seconds:
            return out
        out.append(now)
        wait = least + chance.gamma(2.0, max(mean - least, 0.1) / 2.0)


def _pauses(speech: Speech) -> Iterator[float]:
    """Where long pauses begin."""
    last = 0.0
    for one in speech.phonemes:
        if one.start - last >= _LONG_PAUSE:
            yield last + 0.05
        last = one.end


def accents(voice: Voice, times: Float[Tensor, " T"], seconds: float) -> Float[Tensor, " T"]:
    """How strongly each moment is accented, 0 to 1: a bump at each peak of pitch and loudness.

    Args:
        voice: that speaks.
        times: in seconds.
        seconds: length of the sound.
    """
    prominence = _prominence(voice)
    out = torch.zeros_like(times, dtype=torch.float32)
    for peak, strength in _peaks(prominence):
        since = (times.float() - peak * STEP).abs() / (2.0 * _ACCENT)
        out = torch.maximum(out, strength * (0.5 + 0.5 * torch.cos(math.pi * since.clamp(max=1.0))))
    return out


def _prominence(voice: Voice) -> Float[Tensor, " N"]:
    """How far pitch and loudness are above their usual together, in whole accents."""
    sounding = (voice.pitch > 0) & voice.speaks
    if not bool(sounding.any()):
        return torch.zeros_like(voice.loudness)
    tones = 12.0 * torch.log2(voice.pitch.clamp(min=1.0))
    higher = (tones - tones[sounding].median()).clamp(-12.0, 12.0)
    louder = voice.loudness - voice.loudness[sounding].median()
    both_ = torch.where(sounding, (higher + louder) / (2.0 * _RANGE), 0.0)
    smooth = torch.nn.functional.avg_pool1d(both_[None], 11, 1, 5, count_include_pad=False)[0]
    return smooth[: len(both_)].clamp(0.0, 1.0)


def _peaks(prominence: Float[Tensor, " N"]) -> Iterator[tuple[int, float]]:
    """Steps and strengths of peaks, the strongest of those that are close to each other."""
    apart = round(_APART / STEP)
    highest = torch.nn.functional.max_pool1d(prominence[None], 2 * apart + 1, 1, apart)[0]
    for step in torch.nonzero((prominence == highest) & (prominence > 0.15))[:, 0].tolist():
        yield step, float(prominence[step])


def _sway(times: Float[Tensor, " T"], life: Life) -> Float[Tensor, "T 3"]:
    """Slow turns in yaw, pitch and roll that begin and end nowhere."""
    chance = np.random.default_rng(life.seed + 1)
    last = float(times[-1])
    knots = np.arange(-2.0 * _SLOW, last + 3.0 * _SLOW, _SLOW)
    values = chance.normal(size=(len(knots), 3)) * np.array(_SWAY)
    place = (times.double().numpy() - knots[0]) / _SLOW
    base = np.floor(place).astype(int)
    share = (place - base)[:, None]
    pieces = [values[np.clip(base + k, 0, len(knots) - 1)] for k in (-1, 0, 1, 2)]
    weights = (
        *((1 - share) ** 3 / 6, (3 * share**3 - 6 * share**2 + 4) / 6),
        *((-3 * share**3 + 3 * share**2 + 3 * share + 1) / 6, share**3 / 6),
    )
    smooth = sum(w * p for w, p in zip(weights, pieces, strict=True))
    onset = np.clip(times.double().numpy() / _SLOW, 0.0, 1.0)[:, None]
    return torch.from_numpy(np.asarray(smooth * onset * life.amount)).float()
