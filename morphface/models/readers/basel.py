"""The topology that the Basel Face Model 2009 and what descends from it share.

The model has 53,490 vertices. Zhu et al. (Face Alignment Across Large Poses, CVPR 2016) left out
275 inside the mouth; 3DDFA's subset, LSFM and the common expression bases have the remaining
53,215, in the same order.
"""

import numpy as np

__all__ = ["FULL", "LANDMARKS", "TRIMMED", "kept_vertices", "trimmed_faces"]

FULL, TRIMMED = 53490, 53215

LANDMARKS = (
    *(21873, 22149, 21653, 21036, 43236, 44918, 46166, 47135, 47914),
    *(48695, 49667, 50924, 52613, 33678, 33005, 32469, 32709),
    *(38695, 39392, 39782, 39987, 40154, 40893, 41059, 41267, 41661, 42367),
    *(8161, 8177, 8187, 8192, 6515, 7243, 8204, 9163, 9883),
    *(2215, 3886, 4920, 5828, 4801, 3640, 10455, 11353, 12383, 14066, 12653, 11492),
    *(5522, 6025, 7495, 8215, 8935, 10395, 10795, 9555, 8836, 8236, 7636, 6915),
    *(5909, 7384, 8223, 9064, 10537, 8829, 8229, 7629),
)
"""Vertices of the 68 points in the trimmed topology, as published with 3DDFA."""

_LEFT_OUT = (
    *((6167, 1), (6295, 3), (6423, 6), (6551, 7), (6680, 7), (6809, 7), (6938, 8)),
    *((first, 9) for first in range(7067, 9906, 129)),
    *((10034, 8), (10163, 7), (10292, 6), (10421, 3), (10425, 1), (10549, 3), (10679, 1)),
)
"""Runs of vertices inside the mouth: where each starts and how long it is."""


def kept_vertices() -> np.ndarray:
    """Index in the full model of each vertex of the trimmed one, ascending."""
    kept = np.ones(FULL, bool)
    for first, count in _LEFT_OUT:
        kept[first : first + count] = False
    return np.flatnonzero(kept)


def trimmed_faces(faces: np.ndarray) -> np.ndarray:
    """Those faces of the full model whose vertices are kept, in the trimmed numbering."""
    place = np.full(FULL, -1, np.int64)
    place[kept_vertices()] = np.arange(TRIMMED)
    moved = place[faces]
    return moved[(moved >= 0).all(1)]
