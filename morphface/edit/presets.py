"""Expressions with names: what people ask for, as weights of the 52 ARKit blendshapes.

Who asks for a sad face does not want its smile kept: a preset says of each group of expressions
whether it takes the place of what is there, or joins it.
"""

from collections.abc import Mapping
from math import prod

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.edit.names import unknown

__all__ = [
    "ARKIT_NAMES",
    "PRESETS",
    "REPLACED",
    "group_of",
    "mirrored",
    "mirrored_name",
    "preset",
    "with_presets",
]

_SIDED = (
    *("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn"),
    *("eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown"),
    *("mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
)
_DIRECTED = ("jaw", "mouth")
_MIDDLE = (
    *("browInnerUp", "cheekPuff", "jawForward", "jawOpen", "mouthClose", "mouthFunnel"),
    *("mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    "tongueOut",
)
ARKIT_NAMES = tuple(
    sorted((*(f"{n}{side}" for n in (*_SIDED, *_DIRECTED) for side in ("Left", "Right")), *_MIDDLE))
)
"""The 52 names, in alphabetical order."""


def _both(**weights: float) -> dict[str, float]:
    """The same weights on both sides."""
    return {f"{name}{side}": w for name, w in weights.items() for side in ("Left", "Right")}


def _wink(side: str) -> dict[str, float]:
    return {
        f"eyeBlink{side}": 1.0,
        f"eyeSquint{side}": 0.3,
        f"cheekSquint{side}": 0.7,
        f"mouthSmile{side}": 0.3,
        f"browDown{side}": 0.2,
    }


_VISEMES: dict[str, dict[str, float]] = {
    "sil": {},
    "PP": {**_both(mouthPress=0.5), "mouthRollUpper": 0.2, "mouthRollLower": 0.3},
    "FF": {**_both(mouthUpperUp=0.2), "mouthRollLower": 0.7, "jawOpen": 0.1},
    "TH": {**_both(mouthLowerDown=0.2), "jawOpen": 0.2, "tongueOut": 0.3},
    "DD": {**_both(mouthLowerDown=0.3, mouthStretch=0.15), "jawOpen": 0.15},
    "kk": {**_both(mouthLowerDown=0.25, mouthUpperUp=0.15), "jawOpen": 0.2},
    "CH": {**_both(mouthUpperUp=0.15), "mouthFunnel": 0.6, "jawOpen": 0.1},
    "SS": {**_both(mouthStretch=0.35, mouthLowerDown=0.25, mouthDimple=0.15), "jawOpen": 0.03},
    "nn": {**_both(mouthLowerDown=0.2, mouthDimple=0.1), "jawOpen": 0.12},
    "RR": {"mouthFunnel": 0.4, "mouthPucker": 0.2, "jawOpen": 0.12},
    "aa": {**_both(mouthLowerDown=0.25, mouthUpperUp=0.1), "jawOpen": 0.55},
    "E": {**_both(mouthStretch=0.3, mouthSmile=0.2, mouthLowerDown=0.25), "jawOpen": 0.25},
    "ih": {**_both(mouthStretch=0.3, mouthSmile=0.25, mouthLowerDown=0.2), "jawOpen": 0.15},
    "oh": {"mouthFunnel": 0.5, "mouthPucker": 0.25, "jawOpen": 0.4},
    "ou": {"mouthPucker": 0.8, "mouthFunnel": 0.25, "jawOpen": 0.12},
}
"""The 15 mouth shapes of speech that animation tools use."""

PRESETS: dict[str, dict[str, float]] = {
    "neutral": dict.fromkeys(ARKIT_NAMES, 0.0),
    "smile": _both(mouthSmile=0.7, mouthDimple=0.2, cheekSquint=0.4, eyeSquint=0.2),
    "laugh": {
        **_both(mouthSmile=0.9, cheekSquint=0.7, eyeSquint=0.4, mouthUpperUp=0.3),
        "jawOpen": 0.4,
    },
    "frown": _both(mouthFrown=0.7, browDown=0.5, mouthStretch=0.15),
    "sad": {
        **_both(mouthFrown=0.6, eyeSquint=0.2),
        "browInnerUp": 0.8,
        "mouthShrugLower": 0.4,
    },
    "angry": {**_both(browDown=0.9, noseSneer=0.5, eyeSquint=0.4, mouthPress=0.5)},
    "disgust": {**_both(noseSneer=0.9, mouthUpperUp=0.5, browDown=0.5, cheekSquint=0.4)},
    "fear": {
        **_both(eyeWide=0.8, mouthStretch=0.6, browOuterUp=0.3),
        "browInnerUp": 0.9,
        "jawOpen": 0.2,
    },
    "surprise": {
        **_both(browOuterUp=0.8, eyeWide=0.7),
        "browInnerUp": 0.8,
        "jawOpen": 0.5,
    },
    "blink": _both(eyeBlink=1.0),
    "squint": _both(eyeSquint=0.9, cheekSquint=0.4),
    "wink_left": _wink("Left"),
    "wink_right": _wink("Right"),
    "kiss": {**_both(mouthPress=0.2), "mouthPucker": 0.9, "mouthFunnel": 0.15},
    "puff": {**_both(mouthPress=0.3), "cheekPuff": 0.9},
    "open_mouth": {"jawOpen": 0.7},
    "tongue": {"jawOpen": 0.4, "tongueOut": 0.9},
    "raise_brows": {**_both(browOuterUp=0.9), "browInnerUp": 0.9},
    **{f"viseme_{name}": weights for name, weights in _VISEMES.items()},
}
"""Weights by preset. Left and right are the subject's."""

REPLACED: dict[str, frozenset[str]] = {name: frozenset({"mouth", "brows"}) for name in PRESETS} | {
    "neutral": frozenset({"mouth", "brows", "eyes"}),
    "raise_brows": frozenset({"brows"}),
    **dict.fromkeys(("kiss", "puff", "tongue"), frozenset({"mouth"})),
    **{f"viseme_{name}": frozenset({"mouth"}) for name in _VISEMES},
    **dict.fromkeys(("smile", "laugh"), frozenset({"brows"})),
    **dict.fromkeys(("blink", "squint", "wink_left", "wink_right", "open_mouth"), frozenset()),
}
"""Groups in which a preset replaces what is there; it joins what is there in the others."""


def preset(name: str, strength: float = 1.0) -> dict[str, float]:
    """The weights of a preset, by ARKit name.

    Args:
        name: one of `PRESETS`.
        strength: factor of the weights, from 0 to 1.

    Raises:
        ParameterError: there is no such preset, or the strength is out of range.
    """
    if name not in PRESETS:
        raise ParameterError(unknown("preset", name, PRESETS))
    if not 0.0 <= strength <= 1.0:
        raise ParameterError(f"the strength of a preset must be from 0 to 1, got {strength:g}")
    return {key: strength * weight for key, weight in PRESETS[name].items()}


def group_of(name: str) -> str:
    """What an expression moves: "brows", "eyes", or "mouth", which cheeks and nose belong to.

    Args:
        name: any ARKit name.
    """
    if name.startswith("brow"):
        return "brows"
    return "eyes" if name.startswith("eye") else "mouth"


def with_presets(
    now: Mapping[str, Float[Tensor, " T"]], strengths: Mapping[str, float]
) -> dict[str, Float[Tensor, " T"]]:
    """The weights that presets change, as they become.

    In the groups that they replace, presets leave of what is there as much as their strength lacks
    of 1, and are added to that. Elsewhere the stronger of both counts, so that a blink closes eyes
    that squint, and a smile on a smiling face is still that smile.

    Args:
        now: all weights of a face, by ARKit name.
        strengths: of each preset, from 0 to 1.

    Raises:
        ParameterError: there is no such preset, or a strength is out of range.
    """
    added = {name: preset(name, strength) for name, strength in strengths.items()}
    values = {}
    for name, value in now.items():
        over = [s for chosen, s in strengths.items() if group_of(name) in REPLACED[chosen]]
        more = sum(weights.get(name, 0.0) for weights in added.values())
        if over:
            left = prod(1.0 - strength for strength in over)
            values[name] = (left * value + more).clamp(0.0, 1.0)
        elif more:
            values[name] = value.clamp(min=min(more, 1.0))
    return values


def mirrored_name(name: str) -> str:
    """The ARKit name of the same movement on the other side of the face.

    Args:
        name: any ARKit name.
    """
    for here, there in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(here):
            return name.removesuffix(here) + there
    return name


def mirrored(weights: Mapping[str, float]) -> dict[str, float]:
    """The same expression on the other side of the face.

    Args:
        weights: by ARKit name.
    """
    return {mirrored_name(name): weight for name, weight in weights.items()}
