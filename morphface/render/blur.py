"""Gaussian blur of tensors, any leading axes; arrays have theirs in `segment.filters`."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

__all__ = ["blurred"]


def blurred(
    planes: Float[Tensor, "*batch H W"], width: float, *, step: int = 1
) -> Float[Tensor, "*batch H W"]:
    """Planes smoothed by a Gaussian; zero outside.

    Args:
        planes: of pictures, each blurred alone.
        width: its standard deviation, in pixels.
        step: pixels in a row that are worked on as one, up to half of the width: quicker, and
            nearly as good.
    """
    height, across = planes.shape[-2:]
    whole = planes.reshape(-1, 1, height, across)
    if step > 1:
        whole = pad(whole, (0, -across % step, 0, -height % step))
    reach = int(3 * width / step + 0.5)
    taps = torch.arange(-reach, reach + 1).to(planes)
    kernel = torch.exp(-0.5 * (taps * step / max(width, 1e-3)).square())
    kernel = (kernel / kernel.sum())[None, None, None]
    small = avg_pool2d(whole, step) if step > 1 else whole
    small = conv2d(small, kernel, padding=(0, reach))
    small = conv2d(small, kernel.mT, padding=(reach, 0))
    if step > 1:
        small = interpolate(small, whole.shape[-2:], mode="bilinear", align_corners=False)
    return small[..., :height, :across].reshape(planes.shape)
