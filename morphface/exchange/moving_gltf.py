"""A head in glTF that moves as a track says: expressions, pose, eyes, before its camera.

The camera frame of the package is that of glTF, so that the head before the file's camera is the
head before the camera of the video; only what is off the middle of the picture, glTF cannot say.
"""

import math
import re
from pathlib import Path

import numpy as np
import pygltflib as gltf
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.files import atomic_write
from morphface.exchange.clip import Clip
from morphface.exchange.eye_joints import add_eye_joints
from morphface.exchange.glb import Glb
from morphface.geometry.camera import Camera
from morphface.media.meshes import Surface, encode_gltf
from morphface.models import gaze_rotation

__all__ = ["animated_gltf", "eye_nodes", "write_animated_gltf"]

_METRES = 1e-3
_STILL = 1e-4
"""Weights below are 0: they move nothing that is seen."""
_POSE = "pose"
_EYE = re.compile(r"(left|right|l|r)eye(?:ball)?|eye(?:ball)?(left|right|l|r)")


def write_animated_gltf(path: str | Path, head: Surface, clip: Clip) -> None:
    """Write `animated_gltf` as `.glb`.

    Args:
        path: the file to write or replace.
        head: as of `animated_gltf`.
        clip: likewise.

    Raises:
        OutputError: the file cannot be written there.
    """
    content = animated_gltf(head, clip)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def animated_gltf(head: Surface, clip: Clip) -> bytes:
    """A binary glTF file of a head with one animation, "track".

    It has a key at the time of each frame, counted from the first: the weights of the morph
    targets, the rotation and translation of the node "pose" above the head, and the rotations of
    the eyes, whose nodes are found by name and made where there are none.

    Args:
        head: with a target for each expression of the clip's model, eyes ahead.
        clip: what the head does.
    """
    file = Glb(encode_gltf(head))
    document, model = file.document, clip.model
    if model.eyes is not None and not eye_nodes(document):
        add_eye_joints(file, head, model)
    pose = _above(file)
    times = clip.times - clip.times[0]
    animation = gltf.Animation(name="track")
    document.animations.append(animation)
    keys = _Keys(file, animation, file.floats(times.numpy()[:, None], extent=True))
    turns = roma.rotvec_to_unitquat(clip.parameters.rotation)
    keys.add(pose, "rotation", file.floats(_continuous(turns)))
    keys.add(pose, "translation", file.floats(clip.parameters.translation.numpy() * _METRES))
    for side, node in eye_nodes(document).items():
        gaze = roma.rotmat_to_unitquat(gaze_rotation(clip.parameters.gaze[:, side]))
        rest = document.nodes[node].rotation or [0.0, 0.0, 0.0, 1.0]
        turned = roma.quat_product(gaze, torch.tensor(rest).expand_as(gaze))
        keys.add(node, "rotation", file.floats(_continuous(turned)))
    _add_weights(file, keys, clip)
    _add_camera(file, clip.camera)
    return file.encoded()


class _Keys:
    """The channels of an animation, which all have keys at the same times."""

    def __init__(self, file: Glb, animation: gltf.Animation, times: int) -> None:
        self.animation, self.times = animation, times

    def add(self, node: int, path: str, values: int) -> None:
        """Let an attribute of a node go through the values of an accessor."""
        sampler = gltf.AnimationSampler(input=self.times, output=values, interpolation="LINEAR")
        self.animation.samplers.append(sampler)
        target = gltf.AnimationChannelTarget(node=node, path=path)
        number = len(self.animation.samplers) - 1
        self.animation.channels.append(gltf.AnimationChannel(sampler=number, target=target))


def _above(file: Glb) -> int:
    """A node above all that is in the scene, but for meshes that their joints carry."""
    scene = file.document.scenes[file.document.scene or 0]
    bound = [node for node in scene.nodes if file.document.nodes[node].skin is not None]
    pose = file.node(name=_POSE, children=[node for node in scene.nodes if node not in bound])
    scene.nodes = [*bound, pose]
    return pose


def eye_nodes(document: gltf.GLTF2) -> dict[int, int]:
    """The nodes that turn the left (0) and the right eye (1), by their names."""
    found: dict[int, int] = {}
    for number, node in enumerate(document.nodes):
        match = _EYE.fullmatch(re.sub("[^a-z]", "", (node.name or "").lower()))
        if match:
            side = match[1] or match[2]
            found.setdefault(int(side.startswith("r")), number)
    return found


def _continuous(quaternions: Float[Tensor, "T 4"]) -> np.ndarray:
    """The same rotations, of whose two quaternions each is the one nearer to that before."""
    rows = quaternions.double().numpy().copy()
    signs = np.where((rows[1:] * rows[:-1]).sum(axis=1) < 0, -1.0, 1.0)
    rows[1:] *= np.cumprod(signs)[:, None]
    return rows


def _add_weights(file: Glb, keys: _Keys, clip: Clip) -> None:
    """Keys for every mesh with targets, whose names are those of expressions."""
    document, names = file.document, clip.model.expression.names
    given = clip.parameters.expression
    rows = torch.nn.functional.pad(given, (0, len(names) - given.shape[1])).numpy()
    rows = np.where(np.abs(rows) < _STILL, 0.0, rows)
    for number, node in enumerate(document.nodes):
        mesh = None if node.mesh is None else document.meshes[node.mesh]
        targets = [] if mesh is None else (mesh.extras or {}).get("targetNames", [])
        if mesh is not None and targets:
            columns = rows[:, [names.index(name) for name in targets]]
            keys.add(number, "weights", file.scalars(columns))
            mesh.weights = columns[0].astype(float).tolist()


def _add_camera(file: Glb, camera: Camera) -> None:
    """The camera of the clip, at the origin of the scene."""
    height, width = camera.size
    lens = gltf.Perspective(
        yfov=2 * math.atan(height / 2 / float(camera.focal.reshape(()))),
        aspectRatio=width / height,
        znear=0.01,
        zfar=100.0,
    )
    file.document.cameras.append(gltf.Camera(type="perspective", perspective=lens))
    node = file.node(name="camera", camera=len(file.document.cameras) - 1)
    file.document.scenes[file.document.scene or 0].nodes.append(node)
