"""Changing a binary glTF file: its document, and what is appended to its buffer."""

from typing import Any

import numpy as np
import pygltflib as gltf

__all__ = ["Glb"]

_KINDS = {1: gltf.SCALAR, 3: gltf.VEC3, 4: gltf.VEC4, 16: gltf.MAT4}
_TYPES = {"<f4": gltf.FLOAT, "<u2": gltf.UNSIGNED_SHORT, "<u4": gltf.UNSIGNED_INT}
_SPARSE = 0.4
"""Up to this share of non-zero values an accessor that names their places is the smaller one."""


class Glb:
    """A binary glTF file that is added to.

    Args:
        content: the file, with one buffer.
    """

    def __init__(self, content: bytes) -> None:
        self.document = gltf.GLTF2.load_from_bytes(content)
        self._blob = bytearray(self.document.binary_blob() or b"")
        for accessor in self.document.accessors:
            if accessor.bufferView is None:  # of places alone: the library makes up an offset
                accessor.byteOffset = None

    def encoded(self) -> bytes:
        """The file as it is now."""
        self.document.buffers[0].byteLength = len(self._blob)
        self.document.set_binary_blob(bytes(self._blob))
        return b"".join(self.document.save_to_bytes())

    def node(self, **fields: Any) -> int:
        """Add a node; its index."""
        self.document.nodes.append(gltf.Node(**fields))
        return len(self.document.nodes) - 1

    def floats(self, values: np.ndarray, *, target: int | None = None, extent: bool = False) -> int:
        """Append float vectors, one a row; the index of their accessor.

        Args:
            values: rows of 1, 3, 4 or 16 numbers.
            target: of the view, for attributes of vertices.
            extent: say the lowest and highest values.
        """
        rows = values.astype("<f4")
        ends = {"min": rows.min(axis=0), "max": rows.max(axis=0)} if extent else {}
        fields = {name: end.astype(float).tolist() for name, end in ends.items()}
        return self._accessor(rows, bufferView=self._view(rows, target), **fields)

    def shorts(self, values: np.ndarray, *, target: int | None = None) -> int:
        """Append whole numbers below 65,536, rows of four; the index of their accessor."""
        rows = values.astype("<u2")
        return self._accessor(rows, bufferView=self._view(rows, target))

    def scalars(self, values: np.ndarray) -> int:
        """Append numbers, by their places where most are zero; the index of their accessor."""
        column = values.astype("<f4").reshape(-1, 1)
        places = np.flatnonzero(column)
        if not 0 < len(places) < _SPARSE * len(column):
            return self.floats(column)
        sparse = gltf.Sparse(
            count=len(places),
            indices=gltf.AccessorSparseIndices(
                bufferView=self._view(places.astype("<u4")), componentType=gltf.UNSIGNED_INT
            ),
            values=gltf.AccessorSparseValues(bufferView=self._view(column[places])),
        )
        return self._accessor(column, sparse=sparse, byteOffset=None)

    def _view(self, values: np.ndarray, target: int | None = None) -> int:
        self._blob += b"\0" * (-len(self._blob) % 4)
        start, content = len(self._blob), values.tobytes()
        self._blob += content
        view = gltf.BufferView(buffer=0, byteOffset=start, byteLength=len(content), target=target)
        self.document.bufferViews.append(view)
        return len(self.document.bufferViews) - 1

    def _accessor(self, rows: np.ndarray, **fields: Any) -> int:
        kind, component = _KINDS[rows.shape[1]], _TYPES[rows.dtype.str]
        accessor = gltf.Accessor(componentType=component, count=len(rows), type=kind, **fields)
        self.document.accessors.append(accessor)
        return len(self.document.accessors) - 1
