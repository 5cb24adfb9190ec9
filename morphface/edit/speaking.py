"""A face that says what is heard: speech in, parameters of each frame out.

Expressions by name make the mouth (`visemes.py`, `coarticulation.py`); contacts of the lips are
then solved for on the face itself, so that they close whatever its shape is. Eyes, brows and head
come along (`liveliness.py`). What comes out are parameters like any other.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.edit.articulation import Gesture, gestures
from morphface.edit.coarticulation import blended, contacts
from morphface.edit.frames import repeated
from morphface.edit.liveliness import Life, enlivened
from morphface.edit.openings import openings_of
from morphface.edit.presets import ARKIT_NAMES, group_of, preset
from morphface.edit.visemes import ROUNDING
from morphface.edit.weights import with_weights
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.speech import Speech

__all__ = ["Manner", "speech_curves", "speech_to_motion"]

_OPENERS = (
    *("jawOpen", "jawForward", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower"),
    *("mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthLowerDown", "mouthUpperUp"),
    *("mouthPress", "mouthStretch", "tongueOut", "cheekPuff"),
)
"""Movements, on both sides, that speech decides; of the others a face keeps what it has."""
_KEPT = 0.5
"""Share of a smile, or of any other set of the mouth, that a face keeps while it speaks; rounded
lips leave less of it."""
_ROUND_LIPS = 0.5
"""Rounding (pucker and funnel together) that leaves nothing of that: a smile pulls the corners of
the mouth as far out as this pulls them in."""
_APART = 2.0
"""Millimetres that the lips of a close rounded sound, as u or w, are apart beyond those at rest
(looked at on photos)."""
_CLOSED = 0.3
"""Millimetres between the landmarks of lips that are pressed together, as of p, b and m."""
_TOUCHED = 1.2
"""Gap of lips of which the lower one touches the teeth, as a share of that of closed lips: an edge
of the teeth shows."""
_REACH = 4.0
"""Millimetres between lips that a jaw holds apart which these take up; a longer reach looks like a
long chin (looked at on photos)."""
_LIMITS = (0.0, 2.0)


@dataclass(frozen=True)
class Manner:
    """How somebody speaks.

    Args:
        articulation: how far mouths go in all, 1 as usual, 0 to 2.
        jaw: of that, how far the jaw goes.
        lips: and how far the lips.
        liveliness: how much blinks, brows and head do, 0 to 2; 0 leaves them still.
        preset: expressions of `PRESETS` with their strengths, under the speech.
        seed: of what is left to chance.

    Raises:
        ParameterError: a number is out of range, or there is no such preset.
    """

    articulation: float = 1.0
    jaw: float = 1.0
    lips: float = 1.0
    liveliness: float = 1.0
    preset: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("articulation", "jaw", "lips", "liveliness"):
            value = getattr(self, name)
            if not (math.isfinite(value) and _LIMITS[0] <= value <= _LIMITS[1]):
                raise ParameterError(f"{name} must be from 0 to 2, got {value:g}")
        for name, strength in self.preset.items():
            preset(name, strength)


def speech_curves(
    speech: Speech, times: Float[Tensor, " T"], manner: Manner | None = None
) -> dict[str, Float[Tensor, " T"]]:
    """Weights of the mouth by ARKit name at each time, before lips meet on a face.

    Args:
        speech: what is said.
        times: in seconds, rising.
        manner: how it is said.
    """
    return _curves(gestures(speech.phonemes, speech.voice, speech.seconds), times, manner)


def _curves(
    spoken: list[Gesture], times: Float[Tensor, " T"], manner: Manner | None
) -> dict[str, Float[Tensor, " T"]]:
    how = manner or Manner()
    jaw_size, lip_size = how.articulation * how.jaw, how.articulation * how.lips
    names = sorted({name for one in spoken for name in one.viseme.lips})

    def jaw(one: Gesture) -> Tensor:
        return torch.tensor([one.viseme.jaw * (one.gain if one.viseme.vowel else 1.0)])

    def lips(one: Gesture) -> Tensor:
        return torch.tensor([one.viseme.lips.get(name, 0.0) for name in names])

    opened = blended(spoken, times, jaw, lambda v: v.jaw_dominance)[:, 0] * jaw_size
    round_ = torch.tensor([name in ROUNDING for name in names])
    shaped = lip_size * torch.where(
        round_,
        blended(spoken, times, lips, lambda v: v.rounding_dominance),
        blended(spoken, times, lips, lambda v: v.lip_dominance),
    )
    out = {name: shaped[:, k].clamp(0.0, 1.0) for k, name in enumerate(names)}
    return {"jawOpen": opened.clamp(0.0, 1.0)} | out


def speech_to_motion(
    face: FaceParameters,
    speech: Speech,
    times: Float[Tensor, " T"],
    *,
    model: MorphableModel | None = None,
    manner: Manner | None = None,
) -> FaceParameters:
    """The face as it speaks, a frame for each time.

    Args:
        face: of one frame, or one for each time: who speaks; what of its mouth is not speech
            (a smile) stays in part.
        speech: what is said.
        times: of the frames, in seconds of the sound, evenly rising.
        model: that the face belongs to; None means the open head.
        manner: how it is said.

    Raises:
        ParameterError: times do not rise.
        ShapeError: the face has another number of frames, or is of another model.
    """
    head, how = model or load_model("open-head"), manner or Manner()
    if len(times) < 1 or bool((times.diff() <= 0).any()):
        raise ParameterError("times must rise, a number for each frame")
    spoken = gestures(speech.phonemes, speech.voice, speech.seconds)
    frames = repeated(face, len(times))
    weights = _joined(_base(frames, head, how), _curves(spoken, times, how))
    moved = with_weights(frames, head, weights)
    moved = _touching(moved, head, weights["jawOpen"], spoken, times)
    life = Life(how.liveliness, how.seed)
    return enlivened(moved, speech, times, model=head, life=life) if how.liveliness else moved


def _joined(
    base: dict[str, Float[Tensor, " T"]], curves: dict[str, Float[Tensor, " T"]]
) -> dict[str, Float[Tensor, " T"]]:
    """What a face keeps and what it says, as weights."""
    nothing = torch.zeros_like(curves["jawOpen"])
    rounding = sum((curves.get(name, nothing) for name in ROUNDING), nothing)
    left = 1.0 - (rounding / _ROUND_LIPS).clamp(max=1.0)
    out = {}
    for name in {**base, **curves}:
        kept = base.get(name, nothing)
        kept = kept * left if group_of(name) == "mouth" else kept
        out[name] = (kept + curves.get(name, nothing)).clamp(0.0, 1.0)
    return out


def _base(
    face: FaceParameters, model: MorphableModel, how: Manner
) -> dict[str, Float[Tensor, " T"]]:
    """What of a face stays while it speaks, and what is put under its speech."""
    from morphface.models.conversion import arkit_weights

    now = arkit_weights(face, model)
    added: dict[str, float] = {}
    for name, strength in how.preset.items():
        for key, weight in preset(name, strength).items():
            added[key] = max(added.get(key, 0.0), weight)
    out = {}
    for name in ARKIT_NAMES:
        if group_of(name) != "mouth" and name not in added:
            continue
        opener = name.removesuffix("Left").removesuffix("Right") in _OPENERS
        kept = 1.0 if group_of(name) != "mouth" else (0.0 if opener else _KEPT)
        out[name] = torch.maximum(
            kept * now[name], torch.full_like(now[name], 0.0 if opener else added.get(name, 0.0))
        )
    return out


def _touching(
    face: FaceParameters,
    model: MorphableModel,
    jaw: Float[Tensor, " T"],
    spoken: list[Gesture],
    times: Float[Tensor, " T"],
) -> FaceParameters:
    """The face with lips that meet where they shall: `mouthClose` takes up what is between them.

    What lips do not reach the jaw leaves: it is lower in "aba" than in "ibi", but not as low as in
    "a" (Keating, Lindblom, Lubker and Kreiman 1994).
    """
    step = float(times.diff().median()) if len(times) > 1 else 0.04
    found = openings_of(face, model)
    if found is None:
        return face
    gap, shut = found.gaps[:, 2], max(float(found.neutral[2]), _CLOSED)
    wanted = gap
    aims = {"rest": shut, "round": shut + _APART, "teeth": _TOUCHED * shut, "lips": _CLOSED}
    for contact, aim in aims.items():
        share = contacts(spoken, times, contact, step)
        wanted = torch.lerp(wanted, wanted.clamp(max=aim), share)
    reached = (gap - wanted).clamp(max=_REACH)
    face = _nearer(face, model, {"jawOpen": jaw}, gap - wanted - reached)
    return _nearer(face, model, {"mouthClose": torch.zeros_like(gap)}, reached)


def _nearer(
    face: FaceParameters,
    model: MorphableModel,
    now: dict[str, Float[Tensor, " T"]],
    by: Float[Tensor, " T"],
) -> FaceParameters:
    """The face whose lips another weight of one expression brings so many millimetres nearer."""
    ((name, weight),) = now.items()
    tried = torch.where(weight > 0.5, weight - _TRIED, weight + _TRIED)
    gaps = [openings_of(each, model) for each in (face, with_weights(face, model, {name: tried}))]
    before, after = (each.gaps[:, 2] for each in gaps if each)
    slope = (before - after) / (tried - weight)
    slope = torch.where(slope.abs() < 1e-3, torch.inf, slope)
    return with_weights(face, model, {name: (weight + by / slope).clamp(0.0, 1.0)})


_TRIED = 0.1
"""Change of a weight by which its effect on the gap is found."""
