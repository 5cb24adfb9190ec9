"""An animated head, read by an independent library and moved by the rules of glTF alone."""

import json
import math
import struct
from dataclasses import replace

import numpy as np
import pygltflib
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from morphface.exchange import animated_gltf
from morphface.exchange.glb import Glb
from morphface.exchange.moving_gltf import eye_nodes
from morphface.geometry.mesh import vertex_normals
from morphface.media.meshes import Surface, encode_gltf
from morphface.models import load_model
from tests.exchange.clips import clip_of

WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5126: "<f4", 5125: "<u4", 5123: "<u2"}


@pytest.fixture(scope="module")
def clip():
    return clip_of(load_model(), frames=4)


def head_of(clip, *, textured):
    """The neutral head of a clip, as `morphface export` makes it."""
    model, face = clip.model, clip.parameters[0]
    neutral = model.vertices(face.identity, torch.zeros(1, 52))[0]
    each = model.vertices(face.identity, torch.eye(52))
    return Surface(
        vertices=neutral,
        faces=model.faces,
        normals=vertex_normals(neutral, model.faces),
        colours=None if textured else torch.full_like(neutral, 0.5),
        uv=model.uv if textured else None,
        uv_faces=model.uv_faces if textured else None,
        texture=torch.full((4, 4, 3), 0.5) if textured else None,
        targets=dict(zip(model.expression.names, each - neutral, strict=True)),
    )


