"""Parts and limbs put together to faces, from the surest limb to the least sure one."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from morphface.core.check import check_shape
from morphface.landmarks.parts.graph import FaceGraph
from morphface.landmarks.parts.links import Links, find_links
from morphface.landmarks.parts.peaks import Peaks, find_peaks
from morphface.landmarks.parts.settings import AssemblySettings

__all__ = ["Assembled", "assemble"]


@dataclass(frozen=True, eq=False)
class Assembled:
    """Faces, the surest first.

    Args:
        points: of each part in pixels; NaN where it is missing.
        confidence: value of the map at each part, 0 where it is missing.
        score: mean of the values of a face's parts and of the scores of its limbs.
    """

    points: Float[np.ndarray, "N P 2"]
    confidence: Float[np.ndarray, "N P"]
    score: Float[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.score)


def assemble(
    maps: Float[np.ndarray, "P H W"],
    fields: Float[np.ndarray, "L 2 H W"],
    graph: FaceGraph,
    settings: AssemblySettings | None = None,
    *,
    stride: int = 8,
) -> Assembled:
    """The faces that maps of parts and fields along limbs tell of.

    The same input gives the same faces, whatever the machine.

    Args:
        maps: of the parts, without that of the background.
        fields: along the limbs, x and y.
        graph: whose parts and limbs these are.
        settings: thresholds; None takes the defaults.
        stride: pixels for a cell.

    Raises:
        ShapeError: maps or fields are not those of the graph, or not of one size.
    """
    check_shape("maps", torch.from_numpy(maps), len(graph.parts), None, None)
    check_shape("fields", torch.from_numpy(fields), len(graph.limbs), 2, *maps.shape[1:])
    settings = settings or AssemblySettings()
    peaks = find_peaks(maps, settings, stride=stride)
    links = find_links(peaks, fields, graph, settings, stride=stride)
    faces = _joined(peaks, links, len(graph.parts))
    return _kept(faces, peaks, settings, len(graph.parts))


@dataclass(eq=False)
class _Face:
    """Peaks by part, -1 where there is none, and what the limbs between them score."""

    peaks: Int[np.ndarray, " P"]
    limbs: float = 0.0
    count: int = 0


def _joined(peaks: Peaks, links: Links, parts: int) -> list[_Face]:
    """Faces of linked peaks: the five cases of the public code, for each limb.

    It begins a face, adds the other end to the face of the one, is one more limb within a face, or
    makes one of two faces that have no part in common. Where a face has another such part already,
    or two faces have, the limb is left out: they are different people.
    """
    owner: list[_Face | None] = [None] * len(peaks)
    faces: list[_Face] = []
    links = links.chosen(np.lexsort((links.end, links.start, links.limb, -links.sure)))
    rows = zip(links.start.tolist(), links.end.tolist(), links.score.tolist(), strict=True)
    for start, end, score in rows:
        face = _face_of((start, end), owner, peaks, faces, parts)
        if face is not None:
            face.limbs += score
            face.count += 1
    return [face for face in faces if face.count]


def _face_of(
    ends: tuple[int, int],
    owner: list[_Face | None],
    peaks: Peaks,
    faces: list[_Face],
    parts: int,
) -> _Face | None:
    """The face that a limb belongs to, with both its ends in it; None if it is left out."""
    known = [owner[end] for end in ends]
    if known[0] is not None and known[0] is known[1]:
        return known[0]
    if known[0] is not None and known[1] is not None:
        return _one_of(known[0], known[1], owner)
    face = known[0] or known[1]
    if face is None:
        face = _Face(np.full(parts, -1))
        faces.append(face)
    new = [end for end, own in zip(ends, known, strict=True) if own is None]
    if any(face.peaks[peaks.part[end]] >= 0 for end in new):
        return None
    for end in new:
        face.peaks[peaks.part[end]] = end
        owner[end] = face
    return face


def _one_of(a: _Face, b: _Face, owner: list[_Face | None]) -> _Face | None:
    """Two faces as one, if they share no part; the other is left empty."""
    if ((a.peaks >= 0) & (b.peaks >= 0)).any():
        return None
    for end in b.peaks[b.peaks >= 0].tolist():
        owner[end] = a
    a.peaks = np.maximum(a.peaks, b.peaks)
    a.limbs, a.count = a.limbs + b.limbs, a.count + b.count
    b.peaks, b.count = np.full_like(b.peaks, -1), 0
    return a


def _kept(faces: list[_Face], peaks: Peaks, settings: AssemblySettings, parts: int) -> Assembled:
    """Those with parts and scores enough, the surest first."""
    table = np.array([face.peaks for face in faces], int).reshape(len(faces), parts)
    there = table >= 0
    confidence = np.where(there, peaks.score[table] if len(peaks) else 0.0, 0.0)
    limbs = np.array([(face.limbs, face.count) for face in faces]).reshape(-1, 2)
    count = there.sum(axis=1)
    score = (confidence.sum(axis=1) + limbs[:, 0]) / np.maximum(count + limbs[:, 1], 1)
    good = np.nonzero((count >= settings.fewest) & (score >= settings.mean))[0]
    good = good[np.argsort(-score[good], kind="stable")]
    points = np.full((*table.shape, 2), np.nan)
    points[there] = peaks.points[table[there]]
    return Assembled(points[good], confidence[good], score[good])
