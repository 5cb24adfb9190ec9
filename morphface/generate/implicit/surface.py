"""From a volume of values to the closed surface between inside and outside."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import MissingDependencyError, ModelError
from morphface.generate.implicit.octree import LEVEL

__all__ = ["extracted"]


def extracted(
    values: Float[np.ndarray, "X Y Z"], low: Float[Tensor, "3"], high: Float[Tensor, "3"]
) -> tuple[Float[Tensor, "V 3"], Int[Tensor, "F 3"]]:
    """The largest closed surface: vertices, and faces that are counter-clockwise from outside.

    Marching cubes (Lorensen and Cline 1987, in the form of Lewiner et al. 2003, scikit-image's).
    Beyond the box counts as outside, so that the surface is closed there.

    Args:
        values: at the nodes of a grid, more than one half inside.
        low: where the first node is.
        high: where the last node is.

    Raises:
        MissingDependencyError: scikit-image is not installed.
        ModelError: nothing is inside.
    """
    try:
        from skimage.measure import marching_cubes
    except ImportError as error:
        raise MissingDependencyError(
            "a surface needs scikit-image; run: pip install 'morphface[implicit]'"
        ) from error
    around = np.pad(values, 1)
    if not (around > LEVEL).any():
        raise ModelError("nothing is inside: the network sees no head there")
    vertices, faces, _, _ = marching_cubes(around, LEVEL, gradient_direction="ascent")
    kept = _largest(faces, len(vertices))
    used, faces = np.unique(faces[kept], return_inverse=True)
    steps = torch.tensor(values.shape) - 1
    nodes = torch.from_numpy(np.ascontiguousarray(vertices[used])) - 1
    places = nodes.clamp(min=torch.zeros(3), max=steps.float()) * ((high - low) / steps) + low
    return places.float(), torch.from_numpy(faces.reshape(-1, 3).astype(np.int64))


def _largest(faces: Int[np.ndarray, "F 3"], count: int) -> np.ndarray:
    """Which faces hang together with most others."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    links = coo_matrix((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), (count, count))
    _, part = connected_components(links, directed=False)
    of_face = part[faces[:, 0]]
    found: np.ndarray = of_face == np.bincount(of_face).argmax()
    return found
