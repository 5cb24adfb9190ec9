"""Joints for the eyeballs of a head in glTF that has none, so that its gaze can be animated."""

import numpy as np
import pygltflib as gltf
import torch
from torch import Tensor

from morphface.exchange.glb import Glb
from morphface.media.meshes import Surface, split_seams
from morphface.models import MorphableModel

__all__ = ["EYES", "add_eye_joints"]

EYES = ("leftEye", "rightEye")
"""Names of the joints."""
_METRES = 1e-3


def add_eye_joints(file: Glb, head: Surface, model: MorphableModel) -> None:
    """Bind the one mesh of a file to joints for the head and for both eyes.

    Args:
        file: what `encode_gltf` makes of `head`.
        head: without expression, eyes ahead.
        model: of the head, with eyes.
    """
    document = file.document
    owner = _owners(head, model)
    primitive = document.meshes[0].primitives[0]
    joints = np.zeros((len(owner), 4))
    joints[:, 0] = owner.numpy()
    weights = np.tile([1.0, 0.0, 0.0, 0.0], (len(owner), 1))
    primitive.attributes.JOINTS_0 = file.shorts(joints, target=gltf.ARRAY_BUFFER)
    primitive.attributes.WEIGHTS_0 = file.floats(weights, target=gltf.ARRAY_BUFFER)
    centres = [(eye.centre(head.vertices) * _METRES).tolist() for eye in model.eyes or ()]
    eyes = [
        file.node(name=name, translation=centre) for name, centre in zip(EYES, centres, strict=True)
    ]
    root = file.node(name="headJoint", children=eyes)
    binds = np.tile(np.eye(4), (3, 1, 1))
    binds[1:, 3, :3] = -np.array(centres)  # columns come first in glTF
    skin = gltf.Skin(
        name="eyes",
        joints=[root, *eyes],
        skeleton=root,
        inverseBindMatrices=file.floats(binds.reshape(3, 16)),
    )
    document.skins.append(skin)
    mesh = next(node for node in document.nodes if node.mesh == 0)
    mesh.skin = len(document.skins) - 1
    document.scenes[document.scene or 0].nodes.append(root)


def _owners(head: Surface, model: MorphableModel) -> Tensor:
    """The joint of each vertex of the file: 0 the head, 1 the left eye, 2 the right one."""
    owner = torch.zeros(len(head.vertices), dtype=torch.int64)
    for joint, eye in enumerate(model.eyes or (), start=1):
        owner[eye.vertices] = joint
    if head.texture is None or head.uv_faces is None:
        return owner
    return owner[split_seams(head.faces, head.uv_faces)[0]]
