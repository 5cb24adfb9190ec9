"""Shot cuts: frames that have nothing in common with the one before."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, uniform_filter

from morphface.media.images import Photo

__all__ = ["Cuts"]

_ROWS, _COLUMNS = 18, 32
_SHIFT = (2, 3)  # cells by which a picture may move from frame to frame
_AROUND = 5  # cells whose mean is taken away, so that light and exposure do not count
_LIKENESS = 0.35  # correlation below which two pictures are of different shots: within the shared
# clips it is above 0.64 even from every fourth frame to the next, and below 0.11 between pictures
_EMPTY = (
    0.008  # structure, of 0 to 1, below which a frame shows nothing, as in a fade through black
)
_BLACK = 0.06  # brightness of bars around a picture


class Cuts:
    """Compares each frame with the last one that showed something."""

    def __init__(self) -> None:
        self._last: Float[np.ndarray, "r c"] | None = None

    def __call__(self, photo: Photo) -> bool:
        """Whether another shot begins with this frame.

        What is compared is where the picture is brighter than around, wherever it moved by a
        little: a flash, another exposure, a tint and a fade leave that as it is. Frames that show
        nothing belong to the shot before; who comes out of the black is compared with who went in.
        """
        now = _small(photo)
        if _structure(now, np.zeros_like(now, dtype=bool)).std() < _EMPTY:
            return False
        last, self._last = self._last, now
        return last is not None and _likeness(now, last) < _LIKENESS


def _small(photo: Photo) -> Float[np.ndarray, "r c"]:
    """Brightness of a small picture."""
    height, width = photo.size
    rows = np.linspace(0, height - 1, 4 * _ROWS).astype(int)
    columns = np.linspace(0, width - 1, 4 * _COLUMNS).astype(int)
    pixels = photo.to_uint8().numpy()[rows[:, None], columns]
    grey = pixels.mean(axis=2, dtype=np.float32) / 255
    return grey.reshape(_ROWS, 4, _COLUMNS, 4).mean(axis=(1, 3))


def _structure(
    grey: Float[np.ndarray, "r c"], bars: Bool[np.ndarray, "r c"]
) -> Float[np.ndarray, "r c"]:
    """Brightness relative to that around; nothing at bars."""
    out: np.ndarray = np.where(bars, 0.0, grey - uniform_filter(grey, _AROUND, mode="nearest"))
    return out


def _likeness(a: Float[np.ndarray, "r c"], b: Float[np.ndarray, "r c"]) -> float:
    """The largest correlation of the structure of two pictures over small shifts."""
    bars = binary_dilation((a < _BLACK) & (b < _BLACK), iterations=_AROUND // 2)
    one, other = (_structure(grey, bars) for grey in (a, b))
    size = np.linalg.norm(one) * np.linalg.norm(other)
    if not size > 0:
        return 1.0
    across = np.fft.irfft2(np.fft.rfft2(one) * np.conj(np.fft.rfft2(other)), s=one.shape)
    down, right = (np.arange(-most, most + 1) for most in _SHIFT)
    return float(across[np.ix_(down, right)].max() / size)
