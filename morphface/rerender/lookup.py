"""Looking up and enlarging pictures as OpenCV does: faster than torch, without gradients."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["enlarged_fast", "looked_up"]


def looked_up(
    picture: Float[np.ndarray, "H W C"], place: Float[Tensor, "h w 2"], *, cubic: bool = False
) -> Float[Tensor, "h w C"]:
    """Colours at places in a picture, as `render.warp.look_up`; places count in 1/32 pixels.

    Args:
        picture: to look into, of up to four channels.
        place: x and y in pixels, the first pixel's centre is at (0.5, 0.5).
        cubic: whether by cubic convolution; else bilinear.
    """
    import cv2

    x, y = (np.ascontiguousarray(axis) for axis in (place - 0.5).movedim(-1, 0).numpy())
    mode = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    found = np.asarray(cv2.remap(picture, x, y, mode, borderMode=cv2.BORDER_REPLICATE))
    return torch.from_numpy(found.reshape(*place.shape[:2], -1))


def enlarged_fast(
    values: Float[np.ndarray, "h w C"], size: tuple[int, int]
) -> Float[np.ndarray, "H W C"]:
    """Values of a coarse picture at the pixels of a finer one of the same extent, bilinear.

    Args:
        values: of the coarse picture.
        size: height and width of the finer one.
    """
    import cv2

    if values.shape[:2] == size:
        return values
    found = cv2.resize(np.ascontiguousarray(values), size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(found).reshape(*size, -1)
