"""Short acts of a face: speech, blinks, smiles and frowns, each with its rise and fall."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.synthetic.dice import Dice

__all__ = ["ACTS", "acted"]

ACTS: dict[str, tuple[float, float, dict[str, float]]] = {
    "open vowel": (0.30, 8.0, {"jawOpen": 0.65, "mouthLowerDown": 0.3, "mouthUpperUp": 0.2}),
    "spread vowel": (0.20, 8.0, {"jawOpen": 0.25, "mouthStretch": 0.5, "mouthSmile": 0.3}),
    "round vowel": (0.18, 8.0, {"jawOpen": 0.35, "mouthFunnel": 0.7}),
    "pursed": (0.10, 8.0, {"mouthPucker": 0.8}),
    "closed": (0.10, 6.0, {"mouthPress": 0.5, "mouthRollLower": 0.4, "mouthRollUpper": 0.3}),
    "teeth": (0.15, 10.0, {"mouthLowerDown": 0.6, "mouthUpperUp": 0.6, "jawOpen": 0.1}),
    "blink": (0.14, 6.0, {"eyeBlink": 1.0}),
    "smile": (0.22, 40.0, {"mouthSmile": 0.8, "cheekSquint": 0.5, "eyeSquint": 0.3}),
    "laugh": (
        0.08,
        40.0,
        {"mouthSmile": 0.9, "jawOpen": 0.5, "cheekSquint": 0.8, "eyeSquint": 0.6},
    ),
    "frown": (0.08, 40.0, {"mouthFrown": 0.7, "browDown": 0.7}),
    "surprise": (0.10, 25.0, {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.7}),
    "sneer": (0.04, 25.0, {"noseSneer": 0.7, "mouthUpperUp": 0.4}),
    "puff": (0.03, 25.0, {"cheekPuff": 0.8}),
    "yawn": (0.03, 50.0, {"jawOpen": 0.95, "eyeSquint": 0.5}),
    "jaw aside": (0.04, 25.0, {"jawLeft": 0.6}),
    "mouth aside": (0.04, 25.0, {"mouthRight": 0.6}),
}
"""Share of time that each takes, its duration in frames, and weights of what it moves (both sides,
where it has two)."""


def acted(
    expression: Float[Tensor, "T E"], names: Sequence[str], dice: Dice
) -> Float[Tensor, "T E"]:
    """Weights with acts laid over them, each at a random moment of it.

    Args:
        expression: of consecutive frames.
        names: of its columns.
        dice: what draws the acts.
    """
    out = expression.clone()
    for share, duration, weights in ACTS.values():
        if not dice.chance(share):
            continue
        length = duration * dice.number(0.7, 1.4)
        moment = dice.number(0, length) + torch.arange(len(out)) - (len(out) - 1)
        level = 0.5 - 0.5 * torch.cos(2 * torch.pi * (moment / length).clamp(0, 1))
        level = level * dice.number(0.4, 1.1)
        uneven = dice.number(-0.15, 0.15)
        for column, name in enumerate(names):
            side = 1 + uneven * (name.endswith("Left") - name.endswith("Right"))
            bare = name.removesuffix("Left").removesuffix("Right")
            weight = weights.get(name, weights.get(bare, 0.0)) * side
            out[:, column] = torch.maximum(out[:, column], (weight * level).clamp(0, 1))
    return out
