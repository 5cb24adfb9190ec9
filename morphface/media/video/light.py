"""Video of more light or more colours than a screen of sRGB: HLG, PQ, BT.2020, P3 to sRGB.

Diffuse white, 75 % of the HLG signal and 203 cd/m2 of PQ (ITU-R BT.2408-7, table 1), becomes the
white of sRGB; what is brighter is bent into the last tenth below it. HLG is taken as the light of
the scene, without a display's OOTF, as pictures of sRGB are. Wide colours without such a curve keep
theirs, so that greys stay what they are.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from av.video.frame import VideoFrame
from jaxtyping import Float, UInt8, UInt16

from morphface.core.colour import linear_to_srgb, srgb_to_linear

__all__ = ["is_wide", "to_srgb"]

PQ, HLG, LINEAR = 16, 18, 8
_CURVES = (PQ, HLG)
_WIDE = {  # numbers of ISO/IEC 23091-2 -> chromaticities of red, green, blue, white
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),  # BT.2020
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),  # DCI-P3
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),  # Display P3
}
_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290))
_HLG_WHITE = 0.75
_PQ_WHITE = 203.0  # cd/m2
_PQ_PEAK = 10000.0
_KNEE = 0.9
"""Of the sRGB signal: from here on light is bent, so that the brightest comes near 1."""
_BRIGHTEST = 64.0
"""Times diffuse white: more than PQ can hold."""
_STEPS = 65536
_Table = np.ndarray[Any, np.dtype[Any]]


def is_wide(frame: VideoFrame) -> bool:
    """Whether the colours of a frame are beyond sRGB, as its file says.

    Args:
        frame: as it was decoded.
    """
    return frame.color_trc in (*_CURVES, LINEAR) or frame.color_primaries in _WIDE


def to_srgb(
    values: UInt16[np.ndarray, "H W 3"], curve: int, primaries: int
) -> UInt8[np.ndarray, "H W 3"]:
    """The picture in sRGB.

    Args:
        values: RGB signal of full range.
        curve: transfer characteristics, as ISO/IEC 23091-2 numbers them.
        primaries: colour primaries, likewise.
    """
    light = _decoding(curve)[values]
    if primaries in _WIDE:
        light = light @ _to_bt709(primaries).T
    places = np.sqrt(light.clip(0, _BRIGHTEST) / _BRIGHTEST) * (_STEPS - 1)
    return _encoding(curve in _CURVES)[places.astype(np.uint16)]


@lru_cache(maxsize=4)
def _decoding(curve: int) -> _Table:
    """Light of each 16-bit signal; 1 is diffuse white."""
    signal = np.linspace(0, 1, _STEPS)
    if curve == PQ:
        light = pq_to_light(signal) / _PQ_WHITE
    elif curve == HLG:
        light = hlg_to_light(signal) / hlg_to_light(np.array(_HLG_WHITE))
    elif curve == LINEAR:
        light = signal
    else:
        light = srgb_to_linear(torch.from_numpy(signal)).numpy()
    return light.astype(np.float32)


def pq_to_light(signal: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """The EOTF of PQ (ITU-R BT.2100-2, table 4), in cd/m2.

    Args:
        signal: in [0, 1].
    """
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = signal ** (1 / m2)
    light = _PQ_PEAK * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return np.asarray(light)


def hlg_to_light(signal: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """The inverse OETF of HLG (ITU-R BT.2100-2, table 5): light of the scene in [0, 1].

    Args:
        signal: in [0, 1].
    """
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


@lru_cache(maxsize=2)
def _encoding(bend: bool) -> _Table:
    """The 8-bit sRGB signal of light, by the square root of its share of the brightest."""
    light = np.linspace(0, 1, _STEPS) ** 2 * _BRIGHTEST
    signal = linear_to_srgb(torch.from_numpy(light)).numpy()
    if bend:
        over = np.maximum(signal - _KNEE, 0) / (1 - _KNEE)
        signal = np.where(over > 0, 1 - (1 - _KNEE) * np.exp(-over), signal)
    return np.round(signal.clip(0, 1) * 255).astype(np.uint8)


@lru_cache(maxsize=4)
def _to_bt709(primaries: int) -> _Table:
    """Linear RGB of the primaries to linear RGB of BT.709, white to white."""
    wide, narrow = _to_xyz(_WIDE[primaries]), _to_xyz(_BT709)
    matrix = np.linalg.solve(narrow, wide)
    return (matrix / matrix.sum(axis=1, keepdims=True)).astype(np.float32)


def _to_xyz(chromaticities: tuple[tuple[float, float], ...]) -> _Table:
    """RGB to XYZ (SMPTE RP 177-1993, section 3.3)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in chromaticities]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
