"""A dataset: a folder of shards, the index of each, and `manifest.json`, which is written last.

The manifest numbers the samples of all shards from 0. Those of one person in consecutive frames
are a run: nothing that looks at several frames at once may look beyond the ends of a run.
"""

import hashlib
import json
import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from morphface.core.errors import DatasetError, MissingFileError
from morphface.media.shards.durable import file_sha256
from morphface.media.shards.index import ShardIndex, load_index

__all__ = [
    "FORMAT",
    "MANIFEST",
    "VERSION",
    "ShardFolder",
    "open_shards",
    "shard_damage",
    "shard_entry",
]

FORMAT = "morphface dataset"
VERSION = 1
MANIFEST = "manifest.json"
MEND = "the `morphface prepare` that made it mends it when it is run again"
_OPEN_SHARDS = 64


@dataclass(eq=False)
class ShardFolder:
    """Samples by number. Shards are opened when they are needed, in each process anew.

    Args:
        path: the folder.
        manifest: what its `manifest.json` holds.
    """

    path: Path
    manifest: dict[str, Any]
    _opened: "OrderedDict[int, tuple[int, ShardIndex]]" = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        counts = [shard["samples"] for shard in self.manifest["shards"]]
        self._firsts = np.cumsum([0, *counts])

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": OrderedDict()}

    def __del__(self) -> None:
        self.close()

    @property
    def runs(self) -> Int64[np.ndarray, "R 2"]:
        """First sample and number of samples of each run of consecutive frames, in order."""
        rows, first = [], 0
        for clip in self.manifest["clips"]:
            for sequence in clip["sequences"]:
                rows += [(first + start, count) for start, count in sequence["runs"]]
            first += clip["samples"]
        return np.array(rows, dtype=np.int64).reshape(-1, 2)

    def key(self, sample: int) -> str:
        """The name of a sample.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the index of its shard cannot be read.
        """
        _, index, row = self._place(sample)
        return index.keys[row]

    def read(self, sample: int, extension: str) -> bytes:
        """One part of a sample, such as "frame.png".

        Raises:
            IndexError: there is no such sample.
            DatasetError: the samples have no such part, or the shard cannot be read.
        """
        handle, index, row = self._place(sample)
        if extension not in index.extensions:
            raise DatasetError(
                f"the samples of {self.path} have no part {extension}, they have "
                f"{', '.join(index.extensions)}"
            )
        part = index.extensions.index(extension)
        size, offset = int(index.sizes[row, part]), int(index.offsets[row, part])
        data = os.pread(handle, size, offset)
        if len(data) != size:
            raise DatasetError(f"a shard of {self.path} is truncated; {MEND}")
        return data

    def damage(self, workers: int = 2) -> list[str]:
        """What is wrong with the files, a sentence each; reads them all.

        Args:
            workers: how many files are read at once.
        """
        shards = self.manifest["shards"]
        with ThreadPoolExecutor(workers) as pool:
            found = pool.map(lambda shard: shard_damage(self.path, shard), shards)
            return [sentence for sentence in found if sentence]

    def close(self) -> None:
        """Close the files; they are opened again when they are needed."""
        for handle, _ in self._opened.values():
            os.close(handle)
        self._opened.clear()

    def _place(self, sample: int) -> tuple[int, ShardIndex, int]:
        if not 0 <= sample < len(self):
            raise IndexError(f"there are {len(self)} samples, got {sample}")
        number = int(np.searchsorted(self._firsts, sample, side="right")) - 1
        if number not in self._opened:
            self._opened[number] = self._open(self.manifest["shards"][number]["name"])
            if len(self._opened) > _OPEN_SHARDS:
                os.close(self._opened.popitem(last=False)[1][0])
        self._opened.move_to_end(number)
        handle, index = self._opened[number]
        return handle, index, int(sample - self._firsts[number])

    def _open(self, name: str) -> tuple[int, ShardIndex]:
        index = load_index(self.path / f"{name}.json")
        try:
            return os.open(self.path / f"{name}.tar", os.O_RDONLY), index
        except OSError as error:
            raise DatasetError(f"{self.path / name}.tar cannot be opened; {MEND}") from error


def shard_damage(folder: Path, shard: dict[str, Any]) -> str:
    """What is wrong with one shard that the manifest lists; empty if it is as it was written.

    Args:
        folder: where it lies.
        shard: its entry in the manifest.
    """
    path, index = folder / f"{shard['name']}.tar", folder / f"{shard['name']}.json"
    for file, wanted in ((path, shard["sha256"]), (index, shard["index_sha256"])):
        if not file.is_file():
            return f"{file.name} is missing"
        if file_sha256(file) != wanted:
            return f"{file.name} is damaged: its checksum is not the one it was written with"
    return ""


def shard_entry(path: Path, index: ShardIndex) -> dict[str, Any]:
    """What a manifest says of a shard that was written.

    Args:
        path: of the shard and its index, but for the suffix.
        index: of the shard.
    """
    return {
        "name": path.name,
        "samples": len(index),
        "bytes": index.bytes,
        "sha256": index.sha256,
        "index_sha256": file_sha256(path.with_suffix(".json")),
    }


def open_shards(path: str | Path) -> ShardFolder:
    """The dataset in a folder.

    Raises:
        MissingFileError: there is no such folder.
        DatasetError: it is no dataset, not finished yet, made by a newer morphface, or its
            manifest is damaged.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise MissingFileError(f"there is no folder {folder}")
    if not (folder / MANIFEST).is_file():
        if (folder / ".work").is_dir():
            raise DatasetError(
                f"{folder} is not finished; run the same `morphface prepare` again to finish it"
            )
        raise DatasetError(f"{folder} is no dataset: it has no {MANIFEST}")
    manifest = _read_manifest(folder / MANIFEST)
    try:
        return ShardFolder(folder, manifest)
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{folder / MANIFEST} is damaged; {MEND}") from error


def _read_manifest(path: Path) -> dict[str, Any]:
    """The manifest, whose own checksum must hold."""
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is damaged: it is no JSON file; {MEND}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DatasetError(f"{path} is not the manifest of a dataset of morphface")
    if manifest.get("version") != VERSION:
        raise DatasetError(
            f"{path} has the format {manifest.get('version')}, and this morphface reads "
            f"{VERSION}; update morphface to read it"
        )
    if manifest.get("sha256") != manifest_sha256(manifest):
        raise DatasetError(f"{path} is damaged: its checksum is not its own; {MEND}")
    return manifest


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """The checksum of a manifest, of all its entries but the checksum itself."""
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
