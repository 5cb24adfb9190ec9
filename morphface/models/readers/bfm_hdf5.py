"""The Basel Face Models 2017 and 2019, and whatever Scalismo writes in the same layout (HDF5).

In the file: millimetres, the axes of the package, faces from 0, unit columns `pcaBasis` with
`pcaVariance`, and RGB from 0 to 1; statismo 0.8 and older have the columns times their deviation
already. The mean of `expression` is left out: the neutral face is the mean of `shape`. Where
`metadata/landmarks` names the corners of the eyes, the origin is put by them. Its other points
follow no known scheme, so that the 68 are computed.
"""

import json

import numpy as np
import torch
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.basis import LinearBasis
from morphface.models.morphable import MorphableModel
from morphface.models.readers.arrays import naming, pick
from morphface.models.readers.assembly import Parts, assemble, components, positions, triangles
from morphface.models.readers.content import Content
from morphface.models.readers.hdf5 import File, open_hdf5

__all__ = ["NAME", "read", "recognises"]

NAME = "a Basel Face Model 2017 or 2019, in Scalismo's layout (.h5)"

_CORNERS = tuple(
    f"{side}.eye.corner_{place}"
    for side, place in (
        ("right", "outer"),
        ("right", "inner"),
        ("left", "inner"),
        ("left", "outer"),
    )
)
_LANDMARKS = "metadata/landmarks/json"


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    others = {"color", "expression", "metadata", "catalog"}
    return content.kind == "hdf5" and content.has("shape") and bool(others & content.names)


def read(content: Content) -> MorphableModel:
    """Read the model; without expressions or colours where it has none.

    Raises:
        ModelError: the file is damaged, lacks a dataset, or refers to other files.
    """
    with naming(content.path), open_hdf5(content.path) as file:
        mean = positions(_dataset(file, "shape/model/mean"))
        size = len(mean)
        cells = _dataset(file, "shape/representer/cells")
        return assemble(
            Parts(
                name=_name(content, size),
                mean=mean,
                identity=_basis(file, "shape", size),
                faces=triangles(cells.T if cells.shape[0] == 3 else cells, size, first=0),
                expression=_basis(file, "expression", size) if _has(file, "expression") else None,
                reflectance=_colour(file, size) if _has(file, "color") else None,
                corners=_corners(file),
            )
        )


def _has(file: File, part: str) -> bool:
    return file.has(f"{part}/model/pcaBasis")


def _dataset(file: File, name: str) -> np.ndarray:
    return pick({name: file.array(name)}, name)


def _basis(file: File, part: str, size: int) -> Tensor:
    basis = _dataset(file, f"{part}/model/pcaBasis")
    if _version(file, part) < (0, 9):
        return components(basis, 1.0, size)
    variances = np.ravel(_dataset(file, f"{part}/model/pcaVariance"))
    if not (variances >= 0).all():
        raise ModelError(f"its {part}/model/pcaVariance has negative entries")
    return components(basis, np.sqrt(variances), size)


def _version(file: File, part: str) -> tuple[int, int]:
    """Of the format; the last one that did not say was 0.8."""
    names = (f"{part}/version/majorVersion", f"{part}/version/minorVersion")
    if not all(file.has(name) for name in names):
        return 0, 8
    major, minor = (int(np.ravel(_dataset(file, name))[0]) for name in names)
    return major, minor


def _colour(file: File, size: int) -> LinearBasis:
    return LinearBasis(positions(_dataset(file, "color/model/mean")), _basis(file, "color", size))


def _corners(file: File) -> Tensor | None:
    """Corners of the eyes, where the file names them in a text that can be read."""
    if not file.has(_LANDMARKS):
        return None
    try:
        points = {item["id"]: item["coordinates"] for item in json.loads(file.text(_LANDMARKS))}
        chosen = torch.tensor([points[name] for name in _CORNERS], dtype=torch.float64)
    except (ModelError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return chosen if chosen.shape == (4, 3) and bool(chosen.isfinite().all()) else None


def _name(content: Content, size: int) -> str:
    """Which of the published ones it is: their vertices tell."""
    of_2017 = size in (53149, 28588)
    return "bfm2017" if of_2017 else "bfm2019" if size in (47439, 27657, 58203) else "bfm"
