"""How bright and in which tint a frame shows a face, beside what is usual of the person.

An exposure step, a flash, a fade and tinted light multiply all colours alike. The light of the
spherical harmonics could follow, but its priors hold it back; so that is found first.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.video.pixels import Compared
from morphface.geometry.spherical_harmonics import AMBIENT

__all__ = ["brightened", "gain_of", "likeness"]

_STEP = 0.06  # of a logarithm: a change of exposure below which the light itself follows
_DARK, _BRIGHT = 0.02, 0.98  # colours beyond say nothing of a factor
_LEAST = 30  # points that a factor needs
_MOST = 2.8  # of a logarithm: 16 times as bright


def gain_of(seen: Compared) -> Float[np.ndarray, "3"] | None:
    """By what the model's colours must be multiplied to be the frame's; None if by about 1.

    It is the median over the skin that is seen, channel by channel.

    Args:
        seen: the skin beside the frame.
    """
    shown = seen.shown
    model = seen.residual + shown
    good = (seen.trust > 0) & (shown < _BRIGHT).all(dim=1) & (model > _DARK).all(dim=1)
    if int(good.sum()) < _LEAST:
        return None
    ratio = (shown[good].clamp(min=1e-3) / model[good]).median(dim=0).values
    logs = torch.log(ratio).clamp(-_MOST, _MOST)
    if float(logs.abs().max()) < _STEP:
        return None
    return logs.exp().double().numpy()


def brightened(
    light: Float[np.ndarray, "9 3"], gain: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "9 3"]:
    """Illumination that is so many times as bright, `AMBIENT` included.

    Args:
        light: illumination beyond `AMBIENT`.
        gain: of each channel.
    """
    out = light * gain
    out[0] += AMBIENT * (gain - 1)
    return out


def likeness(seen: Compared) -> float:
    """Correlation of brightness between model and frame over the skin, -1 to 1.

    Whatever the exposure, the tint or the contrast, a face is darker at its brows, eyes, nostrils
    and lips. NaN where too little is seen.

    Args:
        seen: the skin beside the frame.
    """
    weight = seen.trust / seen.trust.sum().clamp(min=1e-9)
    shown = seen.shown.mean(dim=1)
    model = seen.residual.mean(dim=1) + shown
    one, other = (_centred(values, weight) for values in (model, shown))
    spread = float((weight * one.square()).sum() * (weight * other.square()).sum())
    if int((seen.trust > 0).sum()) < _LEAST or not spread > 1e-12:
        return float("nan")
    return float((weight * one * other).sum()) / spread**0.5


def _centred(values: Float[Tensor, " n"], weight: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    return values - (weight * values).sum()
