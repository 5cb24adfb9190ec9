"""Clips of talking heads as one photo and motion: `pack` writes such files, `unpack` plays them."""

from morphface.pipelines.compress.file import ClipFile, read_clip_file
from morphface.pipelines.compress.pack import Compressed, compress_video
from morphface.pipelines.compress.unpack import decompress_video

__all__ = ["ClipFile", "Compressed", "compress_video", "decompress_video", "read_clip_file"]
