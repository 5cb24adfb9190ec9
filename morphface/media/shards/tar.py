"""One shard: a tar file whose bytes depend on nothing but its samples.

A sample is a key and its parts; part "frame.png" of sample "ab_000001" is the member
"ab_000001.frame.png". Members have no owner and the time 0, parts follow in one order, and the
file ends with two empty blocks.
"""

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from morphface.core.errors import DatasetError, ParameterError
from morphface.media.shards.durable import file_sha256
from morphface.media.shards.index import BLOCK, ShardIndex, padded

__all__ = ["ShardWriter", "read_shard", "scan_shard"]

_CHUNK = 1 << 20
_LONGEST_NAME = 100


class ShardWriter:
    """Writes samples to an open file, one after the other.

    Args:
        file: open for writing, empty.
        extensions: names of the parts that every sample has, in order.
    """

    def __init__(self, file: BufferedIOBase, extensions: tuple[str, ...]) -> None:
        self._file = file
        self._extensions = extensions
        self._digest = hashlib.sha256()
        self._position = 0
        self._keys: list[str] = []
        self._offsets: list[list[int]] = []
        self._sizes: list[list[int]] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, parts: Mapping[str, bytes]) -> None:
        """Write one sample.

        Args:
            key: its name, without a dot.
            parts: the content of each part, by extension.

        Raises:
            ParameterError: the key cannot name a member, or the parts are others.
        """
        if set(parts) != set(self._extensions):
            wanted = ", ".join(self._extensions)
            raise ParameterError(f"sample {key} must have the parts {wanted}, got {sorted(parts)}")
        offsets = []
        for extension in self._extensions:
            data = parts[extension]
            self._write(_header(f"{key}.{extension}", len(data)))
            offsets.append(self._position)
            self._write(data)
            self._write(bytes(padded(len(data)) - len(data)))
        self._keys.append(key)
        self._offsets.append(offsets)
        self._sizes.append([len(parts[extension]) for extension in self._extensions])

    def copy(self, source: BufferedIOBase, index: ShardIndex, first: int, last: int) -> None:
        """Write samples `first` to `last`, that one excluded, of another shard.

        Raises:
            ParameterError: its samples have other parts.
            DatasetError: it is shorter than its index says.
        """
        if index.extensions != self._extensions:
            raise ParameterError(f"samples must have the parts {', '.join(self._extensions)}")
        start, end = index.span(first, last)
        shift = self._position - start
        source.seek(start)
        while start < end:
            data = source.read(min(_CHUNK, end - start))
            if not data:
                raise DatasetError(f"a shard ends at byte {start} instead of {end}")
            self._write(data)
            start += len(data)
        self._keys += index.keys[first:last]
        self._offsets += (index.offsets[first:last] + shift).tolist()
        self._sizes += index.sizes[first:last].tolist()

    def finish(self) -> ShardIndex:
        """Write the end of the file; where everything lies in it."""
        self._write(bytes(2 * BLOCK))
        shape = len(self._keys), len(self._extensions)
        return ShardIndex(
            tuple(self._keys),
            self._extensions,
            np.array(self._offsets, dtype=np.int64).reshape(shape),
            np.array(self._sizes, dtype=np.int64).reshape(shape),
            self._position,
            self._digest.hexdigest(),
        )

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._position += len(data)


def _header(name: str, size: int) -> bytes:
    key = name.split(".", 1)[0]
    if not key or "/" in name or not name.isascii() or len(name) > _LONGEST_NAME:
        raise ParameterError(
            f"{name!r} cannot name a part of a sample: it must be plain letters, at most "
            f"{_LONGEST_NAME}, without slashes"
        )
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def read_shard(path: str | Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of a shard in order: key, and parts by extension.

    Raises:
        DatasetError: it is damaged; the samples before that place have been given.
    """
    key, parts = "", dict[str, bytes]()
    with _open(path) as file:
        for name, offset, size in _members(file, path):
            stem, _, extension = name.partition(".")
            if stem != key and parts:
                yield key, parts
                parts = {}
            key = stem
            file.seek(offset)
            parts[extension] = file.read(size)
    if parts:
        yield key, parts


def scan_shard(path: str | Path) -> ShardIndex:
    """The index of a shard, read from the shard itself.

    Raises:
        DatasetError: it is damaged, or its samples do not all have the same parts.
    """
    found: dict[str, dict[str, tuple[int, int]]] = {}
    with _open(path) as file:
        for name, offset, size in _members(file, path):
            stem, _, extension = name.partition(".")
            found.setdefault(stem, {})[extension] = offset, size
        total = file.seek(0, 2)
    extensions = tuple(next(iter(found.values()), {}))
    odd = [key for key, parts in found.items() if tuple(parts) != extensions]
    if odd:
        raise DatasetError(f"sample {odd[0]} of {path} has not the parts that the others have")
    table = np.array([list(parts.values()) for parts in found.values()], dtype=np.int64)
    table = table.reshape(len(found), len(extensions), 2)
    return ShardIndex(
        tuple(found), extensions, table[..., 0], table[..., 1], total, file_sha256(path)
    )


def _open(path: str | Path) -> BufferedIOBase:
    try:
        return Path(path).open("rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatasetError(f"cannot read {path}: {reason}") from error


def _members(file: BufferedIOBase, path: str | Path) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each member; the file may be moved between them."""
    total = file.seek(0, 2)
    position = 0
    while True:
        file.seek(position)
        block = file.read(BLOCK)
        if block == bytes(BLOCK):
            return
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise DatasetError(f"{path} is damaged at byte {position}: {error}") from error
        position += BLOCK
        if position + padded(info.size) > total:
            raise DatasetError(f"{path} is truncated: {info.name} goes beyond its end")
        yield info.name, position, info.size
        position += padded(info.size)
