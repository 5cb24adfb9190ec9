"""From tensors to what small solves compute with."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

__all__ = ["to_numpy"]


def to_numpy(tensor: Tensor) -> Float[np.ndarray, "..."]:
    """The values in float64 on the CPU."""
    return tensor.detach().cpu().double().numpy()
