"""How values differ between neighbours on a mesh, and systems of equations made of that."""

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu

__all__ = ["cotangent_laplacian", "graph_laplacian", "solved"]


def cotangent_laplacian(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]
) -> tuple[csc_matrix, Float[np.ndarray, " V"]]:
    """The cotangent Laplacian (Pinkall and Polthier 1993), and the area around each vertex.

    With L and the values f, `f @ L @ f` is the integral of the squared gradient of f. Cotangents
    are kept within [0.05, 10], so that slivers neither tear nor weld; vertices of no area count as
    a thousandth of the mean.

    Args:
        vertices: of the mesh.
        faces: its triangles.
    """
    size, corners = len(vertices), vertices[faces]
    rows, columns, values = [], [], []
    double = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    for k in range(3):
        a, b = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        cotangent = (a * b).sum(1) / np.maximum(double, 1e-9)
        rows.append(faces[:, (k + 1) % 3])
        columns.append(faces[:, (k + 2) % 3])
        values.append(np.clip(cotangent, 0.05, 10.0) / 2)
    joined = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    weights = coo_matrix(joined, shape=(size, size)).tocsc()
    weights = weights + weights.T
    area = np.bincount(faces.ravel(), np.repeat(double / 6, 3), minlength=size)
    area = np.maximum(area, 1e-3 * max(float(area.mean()), 1e-9))
    return csc_matrix(diags(np.asarray(weights.sum(axis=1)).ravel()) - weights), area


def graph_laplacian(pairs: Int[np.ndarray, "E 2"], size: int) -> csc_matrix:
    """The Laplacian of a graph: with L and the values f, `f @ L @ f` is the sum of squared steps.

    Args:
        pairs: of neighbours, each once.
        size: how many there are.
    """
    weights = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(size, size)).tocsc()
    weights = weights + weights.T
    return csc_matrix(diags(np.asarray(weights.sum(axis=1)).ravel()) - weights)


def solved(system: csc_matrix, right: Float[np.ndarray, "V c"]) -> Float[np.ndarray, "V c"]:
    """Of a symmetric positive system, for which the default ordering is half as fast.

    Args:
        system: of the equations.
        right: their right sides.
    """
    options = {"SymmetricMode": True}
    factors = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    return factors.solve(right)
