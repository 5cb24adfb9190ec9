"""The albedo where no photo shows it: from the other side of the face, else from the model.

Over the mesh, the difference of albedo and model is the solution of a Poisson equation (Perez et
al. 2003): it is the seen one where there is one, varies like the mirrored one where only the other
side is seen, and is smooth elsewhere. Texels add the details that vertices are too few for.
All colours are logarithms.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csc_matrix, diags
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.texture.points import SurfacePoints
from morphface.geometry.laplacian import graph_laplacian, solved
from morphface.geometry.mesh import edges

__all__ = ["Completed", "completed"]

STIFFNESS = 10.0
"""How strongly a vertex that is seen keeps its colour, in edges."""
ANCHOR = 1e-2
"""The same of vertices that are not, so that what is far from all photos is as in the model."""


@dataclass(frozen=True, eq=False)
class Completed(Record):
    """Values everywhere.

    Args:
        points: at all points.
        vertices: without details that are finer than the mesh.
    """

    points: Float[Tensor, "N 3"]
    vertices: Float[Tensor, "V 3"]


def completed(
    points: SurfacePoints,
    faces: Int[Tensor, "F 3"],
    difference: Float[Tensor, "N 3"],
    confidence: Float[Tensor, " N"],
) -> Completed:
    """`difference` where it is trusted, continued over all points.

    Args:
        points: of the mesh.
        faces: of the mesh.
        difference: of albedo and model at the points.
        confidence: in it, 0 to 1.
    """
    other = points.mirrored(difference)
    other_trust = points.mirrored(confidence[:, None])[:, 0]
    seen, trust = points.mean(difference, confidence)
    twin, twin_trust = points.mean(other, other_trust)
    smooth = _poisson(faces, (seen, trust), (twin, twin_trust))
    filled = points.at(smooth)
    filled = filled + other_trust[:, None] * (other - points.at(twin))
    return Completed(torch.lerp(filled, difference, confidence[:, None]), smooth)


def _poisson(
    faces: Tensor,
    seen: tuple[Float[Tensor, "V 3"], Float[Tensor, " V"]],
    twin: tuple[Float[Tensor, "V 3"], Float[Tensor, " V"]],
) -> Float[Tensor, "V 3"]:
    """Values that are like `seen` where it is trusted and vary like `twin` elsewhere."""
    values, trust = (part.double().numpy() for part in seen)
    others, likeness = (part.double().numpy() for part in twin)
    pairs = edges(faces).numpy()
    a, b = pairs.T
    both = np.minimum(likeness[a], likeness[b])
    step = both[:, None] * (others[a] - others[b])
    right = np.zeros_like(values)
    np.add.at(right, a, step)
    np.add.at(right, b, -step)
    data = (STIFFNESS * trust) ** 2
    anchor = ANCHOR * np.ones(len(values))
    right += data[:, None] * values + (anchor * likeness)[:, None] * others
    system = graph_laplacian(pairs, len(values)) + diags(data + anchor)
    return torch.from_numpy(solved(csc_matrix(system), right)).float()
