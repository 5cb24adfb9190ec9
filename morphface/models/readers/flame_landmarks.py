"""Landmark embeddings that come with FLAME: which face, and where on it.

Known are the static embedding of the 51 points within the face or of all 68 (`.pkl`), the dynamic
one of the 17 points of the jaw line for 79 angles of the head, from 0 to 39 degrees and from -1
to -39 (`.npy` or `.pkl`), and the file of DECA that has all of them (`landmark_embedding.npy`).
All are pickles, and are read as such, without running anything.

Of the dynamic jaw line only the frontal row is kept: the fit lets silhouette points slide by
itself, for every model alike. Where there is no jaw line its points have confidence 0.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from morphface.core.errors import ModelError
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.readers.pickles import read_pickle

__all__ = ["read_landmarks"]

_ALL, _JAW = 68, 17
_SLIDING = 0.4  # confidence of a point of the silhouette, whose place depends on the view
_ROUNDING = 1e-2
_FULL = ("full_lmk_faces_idx", "full_lmk_bary_coords")
_STATIC = ("static_lmk_faces_idx", "static_lmk_bary_coords")
_PLAIN = ("lmk_face_idx", "lmk_b_coords")

_Points = tuple[np.ndarray, np.ndarray]


def read_landmarks(paths: list[Path], faces: torch.Tensor) -> dict[str, LandmarkEmbedding]:
    """The embedding of the 68 points, put together from all files.

    Args:
        paths: of the files, in any order.
        faces: of the model that the embeddings belong to.

    Raises:
        MissingFileError: a file is not there.
        ModelError: a file has no embedding, or one for another mesh.
    """
    found: dict[int, _Points] = {}
    for path in paths:
        for points in _read(path, len(faces)):
            found[len(points[0])] = points
    if _ALL in found:
        return {"68": _embedding(*found[_ALL], faces)}
    jaw = found.get(_JAW, (np.zeros(_JAW, np.int64), np.full((_JAW, 3), 1 / 3)))
    if _ALL - _JAW not in found:
        raise ModelError(f"{', '.join(map(str, paths))} has a jaw line, but no inner landmarks")
    inner = found[_ALL - _JAW]
    whole = _embedding(np.concatenate([jaw[0], inner[0]]), np.vstack([jaw[1], inner[1]]), faces)
    if _JAW not in found:
        whole.confidence[:_JAW] = 0.0
    return {"68": whole}


def _read(path: Path, count: int) -> list[_Points]:
    """Every embedding in the file; of a dynamic one its frontal row."""
    loaded = read_pickle(path)
    if not isinstance(loaded, dict):
        raise ModelError(f"{path} is not a landmark embedding of FLAME")
    out = []
    for index, weights in (_FULL, _STATIC, _PLAIN):
        if index in loaded and weights in loaded:
            out.append(_points(path, loaded[index], loaded[weights], count))
    if not out:
        raise ModelError(f"{path} is not a landmark embedding of FLAME: it lacks lmk_face_idx")
    return out


def _points(path: Path, index: Any, weights: Any, count: int) -> _Points:
    try:
        faces, barycentric = np.asarray(index), np.asarray(weights)
    except ValueError:
        raise ModelError(f"{path} has landmarks in rows of different lengths") from None
    numbers = faces.dtype.kind in "iu" and barycentric.dtype.kind == "f"
    if numbers and faces.ndim == 2:
        faces, barycentric = faces[0], barycentric[0]
    if not numbers or faces.shape not in ((_ALL,), (_ALL - _JAW,), (_JAW,)):
        raise ModelError(f"{path} has a landmark embedding of shape {faces.shape}, not 68 or 51")
    if barycentric.shape != (len(faces), 3):
        raise ModelError(f"{path} has {len(faces)} landmarks, but weights {barycentric.shape}")
    if not (np.abs(barycentric.sum(axis=1) - 1) < _ROUNDING).all() or barycentric.min() < -1:
        raise ModelError(f"{path} has landmarks whose weights do not sum to 1")
    if faces.min() < 0 or faces.max() >= count:
        raise ModelError(f"{path} has landmarks on face {faces.max()}, but the model has {count}")
    return faces.astype(np.int64), barycentric.astype(np.float32)


def _embedding(
    index: np.ndarray, barycentric: np.ndarray, faces: torch.Tensor
) -> LandmarkEmbedding:
    confidence = torch.ones(_ALL)
    confidence[:_JAW] = _SLIDING
    weights = torch.from_numpy(barycentric.astype(np.float32))
    return LandmarkEmbedding(faces[torch.from_numpy(index)], weights, confidence)
