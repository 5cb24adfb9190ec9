"""3DDFA's part of the Basel Face Model 2009: `bfm_noneck_v3.pkl` of 3DDFA_V2, and `.npz`.

In the file: micrometres, the axes of the package, and bases whose coefficients are not in
standard deviations. Those are not in the file either: unless it has `sigma_shp` and `sigma_exp`,
the spread of the coefficients over 3DDFA's training faces is taken, which is published with it
for 40 identities and 10 expressions, and the components after these are left out. `u`, or
`u_shp` and `u_exp` in sum, is the mean face with the mean expression, which cannot be told apart
in the first form. `keypoints` are the 68 landmarks, as indices of single coordinates. Faces (`tri`)
are clockwise, and from 1 in the first version; 3DDFA_V2 has them in a file `tri.pkl` beside it.
"""

from pathlib import Path

import numpy as np
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.morphable import MorphableModel
from morphface.models.readers.arrays import naming, pick, read_arrays
from morphface.models.readers.assembly import Parts, assemble, components, positions, triangles
from morphface.models.readers.content import Content
from morphface.models.readers.pickles import read_pickle

__all__ = ["NAME", "read", "recognises"]

NAME = "3DDFA's Basel face (.pkl, .npz)"

_UNIT = 1e-3
_NAMES = {
    *("u", "u_shp", "u_exp", "w_shp", "w_exp", "tri", "keypoints", "sigma_shp", "sigma_exp"),
}
_SHAPE_SPREAD = (
    *(575421.1, 277649.0, 258336.8, 255163.1, 150994.4, 160086.1, 111277.3, 97311.8),
    *(117198.4, 89317.4, 88493.6, 72229.9, 71080.2, 50014.0, 55968.6, 47525.5),
    *(49515.1, 38161.5, 44872.1, 46273.2, 38116.8, 28191.2, 32191.4, 36006.2),
    *(32559.9, 25551.1, 24267.5, 27521.4, 23166.5, 21101.6, 19412.3, 19452.2),
    *(17455.0, 22537.6, 16174.3, 14671.6, 15115.7, 13870.1, 13746.3, 12663.1),
)
_EXPRESSION_SPREAD = (1.6, 1.5, 0.6, 0.6, 0.2, 0.3, 0.3, 0.4, 0.2, 0.3)


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    mean = content.has("u") or content.has("u_shp", "u_exp") or content.kind == "pickle"
    return content.kind in ("pickle", "npz", "mat") and mean and content.has("w_shp", "w_exp")


def read(content: Content, *, faces: str | Path | None = None) -> MorphableModel:
    """Read the model.

    Args:
        content: the file.
        faces: file of the triangles; None looks into the file, then for `tri.pkl` beside it.

    Raises:
        ModelError: the file is damaged, or lacks an array.
    """
    with naming(content.path):
        arrays = read_arrays(content, _NAMES)
        mean = _mean(arrays)
        size = len(mean)
        return assemble(
            Parts(
                name="3ddfa",
                mean=mean,
                identity=_basis(arrays, "w_shp", "sigma_shp", _SHAPE_SPREAD, size),
                faces=triangles(_faces(arrays, content.path, faces), size, first=None),
                expression=_basis(arrays, "w_exp", "sigma_exp", _EXPRESSION_SPREAD, size),
                landmarks=_landmarks(arrays),
            )
        )


def _mean(arrays: dict[str, np.ndarray]) -> Tensor:
    if "u" in arrays:
        return positions(pick(arrays, "u"), _UNIT)
    shape, expression = pick(arrays, "u_shp"), pick(arrays, "u_exp")
    if shape.size != expression.size:
        raise ModelError(f"its u_shp has {shape.size} numbers, and its u_exp {expression.size}")
    return positions(shape.ravel() + expression.ravel(), _UNIT)


def _basis(
    arrays: dict[str, np.ndarray], name: str, sigma: str, spread: tuple[float, ...], size: int
) -> Tensor:
    values = pick(arrays, name)
    if sigma in arrays:
        return components(values, np.ravel(pick(arrays, sigma)) * _UNIT, size)
    return components(values[..., : len(spread)], np.array(spread) * _UNIT, size)


def _faces(arrays: dict[str, np.ndarray], path: Path, faces: str | Path | None) -> np.ndarray:
    beside = path.with_name("tri.pkl")
    if faces is None and "tri" in arrays and not (path.suffix == ".pkl" and beside.is_file()):
        return pick(arrays, "tri")
    found = read_pickle(Path(faces) if faces is not None else beside)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iu":
        raise ModelError(f"{faces or beside} does not hold triangles")
    return found


def _landmarks(arrays: dict[str, np.ndarray]) -> np.ndarray | None:
    if "keypoints" not in arrays:
        return None
    places = pick(arrays, "keypoints").ravel().astype(np.int64)
    if places.size == 204:
        places = places[::3] // 3
    return places
