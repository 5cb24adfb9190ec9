"""The file of a clip that is kept as one photo and motion: `.mfc`, "morphface clip", version 1.

After eight bytes of magic come blocks: a letter, the length in four bytes, little-endian, and that
many bytes; then the CRC-32 of all before. The blocks are H, a header in JSON; P, the photo in WebP;
I, the identity in float16; M, motion as `parameters.encoded_moves` writes it; S, the sound in
Matroska, where there is any. Nothing is ever unpickled.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.files import atomic_write
from morphface.geometry.camera import Camera

__all__ = ["SUFFIX", "ClipFile", "camera_of", "read_clip_file"]

SUFFIX = ".mfc"
MAGIC = b"MFCLIP\x00\x01"
_BLOCKS = {"H": "header", "P": "photo", "I": "identity", "M": "motion", "S": "sound"}
_MOST = 1 << 31


@dataclass(frozen=True)
class ClipFile:
    """What a file holds.

    Args:
        header: model and its revision, frames, rate, side of the photo, its row, camera, quality.
        photo: in WebP.
        identity: coefficients.
        motion: of all frames.
        sound: in Matroska; empty for none.
    """

    header: dict[str, Any]
    photo: bytes
    identity: bytes
    motion: bytes
    sound: bytes = b""

    def write(self, path: str | Path) -> None:
        """Write it, whole or not at all.

        Raises:
            ParameterError: the suffix is another.
            OutputError: it cannot be written there.
        """
        if Path(path).suffix != SUFFIX:
            raise ParameterError(f"clips are compressed to {SUFFIX} files, got {Path(path).name!r}")
        out = bytearray(MAGIC)
        for letter, content in zip(_BLOCKS, self._contents(), strict=True):
            if content:
                out += letter.encode() + struct.pack("<I", len(content)) + content
        out += struct.pack("<I", zlib.crc32(out))
        with atomic_write(path) as temporary:
            temporary.write_bytes(out)

    def _contents(self) -> tuple[bytes, ...]:
        header = json.dumps(self.header, separators=(",", ":")).encode()
        return header, self.photo, self.identity, self.motion, self.sound

    @property
    def camera(self) -> Camera:
        """That sees the photo."""
        return camera_of(self.header)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each part."""
        return dict(zip(_BLOCKS.values(), map(len, self._contents()), strict=True))


def camera_of(header: dict[str, Any]) -> Camera:
    """The camera that a header tells of."""
    side = int(header["size"])
    return Camera(torch.tensor(header["focal"]), torch.tensor(header["principal"]), (side, side))


def read_clip_file(path: str | Path) -> ClipFile:
    """Read what `ClipFile.write` wrote.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is of another kind, damaged, or of a newer morphface.
    """
    place = Path(path)
    if not place.is_file():
        raise MissingFileError(f"there is no compressed clip {place}")
    if place.stat().st_size > _MOST:
        raise ParameterError(f"{place} is too large for a compressed clip")
    data = place.read_bytes()
    if data[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise ParameterError(f"{place} is no compressed clip; `morphface compress` writes such")
    if data[: len(MAGIC)] != MAGIC:
        raise ParameterError(f"{place} was written by a newer morphface; update this one")
    if len(data) < len(MAGIC) + 4 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise ParameterError(f"{place} is damaged: its checksum is not the one it was written with")
    blocks = _blocks(data[len(MAGIC) : -4])
    missing = [name for letter, name in _BLOCKS.items() if letter not in blocks and letter != "S"]
    if missing:
        raise ParameterError(f"{place} lacks {', '.join(missing)}")
    header = json.loads(blocks["H"])
    return ClipFile(header, *(blocks.get(letter, b"") for letter in "PIMS"))


def _blocks(data: bytes) -> dict[str, bytes]:
    """Contents by letter; the checksum was right, so that lengths are."""
    found, place = {}, 0
    while place + 5 <= len(data):
        (length,) = struct.unpack_from("<I", data, place + 1)
        found[chr(data[place])] = data[place + 5 : place + 5 + length]
        place += 5 + length
    return found
