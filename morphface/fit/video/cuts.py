"""Shot cuts: frames that have nothing in common with the one before."""

import numpy as np
from jaxtyping import Float

from morphface.media.images import Photo

__all__ = ["Cuts"]

_ROWS, _COLUMNS = 18, 32
_DIFFERENCE = 0.08  # of brightness, mean over the picture
_LIKENESS = 0.5  # correlation of brightness below which two pictures are different ones
_OVERLAP = 0.7  # of the histograms of colour, likewise


class Cuts:
    """Compares each frame with the last one."""

    def __init__(self) -> None:
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, photo: Photo) -> bool:
        """Whether another shot begins with this frame.

        The picture as a whole must differ in brightness, in where it is bright, and in how much
        there is of each colour: a flash, a person who passes and a camera that shakes keep one of
        them.
        """
        now, last = _summary(photo), self._last
        self._last = now
        if last is None:
            return False
        grey, histogram = now
        other, before = last
        difference = float(np.abs(grey - other).mean())
        overlap = float(np.minimum(histogram, before).sum())
        return (
            difference > _DIFFERENCE and _likeness(grey, other) < _LIKENESS and overlap < _OVERLAP
        )


def _summary(
    photo: Photo,
) -> tuple[Float[np.ndarray, "r c"], Float[np.ndarray, " b"]]:
    """Brightness of a small picture, and shares of 64 colours."""
    height, width = photo.size
    rows = np.linspace(0, height - 1, 4 * _ROWS).astype(int)
    columns = np.linspace(0, width - 1, 4 * _COLUMNS).astype(int)
    pixels = photo.to_uint8().numpy()[rows[:, None], columns]
    grey = pixels.mean(axis=2, dtype=np.float32) / 255
    small = grey.reshape(_ROWS, 4, _COLUMNS, 4).mean(axis=(1, 3))
    colours = (pixels.astype(np.int64) >> 6) @ np.array([16, 4, 1])
    return small, np.bincount(colours.ravel(), minlength=64) / colours.size


def _likeness(a: Float[np.ndarray, "r c"], b: Float[np.ndarray, "r c"]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-9))
