"""Where the samples of a shard lie, so that one is read without reading those before it.

The index is a JSON file beside the shard, of the same name. It holds nothing that the shard does
not: `scan_shard` makes it anew.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from morphface.core.errors import DatasetError
from morphface.media.shards.durable import durable_write

__all__ = ["BLOCK", "ShardIndex", "load_index", "padded", "save_index"]

BLOCK = 512
"""What a tar file is made of: a header is one block, data are padded to whole ones."""

FORMAT = "morphface shard index"
VERSION = 1


@dataclass(frozen=True, eq=False)
class ShardIndex:
    """The samples of one shard, in order.

    Args:
        keys: name of each sample.
        extensions: names of the parts that every sample has, in order, such as "frame.png".
        offsets: where the bytes of each part begin in the file.
        sizes: how many bytes each part has.
        bytes: size of the whole file.
        sha256: of the whole file.
    """

    keys: tuple[str, ...]
    extensions: tuple[str, ...]
    offsets: Int64[np.ndarray, "N P"]
    sizes: Int64[np.ndarray, "N P"]
    bytes: int
    sha256: str

    def __len__(self) -> int:
        return len(self.keys)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where samples `first` to `last`, that one excluded, begin and end in the file."""
        start = int(self.offsets[first, 0]) - BLOCK
        return start, int(self.offsets[last - 1, -1]) + padded(int(self.sizes[last - 1, -1]))


def padded(size: int) -> int:
    """`size` rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def save_index(path: str | Path, index: ShardIndex) -> None:
    """Write an index, whole or not at all.

    Raises:
        OutputError: it cannot be written there.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "bytes": index.bytes,
        "sha256": index.sha256,
        "extensions": list(index.extensions),
        "keys": list(index.keys),
        "offsets": index.offsets.tolist(),
        "sizes": index.sizes.tolist(),
    }
    with durable_write(path) as file:
        file.write(json.dumps(content, separators=(",", ":")).encode())


def load_index(path: str | Path) -> ShardIndex:
    """Read what `save_index` wrote.

    Raises:
        DatasetError: there is no such file, or it is of another kind or damaged.
    """
    try:
        content = json.loads(Path(path).read_bytes())
        return _index_of(content)
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise DatasetError(f"{path} is not the index of a shard, or it is damaged") from error


def _index_of(content: dict[str, Any]) -> ShardIndex:
    if content["format"] != FORMAT or content["version"] != VERSION:
        raise ValueError("another format")
    keys, extensions = tuple(content["keys"]), tuple(content["extensions"])
    shape = len(keys), len(extensions)
    offsets = np.array(content["offsets"], dtype=np.int64).reshape(shape)
    sizes = np.array(content["sizes"], dtype=np.int64).reshape(shape)
    total = int(content["bytes"])
    if keys and (offsets.min() < BLOCK or sizes.min() < 0 or (offsets + sizes).max() > total):
        raise ValueError("parts outside of the file")
    return ShardIndex(keys, extensions, offsets, sizes, total, str(content["sha256"]))
