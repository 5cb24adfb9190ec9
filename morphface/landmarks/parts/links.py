"""Which parts belong together: the integral of a field along the line between each two.

Cao et al. 2019, equations 10 and 11, with the constants of the public code.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment

from morphface.landmarks.parts.graph import FaceGraph
from morphface.landmarks.parts.kernels import write_means
from morphface.landmarks.parts.peaks import Peaks
from morphface.landmarks.parts.settings import AssemblySettings

__all__ = ["Links", "find_links"]

_TINY = 1e-6
"""Score of pairs that are too close to have a direction."""
_PEAKS = 0.1
"""How much the values of both peaks count for how sure a limb is, beside its score."""
_TRIANGLES = 2
"""Triangles that a limb is the surer for."""
_LENGTH = 0.5
"""How much less sure a limb is that is as long as the root of the picture's area: of people side by
side, whose limbs go on in each other's, the nearest parts belong together."""


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs of peaks that a limb joins.

    Args:
        limb: which of the graph's.
        start: number of the peak where it begins.
        end: number of that where it ends.
        score: mean of the field along it, less what it is too long.
        sure: what limbs are chosen and ordered by: the score, the values of both peaks, the third
            parts to which both ends are linked, and how short they are.
    """

    limb: Int[np.ndarray, " M"]
    start: Int[np.ndarray, " M"]
    end: Int[np.ndarray, " M"]
    score: Float[np.ndarray, " M"]
    sure: Float[np.ndarray, " M"]

    def chosen(self, which: np.ndarray) -> "Links":
        """Some of them, or all in another order.

        Args:
            which: mask or numbers.
        """
        fields = self.limb, self.start, self.end, self.score, self.sure
        return Links(*(each[which] for each in fields))


def find_links(
    peaks: Peaks,
    fields: Float[np.ndarray, "L 2 H W"],
    graph: FaceGraph,
    settings: AssemblySettings,
    *,
    stride: int = 8,
) -> Links:
    """Of each limb, pairs of which no two share a peak.

    Args:
        peaks: of the parts.
        fields: along the limbs.
        graph: whose parts and limbs these are.
        settings: thresholds, and how pairs are chosen.
        stride: pixels for a cell of `fields`.
    """
    pairs = _all_pairs(peaks, graph)
    score = _scores(peaks, fields, pairs, settings, stride)
    accepted = np.nonzero(score > 0)[0]
    limb, start, end, score = (each[accepted] for each in (*pairs, score))
    length = np.linalg.norm(peaks.points[end] - peaks.points[start], axis=-1)
    long = length / (stride * np.sqrt(fields.shape[2] * fields.shape[3]))
    sure = score + _PEAKS * (peaks.score[start] + peaks.score[end]) - _LENGTH * long
    links = _paired(Links(limb, start, end, score, sure), graph, settings)
    if settings.support:
        thirds = np.minimum(_thirds(links, len(peaks), (start, end)), _TRIANGLES)
        sure = sure + settings.support * thirds
        links = _paired(Links(limb, start, end, score, sure), graph, settings)
    return links


def _paired(links: Links, graph: FaceGraph, settings: AssemblySettings) -> Links:
    """Of each limb, pairs of which no two share a peak."""
    links = links.chosen(np.lexsort((links.end, links.start, -links.sure, links.limb)))
    if settings.pairing == "hungarian":
        return links.chosen(_best_together(links, len(graph.limbs)))
    return links.chosen(_best_first(links))


def _thirds(
    links: Links, count: int, pairs: tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"]]
) -> Int[np.ndarray, " M"]:
    """To how many third parts both of each pair are linked.

    Where a face's part happens to lie on a limb of another face, the field says that it belongs to
    that. A third part to which both are linked, as most are within a face, tells otherwise.
    """
    linked = np.zeros((count, count), bool)
    linked[links.start, links.end] = linked[links.end, links.start] = True
    start, end = pairs
    return np.count_nonzero(linked[start] & linked[end], axis=1)


_Pairs = tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"], Int[np.ndarray, " M"]]


def _all_pairs(peaks: Peaks, graph: FaceGraph) -> _Pairs:
    """Limb, start and end of every pair of peaks that a limb might join."""
    ends = np.array(graph.limbs)
    first = np.searchsorted(peaks.part, np.arange(len(graph.parts) + 1))
    count = np.diff(first)
    sizes = count[ends[:, 0]] * count[ends[:, 1]]
    limb = np.repeat(np.arange(len(ends)), sizes)
    place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    a, b = np.divmod(place, count[ends[limb, 1]])
    return limb, first[ends[limb, 0]] + a, first[ends[limb, 1]] + b


def _scores(
    peaks: Peaks,
    fields: Float[np.ndarray, "L 2 H W"],
    pairs: _Pairs,
    settings: AssemblySettings,
    stride: int,
) -> Float[np.ndarray, " M"]:
    """Of each pair; 0 and below where it is no limb."""
    _, start, end = pairs
    length = np.linalg.norm(peaks.points[end] - peaks.points[start], axis=-1)
    height, width = fields.shape[2:]
    mean = np.zeros(len(length))
    thresholds = settings.along, settings.passing, *settings.samples
    write_means(peaks.points, pairs, fields, float(stride), thresholds, mean)
    limit = settings.longest * height * stride
    score = np.where(mean > 0, mean + np.minimum(limit / np.maximum(length, 1e-9) - 1, 0), 0.0)
    near = length < settings.near * stride * np.sqrt(width * height)
    return np.where(near & (score <= 0), _TINY, score)


def _best_first(links: Links) -> Bool[np.ndarray, " M"]:
    """The best pair of a limb, then the best of those that are left, and so on."""
    taken: set[tuple[int, int, int]] = set()
    out = np.zeros(len(links.limb), bool)
    rows = zip(links.limb.tolist(), links.start.tolist(), links.end.tolist(), strict=True)
    for number, (limb, start, end) in enumerate(rows):
        ends = {(limb, 0, start), (limb, 1, end)}
        if not taken & ends:
            taken |= ends
            out[number] = True
    return out


def _best_together(links: Links, limbs: int) -> Bool[np.ndarray, " M"]:
    """The pairs of each limb whose sureness has the largest sum (Kuhn 1955)."""
    out = np.zeros(len(links.limb), bool)
    for limb in range(limbs):
        own = np.nonzero(links.limb == limb)[0]
        starts, a = np.unique(links.start[own], return_inverse=True)
        ends, b = np.unique(links.end[own], return_inverse=True)
        table = np.zeros((len(starts), len(ends)))
        number = np.full(table.shape, -1)
        table[a, b], number[a, b] = 1 + links.sure[own], own
        chosen = number[linear_sum_assignment(-table)]
        out[chosen[chosen >= 0]] = True
    return out
