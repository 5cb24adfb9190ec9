"""glTF 2.0 in one binary file, with named morph targets.

glTF wants metres, +y up and +z out of the front, so that positions are only scaled. Vertex
colours are linear light there, textures sRGB-encoded.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pygltflib as gltf
import torch
from torch import Tensor

from morphface.core.colour import srgb_to_linear
from morphface.core.files import atomic_write
from morphface.media.meshes.surface import Surface, split_seams
from morphface.media.meshes.texture import encode_png

__all__ = ["encode_gltf", "write_gltf"]

METRES = 1e-3
STILL = 1e-4
"""Displacements below this many millimetres are left out of a morph target."""


def write_gltf(path: str | Path, surface: Surface, *, name: str = "head") -> None:
    """Write `surface` as `.glb`, opened in the pose it has at its weights.

    Vertices are duplicated along texture seams where the surface has a texture. Target names
    go to `extras.targetNames`, where Blender and three.js look for them.

    Args:
        path: the file to write or replace.
        surface: what to write.
        name: of the mesh and its node.

    Raises:
        OutputError: the file cannot be written there.
    """
    content = encode_gltf(surface, name=name)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def encode_gltf(surface: Surface, *, name: str = "head") -> bytes:
    """The bytes that `write_gltf` writes.

    Args:
        surface: what to write.
        name: of the mesh and its node.
    """
    buffer = _Buffer()
    primitive, vertex_of = _primitive(buffer, surface)
    targets = [_target(buffer, offset[vertex_of]) for offset in surface.targets.values()]
    primitive.targets = [{"POSITION": index} for index in targets]
    mesh = gltf.Mesh(name=name, primitives=[primitive])
    if targets:
        mesh.weights = [float(surface.weights.get(key, 0.0)) for key in surface.targets]
        mesh.extras = {"targetNames": list(surface.targets)}
    return _document(buffer, surface, mesh)


class _Buffer:
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
        array = _array(values)
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
        self.accessors.append(
            gltf.Accessor(
                bufferView=self.view(array.tobytes(), gltf.ELEMENT_ARRAY_BUFFER),
                componentType=gltf.UNSIGNED_INT,
                count=len(array),
                type=gltf.SCALAR,
            )
        )
        return len(self.accessors) - 1


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().astype("<f4")


def _primitive(buffer: _Buffer, surface: Surface) -> tuple[gltf.Primitive, Tensor]:
    """Everything but the targets, and the old vertex of each new one."""
    vertex_of, faces = torch.arange(len(surface.vertices)), surface.faces
    attributes = gltf.Attributes()
    if surface.texture is not None and surface.uv is not None and surface.uv_faces is not None:
        vertex_of, uv_of, faces = split_seams(surface.faces, surface.uv_faces)
        upside_down = torch.tensor([0.0, 1.0]) + torch.tensor([1.0, -1.0]) * surface.uv[uv_of]
        attributes.TEXCOORD_0 = buffer.vectors(upside_down)
    elif surface.colours is not None:
        attributes.COLOR_0 = buffer.vectors(srgb_to_linear(surface.colours.clamp(0, 1)))
    attributes.POSITION = buffer.vectors(surface.vertices[vertex_of] * METRES)
    if surface.normals is not None:
        attributes.NORMAL = buffer.vectors(_unit(surface.normals[vertex_of]))
    primitive = gltf.Primitive(attributes=attributes, indices=buffer.indices(faces), material=0)
    return primitive, vertex_of


def _unit(normals: Tensor) -> Tensor:
    """Unit vectors, also where a vertex has none: there it points forward."""
    length = normals.norm(dim=-1, keepdim=True)
    forward = torch.tensor([0.0, 0.0, 1.0]).expand_as(normals)
    return torch.where(length > 0.5, normals / length.clamp(min=1e-6), forward)


def _target(buffer: _Buffer, offset: Tensor) -> int:
    """A morph target: all displacements, or only those of the vertices that move."""
    moving = torch.nonzero(offset.abs().amax(dim=-1) > STILL)[:, 0]
    if not 0 < len(moving) < 0.8 * len(offset):
        return buffer.vectors(offset * METRES)
    moved = _array(offset[moving] * METRES)
    sparse = gltf.Sparse(
        count=len(moving),
        indices=gltf.AccessorSparseIndices(
            bufferView=buffer.view(moving.cpu().numpy().astype("<u4").tobytes()),
            componentType=gltf.UNSIGNED_INT,
        ),
        values=gltf.AccessorSparseValues(bufferView=buffer.view(moved.tobytes())),
    )
    extent = np.concatenate([moved, np.zeros((1, 3), dtype=moved.dtype)])
    return buffer.accessor(extent, 3, count=len(offset), sparse=sparse, byteOffset=None)


def _document(buffer: _Buffer, surface: Surface, mesh: gltf.Mesh) -> bytes:
    material = gltf.Material(
        name="skin",
        doubleSided=True,
        pbrMetallicRoughness=gltf.PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=0.6),
    )
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator="morphface"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(mesh=0, name=mesh.name)],
        meshes=[mesh],
        materials=[material],
    )
    if surface.texture is not None:
        view = buffer.view(encode_png(surface.texture))
        document.images = [gltf.Image(bufferView=view, mimeType="image/png")]
        document.samplers = [gltf.Sampler(magFilter=gltf.LINEAR, minFilter=gltf.LINEAR)]
        document.textures = [gltf.Texture(source=0, sampler=0)]
        material.pbrMetallicRoughness.baseColorTexture = gltf.TextureInfo(index=0)
    document.bufferViews, document.accessors = buffer.views, buffer.accessors
    document.buffers = [gltf.Buffer(byteLength=len(buffer.content))]
    document.set_binary_blob(bytes(buffer.content))
    return b"".join(document.save_to_bytes())
