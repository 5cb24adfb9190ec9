"""The face of the Basel Face Model 2009 as Deep3DFaceReconstruction uses it, `BFM_model_front.mat`.

35,709 vertices with 80 identities, 64 expressions and 80 colours. In the file: decimetres, the
axes of the package, indices from 1, bases already times their standard deviations, and colours
from 0 to 255. It has its own 68 landmarks (`keypoints`) and a mask of the skin.
"""

import numpy as np
import torch

from morphface.core.errors import ModelError
from morphface.models.basis import LinearBasis
from morphface.models.morphable import MorphableModel
from morphface.models.readers import assembly
from morphface.models.readers.arrays import naming, pick, read_arrays
from morphface.models.readers.assembly import Parts, components, positions
from morphface.models.readers.content import Content

__all__ = ["NAME", "read", "recognises"]

NAME = "a Basel face of Deep3DFaceReconstruction (BFM_model_front.mat)"

_UNIT = 100.0
_NEEDED = ("meanshape", "idBase", "exBase", "tri")
_NAMES = {*_NEEDED, "meantex", "texBase", "keypoints", "skinmask"}


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try."""
    return content.kind in ("mat", "hdf5") and content.has(*_NEEDED)


def read(content: Content) -> MorphableModel:
    """Read the model.

    Raises:
        ModelError: the file is damaged, or lacks an array.
    """
    with naming(content.path):
        arrays = read_arrays(content, _NAMES)
        mean = positions(pick(arrays, "meanshape"), _UNIT)
        size = len(mean)
        landmarks = np.ravel(pick(arrays, "keypoints"))
        colour = components(pick(arrays, "texBase"), 1 / 255, size)
        return assembly.assemble(
            Parts(
                name="bfm-front",
                mean=mean,
                identity=components(pick(arrays, "idBase"), _UNIT, size),
                faces=assembly.triangles(pick(arrays, "tri"), size, first=1),
                expression=components(pick(arrays, "exBase"), _UNIT, size),
                reflectance=LinearBasis(positions(pick(arrays, "meantex"), 1 / 255), colour),
                landmarks=assembly.vertices(landmarks, size, 1, "landmarks"),
                regions=_regions(arrays, size),
            )
        )


def _regions(arrays: dict[str, np.ndarray], size: int) -> dict[str, torch.Tensor]:
    if "skinmask" not in arrays:
        return {}
    mask = np.ravel(pick(arrays, "skinmask")).astype(np.float32)
    if len(mask) != size:
        raise ModelError(f"its skinmask has {len(mask)} entries for {size} vertices")
    return {"skin": torch.from_numpy(mask.clip(0.0, 1.0))}
