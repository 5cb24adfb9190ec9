"""Looking up and enlarging pictures as OpenCV does: faster than torch, without gradients."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.segment.filters import mean_around

__all__ = ["areas", "boxed", "enlarged_fast", "evened", "looked_up", "softened", "steps"]


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


def steps(place: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
    """How far apart in a picture neighbouring pixels are looked up.

    Args:
        place: x and y in pixels of that.
    """
    squared = torch.zeros_like(place[..., :1])
    for axis in (0, 1):
        x, y = place.diff(dim=axis).unbind(-1)
        part = squared.narrow(axis, 0, x.shape[axis])
        part.copy_(torch.maximum(part, (x * x + y * y)[..., None]))
    return squared.sqrt()


def areas(place: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 1"]:
    """How much of a picture, as an area, each pixel shows; nothing where it is seen mirrored.

    Args:
        place: x and y in pixels of that; at least two rows and columns.
    """
    down, across = torch.gradient(place, dim=(0, 1))
    (a, b), (c, d) = across.unbind(-1), down.unbind(-1)
    return (a * d - b * c).clamp(min=0)[..., None]


def softened(
    alpha: Float[Tensor, "h w 1"], folded: Bool[Tensor, "h w 1"]
) -> Float[Tensor, "h w 1"]:
    """An outline that is not sharper than a pixel where a surface folds over and ends.

    Args:
        alpha: how far there is something.
        folded: where neighbouring pixels show places that are far apart.
    """
    near = torch.from_numpy(mean_around(mean_around(folded.numpy()))) > 0
    soft = torch.from_numpy(mean_around(mean_around(alpha.numpy())))
    return torch.where(near, soft, alpha)


def evened(
    picture: Float[Tensor, "h w C"], folded: Bool[Tensor, "h w 1"]
) -> Float[Tensor, "h w C"]:
    """A picture without the stairs that it has along lines.

    Args:
        picture: the picture.
        folded: the lines; pixels next to them count.
    """
    rows, columns = (slice(max(part.start - 2, 0), part.stop + 2) for part in boxed(folded.float()))
    if not bool(folded[rows, columns].any()):
        return picture
    found, part = picture.clone(), picture[rows, columns]
    near = torch.from_numpy(mean_around(folded[rows, columns].numpy())) > 0
    found[rows, columns] = torch.where(near, torch.from_numpy(mean_around(part.numpy())), part)
    return found


def boxed(values: Float[Tensor, "h w 1"]) -> tuple[slice, slice]:
    """Rows and columns within which a picture is not zero.

    Args:
        values: of its pixels.
    """
    some = values[..., 0].numpy() != 0
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(some.any(axis))
        spans.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0))
    return spans[0], spans[1]
