"""glTF 2.0 in one binary file: named morph targets, a material for each part, a skeleton.

glTF wants metres, +y up and +z out of the front, so that positions are only scaled. Vertex
colours are linear light there, textures sRGB-encoded; maps of normals are as they are, green up
(section 3.9.3), with tangents whose fourth number says on which side up is. Morph targets carry
normals where the surface has them: what a target adds to the normals when it alone has weight 1.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pygltflib as gltf
import torch
from torch import Tensor

from morphface.core.colour import srgb_to_linear
from morphface.core.errors import ParameterError
from morphface.core.files import atomic_write
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.tangents import texture_tangents
from morphface.media.meshes.gltf_buffer import Buffer
from morphface.media.meshes.gltf_skin import Skin, add_skin
from morphface.media.meshes.surface import Surface, split_seams
from morphface.media.meshes.texture import encode_png

__all__ = ["encode_gltf", "write_gltf"]

METRES = 1e-3
STILL = 1e-4
"""Displacements below this many millimetres are left out of a morph target."""
STEADY = 2e-3
"""Changes of a unit normal below this are left out, too: a tenth of a degree."""
ROUGHNESS = {"eyes": 0.1, "teeth": 0.25, "tongue": 0.35}
_SKIN = "skin", 0.6
"""The part that a surface without parts is, and the roughness of it and of all not named above."""


def write_gltf(path: str | Path, surface: Surface, *, name: str = "head") -> None:
    """Write `surface` as `.glb`, opened in the pose it has at its weights.

    Vertices are duplicated along texture seams where the surface has a texture. Target names
    go to `extras.targetNames`, where Blender and three.js look for them. Each part of the surface
    is a primitive with a material of its own; the joints of its skeleton are nodes, and that of
    the jaw says in `extras.jawOpen` which rotation vector looks like that target.

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


def encode_gltf(surface: Surface, *, name: str = "head", target_normals: bool = True) -> bytes:
    """The bytes that `write_gltf` writes.

    Args:
        surface: what to write.
        name: of the mesh and its node.
        target_normals: whether targets have normals; a viewer that computes its own wants none.
    """
    buffer, turns = Buffer(), _turns(surface) if target_normals else []
    parts = surface.parts or {_SKIN[0]: torch.arange(len(surface.faces))}
    plain = replace(surface, texture=None, relief=None)
    primitives = [
        _primitive(
            buffer, plain if key in surface.painted else surface, _Part(faces, material), turns
        )
        for material, (key, faces) in enumerate(parts.items())
    ]
    mesh = gltf.Mesh(name=name, primitives=primitives)
    if surface.targets:
        mesh.weights = [float(surface.weights.get(key, 0.0)) for key in surface.targets]
        mesh.extras = {"targetNames": list(surface.targets)}
    skin = None if surface.skeleton is None else add_skin(buffer, surface.skeleton, METRES)
    return _document(buffer, surface, mesh, list(parts), skin)


@dataclass(frozen=True)
class _Part:
    """Faces of a primitive, and the number of its material."""

    faces: Tensor
    material: int


def _turns(surface: Surface) -> list[Tensor]:
    """What each target adds to the normals."""
    if surface.normals is None:
        return []
    before = vertex_normals(surface.vertices, surface.faces)
    corners = surface.faces.long().T.contiguous()
    return [_turn(surface, before, corners, offset) for offset in surface.targets.values()]


def _turn(surface: Surface, before: Tensor, corners: Tensor, offset: Tensor) -> Tensor:
    """What a target adds to the normals, from the faces around what it moves."""
    moved = offset.any(dim=-1)
    turned, used = torch.zeros_like(moved), torch.zeros_like(moved)
    turned[corners[:, _at_any(moved, corners)]] = True
    around = corners[:, _at_any(turned, corners)]
    used[around] = True
    number = used.cumsum(0) - 1
    after = vertex_normals((surface.vertices + offset)[used], number[around].T)
    turn = torch.zeros_like(before)
    turn[turned] = after[turned[used]] - before[turned]
    return turn


def _at_any(marks: Tensor, corners: Tensor) -> Tensor:
    """The faces with a marked corner."""
    first, second, third = (marks.index_select(0, column) for column in corners)
    return torch.nonzero(first | second | third)[:, 0]


