"""How far two pictures differ, by their pixels. One value a frame; RGB in [0, 1].

With a mask, every mean is weighted by it: the face alone, say. What such a number means is in
`MEASURES`, which every report prints beside it.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.evaluate.score import Measure

__all__ = ["MEASURES", "apd_pixel", "l1", "psnr", "ssim", "ssim_map"]

WINDOW = 11
SIGMA = 1.5
STABLE = 0.01**2, 0.03**2

MEASURES = {
    "l1": Measure("L1", "of 255", "lower", "mean absolute difference of RGB on the 0-255 scale"),
    "psnr": Measure("PSNR", "dB", "higher", "RGB in [0, 1], for each frame, then averaged"),
    "ssim": Measure(
        "SSIM",
        "",
        "higher",
        "11 x 11 Gaussian window, sigma 1.5, mean of R, G, B in [0, 1], borders left out",
    ),
    "apd_pixel": Measure(
        "APD-pixel", "of 255", "lower", "mean Euclidean distance of RGB on the 0-255 scale"
    ),
}

Mask = Float[Tensor, "#T H W"]


def l1(
    result: Float[Tensor, "T H W C"],
    reference: Float[Tensor, "T H W C"],
    mask: Mask | None = None,
) -> Float[Tensor, " T"]:
    """Mean absolute difference, on the 0-255 scale (as in HeadGAN; FOMM's is on [0, 1]).

    Args:
        result: pictures that were made.
        reference: what they should be.
        mask: weights of pixels.

    Raises:
        ShapeError: the pictures differ in size, or the mask does.
        ParameterError: the mask is zero everywhere.
    """
    _check(result, reference, mask)
    return 255 * _mean((result - reference).abs().mean(dim=-1), mask)


def psnr(
    result: Float[Tensor, "T H W C"],
    reference: Float[Tensor, "T H W C"],
    mask: Mask | None = None,
) -> Float[Tensor, " T"]:
    """Peak signal-to-noise ratio in decibels, `10 log10(1 / MSE)`; infinite for equal pictures.

    Args:
        result: pictures that were made.
        reference: what they should be.
        mask: weights of pixels.

    Raises:
        ShapeError: the pictures differ in size, or the mask does.
        ParameterError: the mask is zero everywhere.
    """
    _check(result, reference, mask)
    return -10 * torch.log10(_mean((result - reference).square().mean(dim=-1), mask))


def apd_pixel(
    result: Float[Tensor, "T H W C"],
    reference: Float[Tensor, "T H W C"],
    mask: Mask | None = None,
) -> Float[Tensor, " T"]:
    """Mean Euclidean distance of colours, on the 0-255 scale (Head2Head's average pixel distance).

    Args:
        result: pictures that were made.
        reference: what they should be.
        mask: weights of pixels.

    Raises:
        ShapeError: the pictures differ in size, or the mask does.
        ParameterError: the mask is zero everywhere.
    """
    _check(result, reference, mask)
    return 255 * _mean((result - reference).norm(dim=-1), mask)


def ssim(
    result: Float[Tensor, "T H W C"],
    reference: Float[Tensor, "T H W C"],
    mask: Mask | None = None,
) -> Float[Tensor, " T"]:
    """Structural similarity (Wang et al. 2004), 1 for equal pictures.

    Args:
        result: pictures that were made.
        reference: what they should be.
        mask: weights of pixels; a window counts as its middle does.

    Raises:
        ShapeError: the pictures differ in size, are smaller than the window, or the mask differs.
        ParameterError: the mask is zero everywhere.
    """
    _check(result, reference, mask)
    edge = WINDOW // 2
    inner = None if mask is None else mask[:, edge:-edge, edge:-edge]
    return _mean(ssim_map(result, reference).mean(dim=-1), inner)


def ssim_map(
    result: Float[Tensor, "T H W C"], reference: Float[Tensor, "T H W C"]
) -> Float[Tensor, "T h w C"]:
    """Structural similarity of each window of 11 x 11 pixels that lies inside (equation 13).

    Args:
        result: pictures that were made.
        reference: what they should be.

    Raises:
        ShapeError: the pictures differ in size, or are smaller than the window.
    """
    _check(result, reference, None)
    if min(result.shape[1:3]) < WINDOW:
        raise ShapeError(
            f"result must have at least {WINDOW} x {WINDOW} pixels for SSIM, "
            f"got {tuple(result.shape[1:3])}"
        )
    a, b = _blurred(result), _blurred(reference)
    aa = _blurred(result.square()) - a.square()
    bb = _blurred(reference.square()) - b.square()
    ab = _blurred(result * reference) - a * b
    luminance = (2 * a * b + STABLE[0]) / (a.square() + b.square() + STABLE[0])
    return luminance * (2 * ab + STABLE[1]) / (aa + bb + STABLE[1])


def _blurred(images: Float[Tensor, "T H W C"]) -> Float[Tensor, "T h w C"]:
    """Gaussian means over the windows that lie inside."""
    offsets = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    kernel = torch.exp(-offsets.square() / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    planes = images.permute(0, 3, 1, 2).flatten(0, 1)[:, None]
    planes = conv2d(conv2d(planes, kernel[None, None, None, :]), kernel[None, None, :, None])
    return planes[:, 0].unflatten(0, (len(images), -1)).permute(0, 2, 3, 1)


def _mean(values: Float[Tensor, "T H W"], mask: Tensor | None) -> Float[Tensor, " T"]:
    if mask is None:
        return values.mean(dim=(1, 2))
    total = mask.sum(dim=(1, 2))
    if not bool((total > 0).all()):
        raise ParameterError("mask must have a pixel that counts in every frame, but one has none")
    return (values * mask).sum(dim=(1, 2)) / total


def _check(result: Tensor, reference: Tensor, mask: Tensor | None) -> None:
    check_shape("result", result, None, None, None, None)
    check_shape("reference", reference, *result.shape)
    if mask is not None:
        check_shape("mask", mask, *result.shape[1:3])
