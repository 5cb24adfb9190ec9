"""The network that tells people from what is behind them, as OpenCV runs it.

MediaPipe's Selfie Segmentation, whose file ships with morphface (`assets/matte/fetch.py`).
"""

from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from jaxtyping import Float

__all__ = ["likely_person"]

SIDE = 256
"""Pixels along each side of what the network reads and writes."""
_FILE = Path(__file__).parent / "data" / "selfie_segmentation.tflite"
_TURN = Lock()


def likely_person(
    pixels: Float[np.ndarray, "H W 3"], box: tuple[float, float, float, float], gamma: float = 1.0
) -> Float[np.ndarray, "H W"]:
    """How likely each pixel within a box shows a person, 0 to 1; NaN outside of it.

    Args:
        pixels: RGB in [0, 1].
        box: left, top, right and bottom of what the network is shown, in pixels; beyond the
            picture its border goes on.
        gamma: exponent of the colours it is shown; below 1 brightens what is dark.
    """
    import cv2

    height, width = pixels.shape[:2]
    left, top, right, bottom = box
    scale = np.array([SIDE / (right - left), SIDE / (bottom - top)])
    shift = -np.array([left, top]) * scale + 0.5 * scale - 0.5
    there = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    shrunk = _smoothed(pixels, float(scale.min()))
    shown = cv2.warpAffine(
        shrunk, there, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    blob = np.ascontiguousarray(shown.clip(0, 1).astype(np.float32) ** gamma).transpose(2, 0, 1)
    with _TURN:
        network = _network()
        network.setInput(np.ascontiguousarray(blob[None]))
        found = network.forward()[0, 0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values = cv2.warpAffine(
        found, there, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    return np.where(inside, values, np.nan)


def _smoothed(pixels: Float[np.ndarray, "H W 3"], scale: float) -> Float[np.ndarray, "H W 3"]:
    """Without what is too fine for a picture so many times as large."""
    import cv2

    values = np.ascontiguousarray(pixels, np.float32)
    return values if scale >= 1 else cv2.GaussianBlur(values, (0, 0), 0.4 / scale)


@cache
def _network():  # type: ignore[no-untyped-def]  # OpenCV has no type for it
    import cv2

    return cv2.dnn.readNetFromTFLite(str(_FILE))
