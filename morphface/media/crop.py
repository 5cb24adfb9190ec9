"""A square of a picture, scaled to a fixed size, and the way back.

Squares lie anywhere, between pixels too, and may reach beyond the picture. Resampling is cubic,
and averages where it shrinks, so that nothing flickers when the square moves a little.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import max_pool2d

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera
from morphface.media.resample import Weights, grid_weights, resample

__all__ = ["FACE_SHARE", "Crop", "box_drift"]

FACE_SHARE = 156 / 256
"""How much of the crop's side the height of a face's box fills in the data of HeadGAN."""
_SMOOTHING = 0.25
"""Standard deviation in seconds of the Gaussian that smooths moving crops."""
_AROUND = 5
_DETAIL = 0.04
"""Change of a colour from which the detail of the old picture is given up in pasting."""


@dataclass(frozen=True)
class Crop:
    """A square of a picture.

    Args:
        left: of the square, in pixels of the picture.
        top: of the square.
        side: its length.
        size: the square becomes so many pixels wide and high.

    Raises:
        ParameterError: a number is not finite, or a length is not positive.
    """

    left: float
    top: float
    side: float
    size: int

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in (self.left, self.top, self.side)):
            raise ParameterError(f"a crop must have finite numbers, got {self}")
        if not (self.side > 0 and self.size >= 1):
            raise ParameterError(f"a crop must have a positive side and size, got {self}")

    @classmethod
    def around(
        cls,
        box: Sequence[float] | Tensor,
        size: int,
        *,
        share: float = FACE_SHARE,
        lift: float = 0.0,
    ) -> "Crop":
        """A square about the box of a face.

        Args:
            box: left, top, right and bottom of the face.
            size: of the result in pixels.
            share: how much of the square's side the longer side of the box fills.
            lift: how far the square is moved up, in sides of it.
        """
        left, top, right, bottom = (float(edge) for edge in box)
        side = max(right - left, bottom - top, 1.0) / share
        return cls((left + right - side) / 2, (top + bottom - side) / 2 - lift * side, side, size)

    @classmethod
    def steady(
        cls, boxes: Float[Tensor, "T 4"], size: int, *, share: float = FACE_SHARE, lift: float = 0.0
    ) -> "Crop":
        """One square for a whole clip: about the median box, made square by its height.

        Args:
            boxes: left, top, right and bottom of the face in each frame; frames with a NaN are
                left out.
            size: of the result in pixels.
            share: as in `around`.
            lift: as in `around`.

        Raises:
            ParameterError: no frame has a box.
        """
        left, top, right, bottom = _present(boxes)[1].median(dim=0).values.tolist()
        middle, half = (left + right) / 2, (bottom - top) / 2
        return cls.around((middle - half, top, middle + half, bottom), size, share=share, lift=lift)

    @classmethod
    def smoothed(
        cls,
        boxes: Float[Tensor, "T 4"],
        times: Float[Tensor, " T"],
        size: int,
        *,
        share: float = FACE_SHARE,
        lift: float = 0.0,
    ) -> "tuple[Crop, ...]":
        """A square for each frame that follows the face smoothly.

        Args:
            boxes: as in `steady`; frames with a NaN follow their neighbours.
            times: of the frames, in seconds.
            size: of the result in pixels.
            share: as in `around`.
            lift: as in `around`.

        Raises:
            ParameterError: no frame has a box.
        """
        check_shape("times", times, len(boxes))
        here, found = _present(boxes)
        when = times.double()
        centres = (found[:, :2] + found[:, 2:]) / 2
        heights = (found[:, 3:] - found[:, 1:2]).clamp(min=1.0).log()
        path = _filled(torch.cat([centres, heights], dim=-1), here, when)
        crops = []
        for x, y, height in _smooth(path, when).tolist():
            half = math.exp(height) / 2
            box = (x - half, y - half, x + half, y + half)
            crops.append(cls.around(box, size, share=share, lift=lift))
        return tuple(crops)

    @property
    def scale(self) -> float:
        """Pixels of the crop in a pixel of the picture."""
        return self.size / self.side

    def inside(self, points: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Positions in the crop of points of the picture."""
        return (points - points.new_tensor([self.left, self.top])) * self.scale

    def outside(self, points: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Positions in the picture of points of the crop. The inverse of `inside`."""
        return points / self.scale + points.new_tensor([self.left, self.top])

    def camera(self, camera: Camera) -> Camera:
        """The camera that sees the crop as `camera` sees the picture."""
        return replace(
            camera,
            focal=camera.focal * self.scale,
            principal=self.inside(camera.principal),
            size=(self.size, self.size),
        )

    def apply(
        self,
        image: Float[Tensor, "H W C"] | UInt8[Tensor, "H W C"],
        fill: float | Sequence[float] = 0.0,
    ) -> Float[Tensor, "S S C"]:
        """The square of `image`, `fill` where the image ends.

        Args:
            image: 8-bit values count as 0 to 1.
            fill: a value, or one for each channel.
        """
        check_shape("image", image, None, None, None)
        rows, columns = self._weights(image)
        low, high = image.aminmax()
        scale = 255 if image.dtype == torch.uint8 else 1
        found = resample(image, rows, columns)
        covered = (rows.covered[:, None] * columns.covered).to(found)[..., None]
        beyond = found.new_tensor(fill)
        low, high = torch.minimum(low / scale, beyond), torch.maximum(high / scale, beyond)
        return (found + beyond * (1 - covered)).clamp(low, high)

    def paste(
        self,
        image: Float[Tensor, "H W C"],
        crop: Float[Tensor, "S S C"],
        mask: Float[Tensor, "S S"] | None = None,
        *,
        fill: float | Sequence[float] = 0.0,
    ) -> Float[Tensor, "H W C"]:
        """`image` with its square replaced by `crop`.

        What is the same in `crop` and in `apply(image)` stays as it is in `image`, to the last
        bit and however small the crop is; what hardly changed keeps the detail that it has there.

        Args:
            image: the picture.
            crop: what `apply` made of it, changed.
            mask: how much of the change counts, 0 to 1; None: all of it.
            fill: as it was for `apply`.
        """
        check_shape("image", image, None, None, None)
        check_shape("crop", crop, self.size, self.size, image.shape[-1])
        before = self.apply(image, fill)
        top, bottom, left, right = self._pixels(image)
        if top >= bottom or left >= right:
            return image.clone()
        rows = self._back(top, bottom, self.top)
        columns = self._back(left, right, self.left)
        old = image[top:bottom, left:right]
        change = resample(crop - before, rows, columns)
        lost = old - resample(before, rows, columns)
        new = resample(_changed(crop - before), rows, columns).clamp(0, 1)
        change = (change - new * lost) * self._share(top, bottom, left, right).to(image)[..., None]
        if mask is not None:
            check_shape("mask", mask, self.size, self.size)
            change = change * resample(mask[..., None].to(image), rows, columns).clamp(0, 1)
        low = torch.minimum(old.amin(), crop.amin())
        result = image.clone()
        result[top:bottom, left:right] = (old + change).clamp(
            low, torch.maximum(old.amax(), crop.amax())
        )
        return result

    def _weights(self, image: Tensor) -> tuple[Weights, Weights]:
        step = self.side / self.size
        return (
            grid_weights(self.top, step, self.size, image.shape[0]),
            grid_weights(self.left, step, self.size, image.shape[1]),
        )

    def _pixels(self, image: Tensor) -> tuple[int, int, int, int]:
        """Top, bottom, left and right of the pixels that the square touches."""
        height, width = image.shape[:2]
        return (
            max(0, math.floor(self.top)),
            min(height, math.ceil(self.top + self.side)),
            max(0, math.floor(self.left)),
            min(width, math.ceil(self.left + self.side)),
        )

    def _back(self, begin: int, end: int, edge: float) -> Weights:
        """Where pixels of the picture lie in the crop."""
        start = (begin - edge) * self.scale
        return grid_weights(start, self.scale, end - begin, self.size).within()

    def _share(self, top: int, bottom: int, left: int, right: int) -> Float[Tensor, "h w"]:
        """How much of each pixel lies in the square."""

        def overlap(begin: int, end: int, edge: float) -> Tensor:
            pixel = torch.arange(begin, end, dtype=torch.float64)
            return (pixel + 1).clamp(max=edge + self.side) - pixel.clamp(min=edge)

        return overlap(top, bottom, self.top)[:, None] * overlap(left, right, self.left)


def _changed(change: Float[Tensor, "S S C"]) -> Float[Tensor, "S S 1"]:
    """1 where the neighbourhood changed so much that it shows something else."""
    size = change.abs().amax(dim=-1)[None]
    largest = max_pool2d(size, _AROUND, stride=1, padding=_AROUND // 2)[0, ..., None]
    return (largest / _DETAIL).clamp(max=1)


def box_drift(boxes: Float[Tensor, "T 4"], size: tuple[int, int]) -> float:
    """How far the face of a clip wanders: 0 where one crop fits all frames.

    The largest difference of an edge between two frames, by the mean of the picture's sides.
    HeadGAN's data leaves out clips above 0.45, and its reenactment those above 0.35.

    Args:
        boxes: left, top, right and bottom of the face; frames with a NaN are left out.
        size: height and width of the frames.

    Raises:
        ParameterError: no frame has a box.
    """
    found = _present(boxes)[1]
    spread = found.amax(dim=0) - found.amin(dim=0)
    return float(spread.max()) / (sum(size) / 2)


def _present(boxes: Float[Tensor, "T 4"]) -> tuple[Int[Tensor, " n"], Float[Tensor, "n 4"]]:
    """Numbers of the frames with a box, and those boxes."""
    check_shape("boxes", boxes, None, 4)
    here = torch.nonzero(boxes.isfinite().all(dim=-1))[:, 0]
    if len(here) == 0:
        raise ParameterError("boxes must hold a box, but no frame has one: is there a face?")
    return here, boxes[here]


def _filled(values: Float[Tensor, "n C"], here: Tensor, times: Tensor) -> Float[Tensor, "T C"]:
    """Values at all `times`: linear in gaps, constant before the first and after the last."""
    columns = [np.interp(times, times[here], column) for column in values.double().T]
    return torch.from_numpy(np.stack(columns, axis=-1))


def _smooth(values: Float[Tensor, "T C"], times: Float[Tensor, " T"]) -> Float[Tensor, "T C"]:
    """The line that fits the neighbourhood best, at each time: steady motion stays as it is."""
    result = torch.empty_like(values)
    for rows in torch.arange(len(times)).split(256):
        offset = times[None] - times[rows, None]
        weight = torch.exp(-0.5 * (offset / _SMOOTHING) ** 2)
        weight = weight / weight.sum(dim=1, keepdim=True)
        middle = (weight * offset).sum(dim=1, keepdim=True)
        lean = weight * (offset - middle)
        spread = (lean * offset).sum(dim=1, keepdim=True).clamp(min=1e-12)
        result[rows] = (weight - lean * middle / spread) @ values
    return result
