"""Expression bases in files of their own, for models that were published without one.

- `Exp_Pca.bin` (Guo et al., from FaceWarehouse): a 32-bit count K, a mean and K unit directions of
  53,215 vertices in single precision, micrometres; the standard deviations, in micrometres too,
  are in a text file `std_exp.txt` that must lie beside it. The mean is left out, as in the
  published uses of the file, so that no expression is a neutral face.
- 3DDFA's `Model_Exp.mat` and `Model_Expression.mat`: `w_exp`, and `sigma_exp` where it is there;
  as `expPC` and `expEV` in face3d. Micrometres; deviations, not variances.
- LSFM's companions: `exp_basis` in the unit of the model, one deviation a column; or the
  flatbuffer `lsfm_exp_30.dat`, whose components have their deviation beside them.
"""

from pathlib import Path

import numpy as np
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.readers import flatbuffer
from morphface.models.readers.arrays import KINDS, naming, pick, read_arrays
from morphface.models.readers.assembly import components
from morphface.models.readers.content import Content, look

__all__ = ["read_expression"]

_MICROMETRES = 1e-3
_DEVIATIONS = "std_exp.txt"
_LONGEST_TEXT = 2**16


def read_expression(path: str | Path, unit: float) -> Tensor:
    """One standard deviation of each expression in millimetres, as K x V x 3.

    Args:
        path: of the file.
        unit: of the model that it is for, in millimetres; some bases share it.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it is not an expression basis, or is damaged.
    """
    content = look(path)
    with naming(content.path):
        if content.kind in KINDS:
            return _from_arrays(content, unit)
        if flatbuffer.recognises(content.path):
            values, deviations = flatbuffer.read_components(content.path)
            return components(values, deviations * unit, len(values) // 3)
        if content.kind == "exp_pca":
            return _from_binary(content.path)
        raise ModelError(f"it is {content.describe()}, not an expression basis")


def _from_arrays(content: Content, unit: float) -> Tensor:
    arrays = read_arrays(content, {"w_exp", "sigma_exp", "expPC", "expEV", "exp_basis", "fmod"})
    micrometres = not arrays.keys().isdisjoint(("w_exp", "expPC"))
    basis = pick(arrays, "w_exp", "expPC", "exp_basis")
    deviations: np.ndarray | float = unit
    if micrometres:
        sigma = arrays.get("sigma_exp", arrays.get("expEV"))
        deviations = _MICROMETRES * (1.0 if sigma is None else np.ravel(sigma))
    return components(basis, deviations, len(basis) // 3)


def _from_binary(path: Path) -> Tensor:
    deviations = _deviations(path.with_name(_DEVIATIONS))
    with path.open("rb") as file:
        rank = int(np.fromfile(file, "<i4", 1)[0])
        size = (path.stat().st_size - 4) // (12 * (1 + rank))
        file.seek(12 * size, 1)
        rows = np.fromfile(file, "<f4", rank * size * 3)
    return components(rows.reshape(rank, 3 * size).T, deviations * _MICROMETRES, size)


def _deviations(path: Path) -> np.ndarray:
    if not path.is_file() or path.stat().st_size > _LONGEST_TEXT:
        raise ModelError(f"the standard deviations of its expressions must lie in {path}")
    try:
        return np.array(path.read_text(encoding="ascii").split(), np.float32)
    except ValueError:
        raise ModelError(f"{path} does not hold numbers") from None
