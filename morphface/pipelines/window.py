"""The square part of a photo around a face, enlarged or shrunk to a panel."""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from morphface.media.crop import Crop

__all__ = ["DARK", "LIGHT", "picture_tensor", "window_around"]

DARK = (24, 26, 30)
LIGHT = (225, 228, 232)
_SHARE = 1 / 1.9
"""How much of the window's side the face fills."""
_LIFT = 0.04


def window_around(box: tuple[float, float, float, float], panel: int) -> Crop:
    """A square about a face's box (left, top, right, bottom), of `panel` pixels."""
    return Crop.around(box, panel, share=_SHARE, lift=_LIFT)


def picture_tensor(image: Image.Image) -> Float[Tensor, "H W 3"]:
    """An 8-bit picture as RGB in [0, 1]."""
    return torch.from_numpy(np.array(image)).float() / 255
