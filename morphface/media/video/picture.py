"""What a decoded frame looks like: upright 8-bit RGB of square pixels, the right colours.

Matrix and range are those that the file states; where it states no matrix, the usual one of its
size. Transparent pixels are shown on white, as in pictures. HDR and wide colours become sRGB.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from jaxtyping import UInt8
from torch import Tensor

from morphface.media.video.light import is_wide, to_srgb

__all__ = ["ACCURATE", "BT709", "LIMITED", "Picture"]

ACCURATE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
BT601, BT709, BT2020 = 5, 1, 9
LIMITED = 1
_MATRICES = {1: BT709, 4: 4, 5: BT601, 6: BT601, 7: 7, 9: BT2020, 10: BT2020}
_HD_WIDTH, _HD_HEIGHT = 1280, 576
"""Video without a stated matrix follows BT.709 where wider or higher than this, as players do."""
_STRETCH = 4
_Array = np.ndarray[Any, np.dtype[np.uint8]]


class Picture:
    """Turns the frames of one video into tensors.

    The first frame fixes size and orientation; a later one of another size is scaled to it.

    Args:
        first: the first frame.
        aspect: width by height of a pixel, as the file states it.
        as_stored: whether to leave the turns that the file asks for to the caller.
    """

    def __init__(
        self, first: VideoFrame, aspect: Fraction | None, *, as_stored: bool = False
    ) -> None:
        stretch = float(aspect or 1)
        stretch = stretch if 1 / _STRETCH <= stretch <= _STRETCH else 1.0
        self._width = max(1, round(first.width * stretch))
        self._height = first.height
        self._upright = _as_it_is if as_stored else _upright(first)
        self._reformatter = VideoReformatter()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the upright picture."""
        turned = self._upright(np.empty((self._height, self._width, 0), np.uint8))
        return turned.shape[0], turned.shape[1]

    def tensor(self, frame: VideoFrame) -> UInt8[Tensor, "H W 3"]:
        """The upright picture of `frame`."""
        wide, clear = is_wide(frame), _has_alpha(frame)
        converted = self._reformatter.reformat(
            frame,
            width=self._width,
            height=self._height,
            format="rgb48le" if wide else "rgba" if clear else "rgb24",
            src_colorspace=_matrix(frame),
            interpolation=ACCURATE,
            threads=1,
        )
        values: Any = converted.to_ndarray()
        if wide:
            values = to_srgb(values, frame.color_trc, frame.color_primaries)
        elif clear:
            values = _on_white(values)
        return torch.from_numpy(np.ascontiguousarray(self._upright(values)))


def _matrix(frame: VideoFrame) -> int:
    """The colour matrix, as libswscale numbers it."""
    high = frame.width >= _HD_WIDTH or frame.height > _HD_HEIGHT
    return _MATRICES.get(frame.colorspace, BT709 if high else BT601)


def _has_alpha(frame: VideoFrame) -> bool:
    return frame.format.name == "pal8" or any(part.is_alpha for part in frame.format.components)


def _on_white(values: _Array) -> _Array:
    if values[..., 3].min() == 255:
        return values[..., :3]
    alpha = values[..., 3:].astype(np.uint16)
    over = values[..., :3] * alpha + 255 * (255 - alpha)
    return ((over + 127) // 255).astype(np.uint8)


def _as_it_is(values: _Array) -> _Array:
    return values


def _upright(frame: VideoFrame) -> Callable[[_Array], _Array]:
    """Undoes the rotation and mirroring that the display matrix asks a player for."""
    stored = _side_data(frame, Type.DISPLAYMATRIX)
    if stored is None:
        return _as_it_is
    a, b, _, c, d = np.frombuffer(stored, np.int32)[:5].tolist()
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    mirrored = (c if swapped else a) < 0
    upside_down = (b if swapped else d) < 0

    def turn(values: _Array) -> _Array:
        values = values.transpose(1, 0, 2) if swapped else values
        return values[:: -1 if upside_down else 1, :: -1 if mirrored else 1]

    return turn


def _side_data(frame: VideoFrame, kind: Type) -> Any:
    """What a frame carries beside its picture; None where it does not, or PyAV cannot tell."""
    try:
        side_data: Any = frame.side_data
    except ValueError:  # a kind that PyAV has no name for is among it, as EXIF
        return None
    return side_data.get(kind)
