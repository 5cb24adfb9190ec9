"""How pictures are coded for each suffix of a file name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container.output import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from morphface.core.errors import MissingDependencyError, OutputError
from morphface.media.video.picture import ACCURATE, BT709, LIMITED

__all__ = ["Encoding", "add_comment", "encoding_for"]

_THREADS = 2


@dataclass(frozen=True)
class Encoding:
    """One way of coding pictures.

    Args:
        form: name of the file's format.
        codecs: names of encoders, the first that is here is used.
        layout: how pixels are laid out for it.
        step: seconds in a unit of time.
        options: of the encoder.
        holds_sound: whether the file can have sound.
    """

    form: str
    codecs: tuple[str, ...]
    layout: str = "yuv420p"
    step: Fraction = Fraction(1, 90_000)
    options: Mapping[str, str] = field(default_factory=dict)
    holds_sound: bool = True

    def stored_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width as stored: even where two by two pixels share their colour."""
        odd = self.layout == "yuv420p"
        return size[0] + (size[0] % 2 if odd else 0), size[1] + (size[1] % 2 if odd else 0)

    def add_stream(
        self, container: OutputContainer, size: tuple[int, int], rate: Fraction
    ) -> VideoStream:
        """The stream of pictures in `container`, ready to be given frames.

        Raises:
            MissingDependencyError: this build of PyAV has none of the encoders.
        """
        codec = next((name for name in self.codecs if name in av.codecs_available), None)
        if codec is None:
            raise MissingDependencyError(
                f"this build of PyAV cannot encode {self.form} ({', '.join(self.codecs)} missing); "
                "run: pip install --force-reinstall av"
            )
        stream = cast(VideoStream, container.add_stream(codec, rate=rate))
        stream.height, stream.width = self.stored_size(size)
        stream.pix_fmt = self.layout
        stream.options = dict(self.options)
        stream.time_base = self.step
        coder = stream.codec_context
        coder.time_base = self.step
        coder.gop_size = max(1, round(2 * rate))
        coder.thread_count = _THREADS
        if self.layout == "yuv420p":
            coder.colorspace, coder.color_range = BT709, LIMITED
            coder.color_primaries = coder.color_trc = BT709
        return stream

    def frame(self, pixels: UInt8[Tensor, "H W 3"], reformatter: VideoReformatter) -> VideoFrame:
        """`pixels` laid out for the encoder; odd sizes repeat their last row and column."""
        height, width = pixels.shape[:2]
        if self.layout == "pal8":
            return _with_palette(pixels)
        rows, columns = self.stored_size((height, width))
        values = pixels.numpy()
        if (rows, columns) != (height, width):
            values = np.pad(values, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge")
        plain = VideoFrame.from_ndarray(np.ascontiguousarray(values), "rgb24")
        if self.layout == "rgb24":
            return plain
        return reformatter.reformat(
            plain,
            format=self.layout,
            dst_colorspace=BT709 if self.layout == "yuv420p" else None,
            dst_color_range=LIMITED if self.layout == "yuv420p" else None,
            interpolation=ACCURATE,
            threads=1,
        )


_H264 = {"preset": "veryfast", "bf": "0"}
"""Without B-frames, the length that an MP4 states is right for uneven times too."""
_MPEG4_TOO = ("libx264", "libopenh264", "mpeg4")
_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_GIF = Encoding("gif", ("gif",), "pal8", Fraction(1, 100), holds_sound=False)
_VP9 = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"}


def encoding_for(path: Path, lossless: bool) -> Encoding:
    """How to code a video whose name is that of `path`.

    Args:
        path: its suffix decides: .mp4, .m4v, .mov and .mkv are H.264, .webm is VP9, .gif is GIF.
        lossless: keep every bit of the pictures.

    Raises:
        OutputError: the suffix is none of these, or such files cannot be lossless.
    """
    suffix = path.suffix.lower()
    if suffix in _FORMATS:
        if lossless:
            return Encoding(_FORMATS[suffix], ("libx264rgb",), "rgb24", options=_H264 | {"qp": "0"})
        return Encoding(_FORMATS[suffix], _MPEG4_TOO, options=_H264 | {"crf": "18"})
    if suffix == ".webm":
        if lossless:
            return Encoding("webm", ("libvpx-vp9",), "gbrp", options=_VP9 | {"lossless": "1"})
        return Encoding("webm", ("libvpx-vp9",), options=_VP9 | {"crf": "30", "b": "0"})
    if suffix == ".gif" and not lossless:
        return _GIF
    known = ".mp4, .mov, .mkv or .webm" + ("" if lossless else ", or .gif")
    raise OutputError(f"cannot write {path}: the suffix of a video must be {known}")


def add_comment(path: Path, text: str) -> None:
    """Put a comment at the end of a GIF, which FFmpeg does not write.

    Args:
        path: of the whole GIF.
        text: of the comment.
    """
    content = text.encode()
    blocks = [content[start : start + 255] for start in range(0, len(content), 255)]
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)  # over the trailer
        file.write(b"!\xfe")
        file.writelines(bytes([len(block)]) + block for block in blocks)
        file.write(b"\0;")


def _with_palette(pixels: UInt8[Tensor, "H W 3"]) -> VideoFrame:
    """256 colours chosen for this picture."""
    image = Image.fromarray(pixels.numpy()).quantize(256, Image.Quantize.MEDIANCUT)
    colours = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
    palette: np.ndarray[Any, np.dtype[np.uint8]] = np.full((256, 4), 255, np.uint8)
    palette[: len(colours), 1:] = colours
    plain: Any = VideoFrame.from_ndarray
    frame: VideoFrame = plain((np.asarray(image), palette), format="pal8")
    return frame
