"""The Basel Face Model 2009 (Paysan et al.), `01_MorphableModel.mat`.

In the file: micrometres, the axes of the package, faces from 1 and clockwise from outside;
`shapeEV` and `texEV` are standard deviations of the unit columns of `shapePC` and `texPC`; colours
are RGB from 0 to 255. `BFM.mat` of face3d holds the same arrays in a structure `model`, without
275 vertices inside the mouth and with 3DDFA's expressions, whose mean belongs to its mean face.

An expression basis of those 53,215 vertices is taken to the full model by leaving the same
vertices out of it. The 68 landmarks are those of 3DDFA.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.basis import LinearBasis
from morphface.models.morphable import MorphableModel
from morphface.models.readers import basel
from morphface.models.readers.arrays import naming, pick, read_arrays
from morphface.models.readers.assembly import (
    Parts,
    assemble,
    components,
    positions,
    triangles,
    vertices,
)
from morphface.models.readers.content import Content
from morphface.models.readers.expressions import read_expression

__all__ = ["NAME", "read", "recognises"]

NAME = "a Basel Face Model 2009 (.mat)"

_UNIT = 1e-3
_NAMES = {
    *("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl", "tri", "model"),
    *("expMU", "expPC", "expEV", "kpt_ind"),
}


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    known = content.has("shapeMU", "shapePC", "shapeEV") and not content.has("trilist")
    return content.kind in ("mat", "hdf5") and (known or content.names == {"model"})


def read(content: Content, *, expression: str | Path | None = None) -> MorphableModel:
    """Read the model, with expressions where it or `expression` has them.

    Args:
        content: the file.
        expression: file of an expression basis; see `expressions`.

    Raises:
        ModelError: the file is damaged or lacks an array, or the expressions are of another mesh.
    """
    with naming(content.path):
        arrays = read_arrays(content, _NAMES)
        mean = positions(pick(arrays, "shapeMU"), _UNIT)
        size = len(mean)
        parts = Parts(
            name="bfm2009",
            mean=mean,
            identity=components(pick(arrays, "shapePC"), pick(arrays, "shapeEV") * _UNIT, size),
            faces=triangles(pick(arrays, "tl", "tri"), size, first=1),
            expression=_own_expression(arrays, size),
            reflectance=_reflectance(arrays, size),
            landmarks=_landmarks(arrays, size),
        )
        if "expMU" in arrays:
            parts.mean.add_(positions(pick(arrays, "expMU"), _UNIT))
    if expression is not None:
        parts = _with_expression(parts, expression)
    return assemble(parts)


def _own_expression(arrays: dict[str, np.ndarray], size: int) -> Tensor | None:
    if "expPC" not in arrays:
        return None
    return components(pick(arrays, "expPC"), pick(arrays, "expEV") * _UNIT, size)


def _reflectance(arrays: dict[str, np.ndarray], size: int) -> LinearBasis | None:
    if "texMU" not in arrays:
        return None
    mean = positions(pick(arrays, "texMU"), 1 / 255)
    return LinearBasis(mean, components(pick(arrays, "texPC"), pick(arrays, "texEV") / 255, size))


def _landmarks(arrays: dict[str, np.ndarray], size: int) -> np.ndarray | None:
    if "kpt_ind" in arrays:
        return vertices(np.ravel(pick(arrays, "kpt_ind")), size, 1, "landmarks")
    table = np.array(basel.LANDMARKS)
    return {basel.FULL: basel.kept_vertices()[table], basel.TRIMMED: table}.get(size)


def _with_expression(parts: Parts, path: str | Path) -> Parts:
    directions = read_expression(path, _UNIT)
    size, given = len(parts.mean), directions.shape[1]
    if (size, given) == (basel.FULL, basel.TRIMMED):
        parts = _trimmed(parts)
    elif size != given:
        raise ModelError(f"{path} has expressions of {given} vertices, and the model has {size}")
    return Parts(**{**vars(parts), "expression": directions})


def _trimmed(parts: Parts) -> Parts:
    kept = torch.from_numpy(basel.kept_vertices())
    colour = parts.reflectance
    if colour is not None:
        colour = LinearBasis(colour.mean[kept], colour.directions[:, kept])
    return Parts(
        name=parts.name,
        mean=parts.mean[kept],
        identity=parts.identity[:, kept],
        faces=basel.trimmed_faces(parts.faces),
        reflectance=colour,
        landmarks=np.array(basel.LANDMARKS),
    )
