"""Where the maps of parts have maxima, to a fraction of a cell."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from morphface.landmarks.parts.settings import AssemblySettings

__all__ = ["Peaks", "find_peaks"]


@dataclass(frozen=True, eq=False)
class Peaks:
    """Parts that were seen, all of a kind after one another, the surest first.

    Args:
        points: in pixels of the picture.
        part: of which kind each is.
        score: value of the map there.
    """

    points: Float[np.ndarray, "N 2"]
    part: Int[np.ndarray, " N"]
    score: Float[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.part)


def find_peaks(
    maps: Float[np.ndarray, "P H W"], settings: AssemblySettings, *, stride: int = 8
) -> Peaks:
    """Maxima of the enlarged maps, each at the centroid of the window around it.

    A maximum is the highest of that window: the published 3 x 3 cells would take the ripples of
    cubic interpolation for parts where bumps of two people meet. Of neighbours with the same value
    the first is the maximum, so that one right between two cells is found, and found once.

    Args:
        maps: of the parts, without that of the background.
        settings: thresholds.
        stride: pixels for a cell of `maps`.
    """
    large = _enlarged(maps, settings.enlarge)
    part, row, column = _maxima(large, settings)
    score = large[part, row, column]
    order = np.lexsort((column, row, -score, part))
    part, row, column, score = part[order], row[order], column[order], score[order]
    rank = np.arange(len(part)) - np.searchsorted(part, part)
    kept = rank < settings.most
    part, row, column, score = part[kept], row[kept], column[kept], score[kept]
    points = _centroids(large, (part, row, column), settings.window // 2)
    return Peaks(points * (stride / settings.enlarge), part, score.astype(np.float64))


_Places = tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Int[np.ndarray, " N"]]


def _maxima(large: Float[np.ndarray, "P H W"], settings: AssemblySettings) -> _Places:
    """Map, row and column of what is highest of the window around it."""
    import cv2

    window = np.ones((settings.window, settings.window), np.uint8)
    highest = np.stack([cv2.dilate(one, window) for one in large])
    found = np.pad((large == highest) & (large > settings.peak), ((0, 0), (1, 1), (1, 1)))
    place, wide = np.flatnonzero(found), found.shape[2]
    for before in (wide + 1, wide, wide - 1, 1):  # equals, as both are the highest
        place = place[~found.flat[place - before]]
    part, row, column = np.unravel_index(place, found.shape)
    height, width = large.shape[1:]
    return _but_ripples((part, row - 1, column - 1), (height, width), settings)


def _but_ripples(places: _Places, size: tuple[int, int], settings: AssemblySettings) -> _Places:
    """Those without what the end of the picture adds.

    Beyond the middles of its outermost cells a map goes on as it ends, and is higher there than
    before a part right behind: that is no second part.
    """
    cells, limit = np.stack(places[1:]), np.array(size)[:, None] - 1
    margin = settings.enlarge // 2
    out = ((cells < margin) | (cells > limit - margin)).any(axis=0)
    alike = places[0][out, None] == places[0][~out]
    away = np.abs(cells[:, out, None] - cells[:, None, ~out]).max(axis=0)
    ripples = np.flatnonzero(out)[(alike & (away < settings.window)).any(axis=1)]
    part, row, column = (np.delete(each, ripples) for each in places)
    return part, row, column


def _enlarged(maps: Float[np.ndarray, "P H W"], times: int) -> Float[np.ndarray, "P h w"]:
    import cv2

    if times == 1:
        return np.ascontiguousarray(maps, np.float32)
    size = (maps.shape[2] * times, maps.shape[1] * times)
    one = [cv2.resize(m, size, interpolation=cv2.INTER_CUBIC) for m in maps.astype(np.float32)]
    return np.stack(one)


def _centroids(
    large: Float[np.ndarray, "P H W"],
    at: _Places,
    reach: int,
) -> Float[np.ndarray, "N 2"]:
    """Means of the places around some cells, weighted by their values, x and y in cells."""
    part, row, column = at
    steps = np.arange(-reach, reach + 1)
    rows = row[:, None] + steps
    columns = column[:, None] + steps
    height, width = large.shape[1:]
    within = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    values = large[
        part[:, None, None],
        rows.clip(0, height - 1)[:, :, None],
        columns.clip(0, width - 1)[:, None],
    ]
    weight = np.where(within, values, 0).clip(min=0).astype(np.float64)
    total = weight.sum(axis=(1, 2))
    x = (weight * (columns + 0.5)[:, None]).sum(axis=(1, 2)) / total
    y = (weight * (rows + 0.5)[:, :, None]).sum(axis=(1, 2)) / total
    return np.stack([x, y], axis=-1)
