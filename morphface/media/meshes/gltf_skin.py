"""A skeleton as the nodes and the skin of a glTF file."""

from dataclasses import dataclass

import pygltflib as gltf
import roma
import torch

from morphface.media.meshes.gltf_buffer import Buffer, array_of
from morphface.models.skeleton import JOINTS, Skeleton

__all__ = ["Skin", "add_skin"]


@dataclass(frozen=True)
class Skin:
    """The nodes of the joints, the first of which is node 1 of the file, and the skin."""

    nodes: list[gltf.Node]
    skin: gltf.Skin


def add_skin(buffer: Buffer, skeleton: Skeleton, scale: float) -> Skin:
    """Append a skeleton.

    The mesh is bound in the pose that it has, eyes turned; a joint without rotation rests.

    Args:
        buffer: to append to.
        skeleton: in the units of the mesh.
        scale: from these to metres.
    """
    names = list(JOINTS)
    parents = [-1 if above is None else names.index(above) for above in JOINTS.values()]
    places = skeleton.places * scale
    quaternions = roma.rotvec_to_unitquat(skeleton.turns)
    nodes = []
    for joint, (name, parent) in enumerate(zip(names, parents, strict=True)):
        offset = places[joint] - (places[parent] if parent >= 0 else 0)
        node = gltf.Node(name=name, translation=offset.tolist())
        if bool(skeleton.turns[joint].any()):
            node.rotation = quaternions[joint].tolist()
        node.children = [1 + k for k, above in enumerate(parents) if above == joint]
        nodes.append(node)
    nodes[names.index("Jaw")].extras = {"jawOpen": skeleton.opened.tolist()}
    inverse = torch.eye(4).repeat(len(names), 1, 1)
    turned = roma.rotvec_to_rotmat(skeleton.turns)
    inverse[:, :3, :3] = turned.mT
    inverse[:, :3, 3] = -(turned.mT @ places[..., None])[..., 0]
    view = buffer.view(array_of(inverse.mT).tobytes())
    matrices = buffer.plain(view, len(names), gltf.FLOAT, gltf.MAT4)
    joints = [1 + k for k in range(len(names))]
    return Skin(nodes, gltf.Skin(inverseBindMatrices=matrices, joints=joints, skeleton=1))