def _primitive(
    buffer: Buffer, surface: Surface, part: _Part, turns: list[Tensor]
) -> gltf.Primitive:
    attributes, faces = gltf.Attributes(), surface.faces[part.faces]
    if surface.texture is not None and surface.uv is not None and surface.uv_faces is not None:
        vertex_of, uv_of, faces = split_seams(faces, surface.uv_faces[part.faces])
        upside_down = torch.tensor([0.0, 1.0]) + torch.tensor([1.0, -1.0]) * surface.uv[uv_of]
        attributes.TEXCOORD_0 = buffer.vectors(upside_down)
    else:
        vertex_of, faces = _used(faces, len(surface.vertices), bool(surface.parts))
        if surface.colours is not None:
            colours = surface.colours[vertex_of].clamp(0, 1)
            attributes.COLOR_0 = buffer.vectors(srgb_to_linear(colours))
    attributes.POSITION = buffer.vectors(surface.vertices[vertex_of] * METRES)
    if surface.normals is not None:
        attributes.NORMAL = buffer.vectors(_unit(surface.normals[vertex_of]))
        if surface.relief is not None and attributes.TEXCOORD_0 is not None:
            attributes.TANGENT = buffer.vectors(_tangents(surface, vertex_of, uv_of))
    if surface.skeleton is not None:
        attributes.JOINTS_0, attributes.WEIGHTS_0 = buffer.influences(
            surface.skeleton.weights[vertex_of]
        )
    primitive = gltf.Primitive(
        attributes=attributes, indices=buffer.indices(faces), material=part.material
    )
    offsets = [move[vertex_of] for move in surface.targets.values()]
    primitive.targets = [
        {"POSITION": buffer.moves(move * METRES, STILL * METRES)} for move in offsets
    ]
    for target, turn in zip(primitive.targets, turns, strict=False):
        target["NORMAL"] = buffer.moves(turn[vertex_of], STEADY)
    return primitive


def _tangents(surface: Surface, vertex_of: Tensor, uv_of: Tensor) -> Tensor:
    """Of unit length and at right angles to the normals, with the sign of the way up."""
    uv, uv_faces, normals = surface.uv, surface.uv_faces, surface.normals
    if uv is None or uv_faces is None or normals is None:
        raise ParameterError("there are no tangents")
    tangents = texture_tangents(surface.vertices, surface.faces, uv, uv_faces)[uv_of]
    normals, along = _unit(normals[vertex_of]), tangents[:, :3]
    across = normalized(along - (along * normals).sum(-1, keepdim=True) * normals)
    side = torch.linalg.cross(normals, normals.roll(1, -1))
    across = torch.where(across.norm(dim=-1, keepdim=True) > 0.5, across, normalized(side))
    return torch.cat([across, tangents[:, 3:]], dim=-1)


def _used(faces: Tensor, size: int, some: bool) -> tuple[Tensor, Tensor]:
    """The vertices of a part, all in order if there is only one, and the faces over them."""
    if not some:
        return torch.arange(size), faces
    vertex_of, index = torch.unique(faces, return_inverse=True)
    return vertex_of, index


def _unit(normals: Tensor) -> Tensor:
    """Unit vectors, also where a vertex has none: there it points forward."""
    length = normals.norm(dim=-1, keepdim=True)
    forward = torch.tensor([0.0, 0.0, 1.0]).expand_as(normals)
    return torch.where(length > 0.5, normals / length.clamp(min=1e-6), forward)


def _material(name: str) -> gltf.Material:
    look = gltf.PbrMetallicRoughness(
        metallicFactor=0.0, roughnessFactor=ROUGHNESS.get(name, _SKIN[1])
    )
    return gltf.Material(name=name, doubleSided=True, pbrMetallicRoughness=look)


def _document(
    buffer: Buffer, surface: Surface, mesh: gltf.Mesh, parts: list[str], skin: Skin | None
) -> bytes:
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator="morphface"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(mesh=0, name=mesh.name)],
        meshes=[mesh],
        materials=[_material(name) for name in parts],
    )
    if skin is not None:
        document.nodes[0].skin = 0
        document.nodes += skin.nodes
        document.skins = [skin.skin]
        document.scenes[0].nodes.append(1)
    textured = [one for one in document.materials if one.name not in surface.painted]
    if surface.texture is not None:
        view = buffer.view(encode_png(surface.texture))
        number = _add_picture(document, view)
        for material in textured:
            material.pbrMetallicRoughness.baseColorTexture = gltf.TextureInfo(index=number)
    if surface.relief is not None and surface.texture is not None:
        number = _add_picture(document, buffer.view(encode_png(surface.relief)))
        for material in textured:
            material.normalTexture = gltf.NormalMaterialTexture(index=number)
    document.bufferViews, document.accessors = buffer.views, buffer.accessors
    document.buffers = [gltf.Buffer(byteLength=len(buffer.content))]
    document.set_binary_blob(bytes(buffer.content))
    return b"".join(document.save_to_bytes())


def _add_picture(document: gltf.GLTF2, view: int) -> int:
    """The number of a texture whose file is in a view of the buffer."""
    if not document.samplers:
        document.samplers = [gltf.Sampler(magFilter=gltf.LINEAR, minFilter=gltf.LINEAR)]
    document.images.append(gltf.Image(bufferView=view, mimeType="image/png"))
    document.textures.append(gltf.Texture(source=len(document.images) - 1, sampler=0))
    return len(document.textures) - 1