class Scene:
    """What a file says, by the specification."""

    def __init__(self, content):
        size = struct.unpack_from("<I", content, 12)[0]
        self.plain = json.loads(content[20 : 20 + size])
        self.document = pygltflib.GLTF2.load_from_bytes(content)
        self.blob = self.document.binary_blob()
        self.names = {node.name: k for k, node in enumerate(self.document.nodes)}
        (animation,) = self.document.animations
        self.keys = {}
        for channel in animation.channels:
            sampler = animation.samplers[channel.sampler]
            self.times = self.values(sampler.input)[:, 0]
            self.keys[channel.target.node, channel.target.path] = self.values(sampler.output)

    def view(self, number, offset, count, width, kind):
        start = self.document.bufferViews[number].byteOffset + (offset or 0)
        return np.frombuffer(self.blob, kind, count * width, start).reshape(count, width)

    def values(self, number):
        accessor = self.document.accessors[number]
        width, kind = WIDTHS[accessor.type], TYPES[accessor.componentType]
        if accessor.bufferView is not None:
            return self.view(
                accessor.bufferView, accessor.byteOffset, accessor.count, width, kind
            ).copy()
        out, sparse = np.zeros((accessor.count, width), kind), accessor.sparse
        index = sparse.indices
        places = self.view(index.bufferView, 0, sparse.count, 1, TYPES[index.componentType])
        out[places[:, 0]] = self.view(sparse.values.bufferView, 0, sparse.count, width, kind)
        return out

    def world(self, node, frame):
        """The matrix of a node, with those above it, at a key."""
        matrix = np.eye(4)
        own = self.document.nodes[node]
        turn = self.keys.get((node, "rotation"))
        shift = self.keys.get((node, "translation"))
        matrix[:3, 3] = (own.translation or [0, 0, 0]) if shift is None else shift[frame]
        if turn is not None:
            matrix[:3, :3] = Rotation.from_quat(turn[frame]).as_matrix()
        above = [k for k, item in enumerate(self.document.nodes) if node in (item.children or [])]
        return self.world(above[0], frame) @ matrix if above else matrix

    def posed(self, frame):
        """The vertices in the world at a key: morphed, then carried by their joints."""
        number = next(k for k, node in enumerate(self.document.nodes) if node.mesh is not None)
        node = self.document.nodes[number]
        (primitive,) = self.document.meshes[node.mesh].primitives
        points = self.values(primitive.attributes.POSITION).astype(float)
        weights = self.keys[number, "weights"].reshape(len(self.times), -1)[frame]
        for weight, target in zip(weights, primitive.targets, strict=True):
            points = points + weight * self.values(target["POSITION"])
        ones = np.concatenate([points, np.ones((len(points), 1))], axis=1)
        if node.skin is None:
            return (ones @ self.world(number, frame).T)[:, :3]
        skin = self.document.skins[node.skin]
        binds = self.values(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
        pairs = zip(skin.joints, binds, strict=True)
        matrices = np.stack([self.world(joint, frame) @ bind for joint, bind in pairs])
        joints = self.values(primitive.attributes.JOINTS_0)
        shares = self.values(primitive.attributes.WEIGHTS_0)
        mixed = np.einsum("vk,vkrc->vrc", shares, matrices[joints])
        return np.einsum("vrc,vc->vr", mixed, ones)[:, :3]


@pytest.fixture(scope="module", params=[True, False], ids=["textured", "coloured"])
def scene(request, clip):
    return Scene(animated_gltf(head_of(clip, textured=request.param), clip))


def test_the_head_is_where_the_model_is_in_every_frame(scene, clip):
    for frame in range(clip.frames):
        wanted = clip.vertices_in_camera(frame).numpy()
        got = scene.posed(frame) * 1000
        distance, nearest = cKDTree(wanted).query(got)
        assert distance.max() < 0.02  # mm: displacements below 0.0001 mm are left out of targets
        assert len(set(nearest)) == len(wanted)


def test_keys_are_the_track(scene, clip):
    np.testing.assert_allclose(scene.times, np.arange(4) / 25, atol=1e-6)
    head = next(k for k, node in enumerate(scene.document.nodes) if node.mesh is not None)
    weights = scene.keys[head, "weights"].reshape(4, 52)
    names = scene.document.meshes[0].extras["targetNames"]
    assert names == list(clip.model.expression.names)
    np.testing.assert_allclose(weights, clip.parameters.expression.numpy(), atol=1e-4)
    pose = scene.names["pose"]
    turns = Rotation.from_quat(scene.keys[pose, "rotation"]).as_rotvec()
    np.testing.assert_allclose(turns, clip.parameters.rotation.numpy(), atol=1e-6)
    shifts = scene.keys[pose, "translation"] * 1000
    np.testing.assert_allclose(shifts, clip.parameters.translation.numpy(), atol=1e-3)


def test_weights_that_mostly_rest_are_kept_by_their_places(scene):
    sampler = scene.plain["animations"][0]["samplers"][-1]
    sparse = [entry for entry in scene.plain["accessors"] if "sparse" in entry]
    assert scene.plain["accessors"][sampler["output"]] in sparse
    for accessor in sparse:  # the validator wants no offset where there is no view
        assert not {"bufferView", "byteOffset"} & set(accessor)


@pytest.mark.parametrize("names", [("Eye_L", "Eye_R"), ("eyeball.left", "eyeball.right")])
def test_eyes_that_a_file_has_are_found_by_their_names(clip, names):
    file = Glb(encode_gltf(head_of(clip, textured=False)))
    for name in reversed(names):
        file.node(name=name)
    numbers = {node.name: k for k, node in enumerate(file.document.nodes)}
    assert eye_nodes(file.document) == {0: numbers[names[0]], 1: numbers[names[1]]}


def test_quaternions_do_not_jump(clip):
    turns = torch.tensor([[0.0, 3.0, 0], [0, 3.2, 0], [0, 3.4, 0], [0, -2.7, 0]])
    turned = replace(clip, parameters=replace(clip.parameters, rotation=turns))
    scene = Scene(animated_gltf(head_of(clip, textured=False), turned))
    rows = scene.keys[scene.names["pose"], "rotation"]
    assert ((rows[1:] * rows[:-1]).sum(axis=1) > 0.9).all()


def test_the_camera_is_that_of_the_clip(scene, clip):
    (camera,) = scene.document.cameras
    height, width = clip.camera.size
    assert camera.perspective.aspectRatio == pytest.approx(width / height)
    focal = height / 2 / math.tan(camera.perspective.yfov / 2)
    assert focal == pytest.approx(float(clip.camera.focal))
    assert scene.names["camera"] in scene.document.scenes[0].nodes


def test_a_head_without_eyeballs_is_carried_by_its_pose(toy):
    clip = clip_of(toy)
    neutral = toy.vertices(clip.parameters.identity, torch.zeros(1, 4))[0]
    moves = dict(zip(toy.expression.names, toy.expression.directions, strict=True))
    scene = Scene(animated_gltf(Surface(neutral, toy.faces, targets=moves), clip))
    assert not scene.document.skins
    for frame in range(clip.frames):
        wanted = clip.vertices_in_camera(frame).numpy()
        np.testing.assert_allclose(scene.posed(frame) * 1000, wanted, atol=0.02)
