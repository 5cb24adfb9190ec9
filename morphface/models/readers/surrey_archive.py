"""The binary archives of the eos library: numbers and counts in a row, little-endian.

Every count is checked against what is left of the file before anything is read.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphface.core.errors import ModelError

__all__ = ["Archive", "Blendshapes", "Pca"]

_LIMIT = 2**31  # bytes


@dataclass(frozen=True, eq=False)
class Pca:
    """Positions or colours of V vertices.

    Args:
        mean: V x 3.
        directions: K x V x 3, one standard deviation each.
        faces: triangles.
    """

    mean: np.ndarray
    directions: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True, eq=False)
class Blendshapes:
    """Named offsets from neutral.

    Args:
        names: of the expressions.
        directions: K x V x 3.
    """

    names: tuple[str, ...]
    directions: np.ndarray


class Archive:
    """Reads one value after the other.

    Args:
        path: of the file.
        kind: what it should be, for messages.

    Raises:
        ModelError: the file is too large. So does every method, where the file ends too early or
            holds what cannot be.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind, self._at = path, kind, 0
        if path.stat().st_size > _LIMIT:
            raise ModelError(f"{path} is larger than {_LIMIT // 2**30} GiB")
        self._data = np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0)

    def whole(self, width: int) -> int:
        """A whole number of so many bytes."""
        return int.from_bytes(self._take(width).tobytes(), "little", signed=width == 4)

    def flag(self) -> bool:
        """A truth value; that of an optional part says that it is absent."""
        return self.whole(1) != 0

    def rows(self, dtype: str, width: int) -> np.ndarray:
        """A counted list of rows of `width` numbers."""
        count = self._count(np.dtype(dtype).itemsize * width)
        return self._numbers(dtype, count * width).reshape(count, width)

    def numbered(self) -> dict[str, int]:
        """Names with numbers."""
        return {self._text(): self.whole(4) for _ in range(self._count(12))}

    def pca(self) -> Pca:
        """A PCA model, which may be empty."""
        mean, basis, variances = self._matrix(), self._matrix(), self._matrix()
        faces = self.rows("<i4", 3)
        if mean.size == 0:
            return Pca(np.empty((0, 3)), np.empty((0, 0, 3)), faces)
        if len(mean) != mean.size or len(mean) % 3 or len(basis) != len(mean):
            raise self._damaged("its mean and its components do not belong together")
        if variances.size != basis.shape[1] or (variances < 0).any():
            raise self._damaged("its variances do not belong to its components")
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = basis.T * np.sqrt(variances).reshape(-1, 1)
        if not np.isfinite(scaled).all():
            raise self._damaged("its components are no numbers")
        return Pca(mean.reshape(-1, 3), scaled.reshape(len(scaled), -1, 3), faces)

    def blendshapes(self) -> Blendshapes:
        """A counted list of named offsets."""
        pairs = [(self._text(), self._matrix().ravel()) for _ in range(self._count(16))]
        sizes = {offset.size for _, offset in pairs}
        if len(sizes) != 1 or sizes.pop() % 3:
            raise self._damaged("its blendshapes have different sizes")
        names = tuple(name for name, _ in pairs)
        return Blendshapes(
            names, np.stack([offset for _, offset in pairs]).reshape(len(pairs), -1, 3)
        )

    def end(self) -> None:
        """Refuse what follows: it would mean that all before was misread."""
        left = len(self._data) - self._at
        if left:
            raise self._damaged(f"{left} bytes follow its end")

    def _matrix(self) -> np.ndarray:
        """Rows x columns of single precision, stored column by column."""
        rows, columns = self.whole(4), self.whole(4)
        if rows < 0 or columns < 0:
            raise self._damaged(f"it states a matrix of {rows} by {columns}")
        return self._numbers("<f4", rows * columns).reshape(columns, rows).T

    def _text(self) -> str:
        return self._take(self._count(1)).tobytes().decode("utf-8", errors="replace")

    def _count(self, width: int) -> int:
        """How many items of at least `width` bytes follow."""
        count = self.whole(8)
        if count * width > len(self._data) - self._at:
            raise self._damaged(f"it states {count} items, more than it has room for")
        return count

    def _numbers(self, dtype: str, count: int) -> np.ndarray:
        values = self._take(count * np.dtype(dtype).itemsize).view(dtype)
        if not np.isfinite(values).all():
            raise self._damaged("it holds numbers that are not finite")
        return values

    def _take(self, count: int) -> np.ndarray:
        if count > len(self._data) - self._at:
            raise self._damaged("it ends too early")
        self._at += count
        return np.array(self._data[self._at - count : self._at])

    def _damaged(self, why: str) -> ModelError:
        return ModelError(f"{self._path} is not {self._kind}, or is damaged: {why}")
