"""The binary part of a glTF file, with the views and accessors that describe it."""

from typing import Any

import numpy as np
import pygltflib as gltf
import torch
from torch import Tensor

__all__ = ["Buffer", "array_of"]


class Buffer:
    """The binary part of the file, and the views and accessors that describe it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[gltf.BufferView] = []
        self.accessors: list[gltf.Accessor] = []

    def view(self, content: bytes, target: int | None = None) -> int:
        """Append `content`, aligned to four bytes; the index of its view."""
        self.content += b"\0" * (-len(self.content) % 4)
        start = len(self.content)
        self.views.append(
            gltf.BufferView(buffer=0, byteOffset=start, byteLength=len(content), target=target)
        )
        self.content += content
        return len(self.views) - 1

    def vectors(self, values: Tensor) -> int:
        """Append one vector a vertex; the index of the accessor."""
        array = array_of(values)
        view = self.view(array.tobytes(), gltf.ARRAY_BUFFER)
        return self.accessor(array, array.shape[1], bufferView=view)

    def accessor(self, array: np.ndarray, width: int, **fields: Any) -> int:
        """Describe float vectors whose extent is that of `array`; the index of the accessor."""
        self.accessors.append(
            gltf.Accessor(
                componentType=gltf.FLOAT,
                count=fields.pop("count", len(array)),
                type=f"VEC{width}",
                min=array.min(axis=0).astype(float).tolist(),
                max=array.max(axis=0).astype(float).tolist(),
                **fields,
            )
        )
        return len(self.accessors) - 1

    def indices(self, faces: Tensor) -> int:
        """Append a triangle list; the index of the accessor."""
        array = faces.cpu().numpy().astype("<u4").ravel()
        view = self.view(array.tobytes(), gltf.ELEMENT_ARRAY_BUFFER)
        return self.plain(view, len(array), gltf.UNSIGNED_INT, gltf.SCALAR)

    def plain(self, view: int, count: int, component: int, kind: str) -> int:
        """Describe values whose extent nobody asks for; the index of the accessor."""
        self.accessors.append(
            gltf.Accessor(bufferView=view, componentType=component, count=count, type=kind)
        )
        return len(self.accessors) - 1

    def influences(self, weights: Tensor) -> tuple[int, int]:
        """Append the four joints with the largest weights, and these; both accessors."""
        share, joint = weights.topk(4, dim=-1)
        joint = torch.where(share > 0, joint, 0)
        numbers = joint.cpu().numpy().astype("u1")
        view = self.view(numbers.tobytes(), gltf.ARRAY_BUFFER)
        joints = self.plain(view, len(numbers), gltf.UNSIGNED_BYTE, gltf.VEC4)
        values = array_of(share / share.sum(-1, keepdim=True))
        view = self.view(values.tobytes(), gltf.ARRAY_BUFFER)
        return joints, self.plain(view, len(values), gltf.FLOAT, gltf.VEC4)

    def moves(self, offset: Tensor, still: float) -> int:
        """Append displacements: all, or only those that are larger than `still`."""
        moving = torch.nonzero(offset.abs().amax(dim=-1) > still)[:, 0]
        if len(moving) == 0:
            return self.accessor(np.zeros((1, 3)), 3, count=len(offset), byteOffset=None)
        if len(moving) >= 0.8 * len(offset):
            return self.vectors(offset)
        moved = array_of(offset[moving])
        sparse = gltf.Sparse(
            count=len(moving),
            indices=gltf.AccessorSparseIndices(
                bufferView=self.view(moving.cpu().numpy().astype("<u4").tobytes()),
                componentType=gltf.UNSIGNED_INT,
            ),
            values=gltf.AccessorSparseValues(bufferView=self.view(moved.tobytes())),
        )
        extent = np.concatenate([moved, np.zeros((1, 3), dtype=moved.dtype)])
        return self.accessor(extent, 3, count=len(offset), sparse=sparse, byteOffset=None)


def array_of(values: Tensor) -> np.ndarray:
    """Values as little-endian floats."""
    return values.detach().cpu().numpy().astype("<f4")
