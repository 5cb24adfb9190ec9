"""How far two pictures differ, by their pixels. One value a frame; RGB in [0, 1]."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.evaluate.score import Measure

__all__ = ["PictureMeasure", "apd_pixel", "l1", "psnr", "ssim", "ssim_map"]

WINDOW = 11
SIGMA = 1.5
STABLE = 0.01**2, 0.03**2


@dataclass(frozen=True)
class PictureMeasure(Measure):
    """A measure that is a mean over pixels, of all or of those that a mask weighs.

    Args:
        name: as papers write it.
        unit: of the value.
        better: "lower" or "higher".
        convention: range, reduction and source, in a few words.
        at_pixels: the value at each pixel.
        finally_: what is made of the mean over the pixels.
        edge: how many pixels at the border have no value.
    """

    at_pixels: Callable[[Tensor, Tensor], Tensor]
    finally_: Callable[[Tensor], Tensor]
    edge: int = 0

    def __call__(
        self,
        result: Float[Tensor, "T H W C"],
        reference: Float[Tensor, "T H W C"],
        mask: Float[Tensor, "#T H W"] | None = None,
    ) -> Float[Tensor, " T"]:
        """One value for each frame.

        Args:
            result: pictures that were made.
            reference: what they should be.
            mask: weights of pixels, such as 1 on the face.

        Raises:
            ShapeError: the pictures differ in size or are too small, or the mask differs.
            ParameterError: the mask is zero everywhere.
        """
        _check_same(result, reference)
        values = self.at_pixels(result, reference)
        if mask is None:
            return self.finally_(values.mean(dim=(1, 2)))
        check_shape("mask", mask, *result.shape[1:3])
        rows, columns = (slice(self.edge, size - self.edge) for size in result.shape[1:3])
        mask = mask[:, rows, columns]
        total = mask.sum(dim=(1, 2))
        if not bool((total > 0).all()):
            raise ParameterError("mask must have a pixel that counts in every frame, one has none")
        return self.finally_((values * mask).sum(dim=(1, 2)) / total)


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
    _check_same(result, reference)
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


l1 = PictureMeasure(
    name="L1",
    unit="of 255",
    better="lower",
    convention="mean absolute difference of RGB on the 0-255 scale, as HeadGAN; FOMM has 0-1",
    at_pixels=lambda a, b: (a - b).abs().mean(dim=-1),
    finally_=lambda mean: 255 * mean,
)
psnr = PictureMeasure(
    name="PSNR",
    unit="dB",
    better="higher",
    convention="10 log10(1 / MSE) of RGB in [0, 1], for each frame, then averaged",
    at_pixels=lambda a, b: (a - b).square().mean(dim=-1),
    finally_=lambda mean: -10 * torch.log10(mean),
)
ssim = PictureMeasure(
    name="SSIM",
    unit="",
    better="higher",
    convention="11 x 11 Gaussian, sigma 1.5, mean of R, G, B in [0, 1], windows inside the picture",
    at_pixels=lambda a, b: ssim_map(a, b).mean(dim=-1),
    finally_=lambda mean: mean,
    edge=WINDOW // 2,
)
"""Structural similarity (Wang et al. 2004); a window counts as its middle does."""
apd_pixel = PictureMeasure(
    name="APD-pixel",
    unit="of 255",
    better="lower",
    convention="mean Euclidean distance of RGB on the 0-255 scale, as Head2Head",
    at_pixels=lambda a, b: (a - b).norm(dim=-1),
    finally_=lambda mean: 255 * mean,
)


def _blurred(images: Float[Tensor, "T H W C"]) -> Float[Tensor, "T h w C"]:
    """Gaussian means over the windows that lie inside."""
    offsets = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    kernel = torch.exp(-offsets.square() / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    planes = images.permute(0, 3, 1, 2).flatten(0, 1)[:, None]
    planes = conv2d(conv2d(planes, kernel[None, None, None, :]), kernel[None, None, :, None])
    return planes[:, 0].unflatten(0, (len(images), -1)).permute(0, 2, 3, 1)


def _check_same(result: Tensor, reference: Tensor) -> None:
    check_shape("result", result, None, None, None, None)
    check_shape("reference", reference, *result.shape)
