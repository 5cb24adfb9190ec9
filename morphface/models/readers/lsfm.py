"""The Large Scale Facial Model (Booth et al.), and what HeadGAN made of it.

- menpo's release, `all_all_all.mat` and its demographic and cropped relatives: `mean`, unit
  columns `components`, `eigenvalues`, which are variances, and `trilist` from 0. A pickle of these
  arrays, or of menpo's own `PCAModel`, has the same.
- The same model in the names of the Basel one: `shapeMU`, `shapePC`, `shapeEV`, which are standard
  deviations, and `trilist`.
- HeadGAN's and Head2Head's file: a structure `fmod` with `mean`, `id_basis` and `exp_basis`, which
  are already times their deviations, and `faces`.

The axes are those of the package. The file does not state its unit; menpo scales 3DDFA's
expressions by 1.0007e-5 a micrometre to fit it, so that it is a decimetre to a thousandth. Here it
is the power of ten (or micrometres) that makes the mean face 80 to 800 mm wide. The 68 landmarks
are those of 3DDFA, whose 53,215 vertices the full model shares.
"""

from pathlib import Path

import numpy as np
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.morphable import MorphableModel
from morphface.models.readers import basel
from morphface.models.readers.arrays import KINDS, naming, pick, read_arrays
from morphface.models.readers.assembly import Parts, assemble, components, positions, triangles
from morphface.models.readers.content import Content
from morphface.models.readers.expressions import read_expression

__all__ = ["NAME", "read", "recognises"]

NAME = "a Large Scale Facial Model (.mat, .pkl)"

_UNITS = (1e-3, 1.0, 10.0, 100.0, 1000.0)
_NARROWEST, _WIDEST = 80.0, 800.0
_FORMS = (
    ("mean", "components", "eigenvalues", "trilist"),
    ("shapeMU", "shapePC", "shapeEV", "trilist"),
    ("_components", "_eigenvalues", "trilist"),
    ("fmod",),
)
_NAMES = {name for form in _FORMS for name in form}
_NAMES |= {"_mean", "id_basis", "exp_basis", "faces", "map_full_to_cropped", "id_ind", "exp_ind"}


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    return content.kind in KINDS and any(content.has(*form) for form in _FORMS)


def read(content: Content, *, expression: str | Path | None = None) -> MorphableModel:
    """Read the identities, and the expressions of the file or of a second one.

    Args:
        content: what was found in the file.
        expression: path of a basis for the same vertices, as `expressions` reads them.

    Raises:
        ModelError: an array is missing or damaged, or the two files differ in vertices.
    """
    with naming(content.path):
        arrays = read_arrays(content, _NAMES)
        raw = pick(arrays, "mean", "_mean", "shapeMU")
        unit = _unit(raw)
        mean = positions(raw, unit)
        size = len(mean)
        identity, own = _bases(arrays, unit, size)
        parts = Parts(
            name="lsfm",
            mean=mean,
            identity=identity,
            faces=triangles(pick(arrays, "trilist", "faces"), size, first=None),
            expression=own,
            landmarks=_landmarks(arrays, size),
        )
    if expression is not None:
        directions = read_expression(expression, unit)
        if directions.shape[1] != size:
            raise ModelError(
                f"{expression} has expressions of {directions.shape[1]} vertices, "
                f"and the model has {size}"
            )
        parts = Parts(**{**vars(parts), "expression": directions})
    return assemble(parts)


def _unit(mean: np.ndarray) -> float:
    across = np.ravel(mean)[::3].astype(np.float64)
    width = float(across.max() - across.min())
    for unit in _UNITS:
        if _NARROWEST <= width * unit < _WIDEST:
            return unit
    raise ModelError(f"its mean is {width:g} wide, which is no face in any known unit")


def _bases(arrays: dict[str, np.ndarray], unit: float, size: int) -> tuple[Tensor, Tensor | None]:
    if "id_basis" in arrays:
        identity = components(pick(arrays, "id_basis"), unit, size)
        if "exp_basis" not in arrays:
            return identity, None
        return identity, components(pick(arrays, "exp_basis"), unit, size)
    if "_components" in arrays:
        return _menpo_bases(arrays, unit, size)
    if "shapePC" in arrays:
        return components(pick(arrays, "shapePC"), pick(arrays, "shapeEV") * unit, size), None
    return components(pick(arrays, "components"), _roots(arrays, "eigenvalues") * unit, size), None


def _menpo_bases(
    arrays: dict[str, np.ndarray], unit: float, size: int
) -> tuple[Tensor, Tensor | None]:
    """Rows are components; a joint model says which are identity and already has their scale."""
    rows = pick(arrays, "_components")
    if "id_ind" not in arrays or "exp_ind" not in arrays:
        return components(rows.T, _roots(arrays, "_eigenvalues") * unit, size), None
    chosen = [pick(arrays, name).ravel().astype(np.int64) for name in ("id_ind", "exp_ind")]
    if any(len(rows) <= index.max(initial=0) or index.min(initial=0) < 0 for index in chosen):
        raise ModelError("its id_ind and exp_ind are not rows of its components")
    identity, moves = (components(rows[index].T, unit, size) for index in chosen)
    return identity, moves


def _roots(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    variances = np.ravel(pick(arrays, name)).astype(np.float64)
    if not (variances >= 0).all():
        raise ModelError(f"its {name} are not variances: some are negative")
    return np.sqrt(variances)


def _landmarks(arrays: dict[str, np.ndarray], size: int) -> np.ndarray | None:
    table = np.array(basel.LANDMARKS)
    if size == basel.TRIMMED:
        return table
    if "map_full_to_cropped" not in arrays:
        return None
    place = pick(arrays, "map_full_to_cropped").ravel()
    if place.size != basel.TRIMMED:
        return None
    moved = place[table].astype(np.int64)
    return moved if moved.min() >= 0 else None
