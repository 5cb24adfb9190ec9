"""Arrays of HDF5 files (Scalismo, MATLAB 7.3), read straight into single precision.

What is opened must lie in the file itself: soft and external links, external storage and virtual
datasets are refused, and so are filters that HDF5 would load as plugins. An array's claimed size
must be stored in the file, or fit what is stored within a factor of `MOST_COMPRESSED`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from morphface.core.errors import ModelError

__all__ = ["MOST_COMPRESSED", "File", "open_hdf5"]

MOST_COMPRESSED = 200
"""How many times larger a compressed array may become."""

_SLACK = 2**16  # bytes that a compressed array may have whatever is stored of it
_PIECE = 2**22
_LONGEST_TEXT = 2**20
_FILTERS = (1, 2, 3, 32000)  # deflate, shuffle, checksum, LZF: none of them a plugin


@contextmanager
def open_hdf5(path: Path) -> Iterator["File"]:
    """The file, open for reading while the block runs.

    Raises:
        ModelError: it is not an HDF5 file, is damaged or truncated, or refers to other files.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield File(file, path.stat().st_size)
    except ModelError as error:
        raise ModelError(f"{path} is not loaded: {error}") from None
    except Exception as error:  # what a damaged file makes h5py raise is anything
        reason = str(error) or type(error).__name__
        raise ModelError(f"{path} is a damaged HDF5 file: {reason}") from None


class File:
    """Datasets of an open file, by their path in it.

    Args:
        file: an `h5py.File`.
        size: of the file on disk, in bytes.
    """

    def __init__(self, file: Any, size: int) -> None:
        self._file = file
        self._size = size

    def names(self, group: str) -> list[str]:
        """Names in a group; none if there is no such group."""
        place = self._find(group)
        return list(place) if hasattr(place, "keys") else []

    def has(self, name: str) -> bool:
        """Whether there is such a dataset."""
        return hasattr(self._find(name), "shape")

    def array(self, name: str) -> np.ndarray:
        """A dataset as it is; floating-point numbers become single precision.

        A matrix is stored column by column in memory, so that the columns of a basis are
        contiguous.

        Raises:
            ModelError: it is missing, lies outside the file, or is larger than the file can hold.
        """
        return self._read(name, transposed=True)

    def matlab(self, name: str) -> np.ndarray:
        """A dataset in the orientation that MATLAB shows, which is the transposed one."""
        return self._read(name, transposed=False).T

    def text(self, name: str) -> str:
        """A text of fixed length.

        Texts of variable length lie in a heap, in which the HDF5 library can lose itself for
        ever when a file is damaged: they are not read.

        Raises:
            ModelError: as for `array`, or it is not such a text.
        """
        data = self._checked(name, kinds="Siu", most=_LONGEST_TEXT)
        return bytes(data[()].tobytes()).rstrip(b"\0").decode("utf-8", "replace")

    def _find(self, name: str) -> Any:
        """What is at a path that leads through this file alone; None if nothing is."""
        import h5py

        place = self._file
        for part in name.split("/"):
            link = place.get(part, getlink=True) if hasattr(place, "keys") else None
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise ModelError(f"its {name} is a link to elsewhere, which no model needs")
            place = place[part]
        return place

    def _dataset(self, name: str) -> Any:
        data = self._find(name)
        if data is None or not hasattr(data, "shape") or data.shape is None:
            raise ModelError(f"it has no dataset {name}")
        if data.external or data.is_virtual:
            raise ModelError(f"its {name} is stored in another file, which no model needs")
        return data

    def _checked(self, name: str, kinds: str, most: int) -> Any:
        """The dataset, once its type and its size are known to be good."""
        data = self._dataset(name)
        if data.dtype.kind not in kinds or data.dtype.itemsize > most:
            wanted = "numbers" if "f" in kinds else "text of fixed length"
            raise ModelError(f"its {name} holds {data.dtype}, not {wanted}")
        claimed, stored = data.nbytes, min(data.id.get_storage_size(), self._size)
        plan = data.id.get_create_plist()
        filters = [plan.get_filter(k)[0] for k in range(plan.get_nfilters())]
        if any(number not in _FILTERS for number in filters):
            raise ModelError(f"its {name} is compressed in a way that is not known here")
        most = stored * MOST_COMPRESSED + _SLACK if filters else stored
        chunk = prod(data.chunks or (0,)) * data.dtype.itemsize
        if max(claimed, chunk if filters else 0) > most:
            raise ModelError(
                f"its {name} claims {claimed} bytes of shape {data.shape}, and {stored} are stored"
            )
        return data

    def _read(self, name: str, *, transposed: bool) -> np.ndarray:
        data = self._checked(name, kinds="iuf", most=8)
        code = "f4" if data.dtype.kind == "f" else data.dtype.newbyteorder("=")
        if not transposed or data.ndim != 2:
            whole = np.empty(data.shape, code)
            if whole.size:
                data.read_direct(whole)
            return whole
        columns = np.empty(data.shape[::-1], code)
        for at, stop in _pieces(data):
            columns[:, at:stop] = data[at:stop].T
        return columns.T


def _pieces(data: Any) -> Iterator[tuple[int, int]]:
    """Ranges of rows of a few megabytes each, along the borders of chunks."""
    rows, width = data.shape
    step = max(1, _PIECE // max(1, width * data.dtype.itemsize))
    if data.chunks is not None:
        step = -(-step // data.chunks[0]) * data.chunks[0]
    for at in range(0, rows, step):
        yield at, min(at + step, rows)
