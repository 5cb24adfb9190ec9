import io
import json
import struct
from dataclasses import replace

import numpy as np
import pygltflib
import pytest
import torch
import trimesh
from PIL import Image

from morphface.core.errors import OutputError, ParameterError, ShapeError
from morphface.geometry.mesh import vertex_normals
from morphface.media.meshes import (
    Surface,
    encode_gltf,
    split_seams,
    write_gltf,
    write_obj,
    write_ply,
)

SQUARE = torch.tensor([[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [10, 10, 0]])
HALVES = torch.tensor([[0, 1, 2], [3, 2, 1]])
CUT = {  # each half has its own corners in the texture
    "uv": torch.tensor([[0.0, 0], [0.5, 0], [0, 1], [1, 1], [0.6, 1], [1, 0]]),
    "uv_faces": torch.tensor([[0, 1, 2], [3, 4, 5]]),
}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
TYPES = {5126: "<f4", 5125: "<u4"}


@pytest.fixture
def head(toy, rng):
    identity = torch.randn(6, generator=rng)
    neutral = toy.vertices(identity, torch.zeros(4))
    local = toy.expression.directions[0] * (toy.identity.mean[:, 1:2] > 20)
    return Surface(
        vertices=neutral,
        faces=toy.faces,
        normals=vertex_normals(neutral, toy.faces),
        colours=torch.rand(toy.size, 3, generator=rng),
        targets=dict(zip(toy.expression.names, toy.expression.directions, strict=True))
        | {"local": local},
        weights={"move1": 0.5, "local": 0.25},
    )


def read_glb(path):
    """The JSON and the binary part of a file, by the specification alone."""
    content = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    size, kind = struct.unpack_from("<I4s", content, 12)
    assert kind == b"JSON"
    start = 20 + size
    assert content[start + 4 : start + 8] == b"BIN\0"
    return json.loads(content[20:start]), content[start + 8 :]


def read_accessor(document, blob, index):
    accessor = document["accessors"][index]
    width, dtype = WIDTHS[accessor["type"]], np.dtype(TYPES[accessor["componentType"]])

    def view(number, count, dtype, width):
        start = document["bufferViews"][number].get("byteOffset", 0)
        return np.frombuffer(blob, dtype, count * width, start).reshape(count, width)

    if "bufferView" in accessor:
        return view(accessor["bufferView"], accessor["count"], dtype, width)
    values = np.zeros((accessor["count"], width), dtype)
    if "sparse" not in accessor:
        return values
    sparse = accessor["sparse"]
    rows = view(sparse["indices"]["bufferView"], sparse["count"], np.dtype("<u4"), 1)[:, 0]
    values[rows] = view(sparse["values"]["bufferView"], sparse["count"], dtype, width)
    return values


def read_head(path):
    document, blob = read_glb(path)
    mesh = document["meshes"][0]
    primitive = mesh["primitives"][0]
    attributes = {k: read_accessor(document, blob, v) for k, v in primitive["attributes"].items()}
    faces = read_accessor(document, blob, primitive["indices"]).reshape(-1, 3)
    targets = [read_accessor(document, blob, t["POSITION"]) for t in primitive.get("targets", [])]
    return mesh, attributes, faces, targets


def test_every_deformed_glb_is_the_model_in_metres(head, toy, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    mesh, attributes, faces, targets = read_head(tmp_path / "head.glb")
    assert mesh["extras"]["targetNames"] == list(head.targets)
    assert np.array_equal(faces, toy.faces)
    for offset, target in zip(head.targets.values(), targets, strict=True):
        moved = attributes["POSITION"] + 0.7 * target
        np.testing.assert_allclose(moved * 1000, head.vertices + 0.7 * offset, atol=2e-4)


def test_glb_opens_in_the_fitted_expression(head, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    mesh = read_head(tmp_path / "head.glb")[0]
    weights = dict(zip(mesh["extras"]["targetNames"], mesh["weights"], strict=True))
    assert weights == {"move0": 0, "move1": 0.5, "move2": 0, "move3": 0, "local": 0.25}


def test_accessors_state_the_extent_of_their_values(head, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    document, blob = read_glb(tmp_path / "head.glb")
    vectors = [i for i, a in enumerate(document["accessors"]) if a["type"] == "VEC3"]
    assert len(vectors) == 3 + 2 * len(head.targets)
    for index in vectors:
        values = read_accessor(document, blob, index)
        assert document["accessors"][index]["min"] == values.min(0).astype(float).tolist()
        assert document["accessors"][index]["max"] == values.max(0).astype(float).tolist()


def test_local_targets_are_stored_sparsely(head, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    document, _ = read_glb(tmp_path / "head.glb")
    targets = document["meshes"][0]["primitives"][0]["targets"]
    sparse = ["sparse" in document["accessors"][t["POSITION"]] for t in targets]
    assert sparse == [False, False, False, False, True]


def test_targets_turn_normals_as_they_turn_the_surface(head, toy, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    document, blob = read_glb(tmp_path / "head.glb")
    primitive = document["meshes"][0]["primitives"][0]
    rest = read_accessor(document, blob, primitive["attributes"]["NORMAL"])
    for offset, target in zip(head.targets.values(), primitive["targets"], strict=True):
        turned = rest + read_accessor(document, blob, target["NORMAL"])
        wanted = vertex_normals(head.vertices + offset, toy.faces)
        np.testing.assert_allclose(turned, wanted, atol=3e-3)
    bare = encode_gltf(head, target_normals=False)
    (tmp_path / "bare.glb").write_bytes(bare)
    document, _ = read_glb(tmp_path / "bare.glb")
    assert all(list(t) == ["POSITION"] for t in document["meshes"][0]["primitives"][0]["targets"])


def test_parts_are_primitives_with_materials_of_their_names_and_groups(head, tmp_path):
    half = len(head.faces) // 2
    every = torch.arange(len(head.faces))
    cut = replace(head, parts={"skin": every[half:], "teeth": every[:half]})
    write_gltf(tmp_path / "head.glb", cut)
    document, blob = read_glb(tmp_path / "head.glb")
    primitives = document["meshes"][0]["primitives"]
    assert [document["materials"][p["material"]]["name"] for p in primitives] == ["skin", "teeth"]
    for primitive, rows in zip(primitives, cut.parts.values(), strict=True):
        places = read_accessor(document, blob, primitive["attributes"]["POSITION"]) * 1000
        faces = read_accessor(document, blob, primitive["indices"]).reshape(-1, 3)
        np.testing.assert_allclose(places[faces], head.vertices[head.faces[rows]], atol=2e-4)
    write_obj(tmp_path / "head.obj", cut)
    text = (tmp_path / "head.obj").read_text()
    groups = text.split("\ng ")[1:]
    assert [group.split("\n")[0] for group in groups] == ["skin", "teeth"]
    assert [group.count("\nf ") for group in groups] == [len(every) - half, half]


def test_vertex_colours_are_linear_light_in_glb_and_normals_are_units(head, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    attributes = read_head(tmp_path / "head.glb")[1]
    linear = np.where(
        head.colours <= 0.04045, head.colours / 12.92, ((head.colours + 0.055) / 1.055) ** 2.4
    )
    np.testing.assert_allclose(attributes["COLOR_0"], linear, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(attributes["NORMAL"], axis=1), 1, atol=1e-6)


def test_other_readers_open_the_glb(head, toy, tmp_path):
    write_gltf(tmp_path / "head.glb", head)
    loaded = trimesh.load(tmp_path / "head.glb", force="mesh", process=False)
    np.testing.assert_allclose(loaded.vertices * 1000, head.vertices, atol=2e-4)
    assert loaded.is_watertight
    assert loaded.volume > 0
    document = pygltflib.GLTF2().load(str(tmp_path / "head.glb"))
    assert document.materials[0].doubleSided


def test_same_surface_gives_the_same_bytes(head, tmp_path):
    write_gltf(tmp_path / "a.glb", head)
    write_gltf(tmp_path / "b.glb", head)
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()


def test_split_seams_keeps_every_corner_and_splits_only_at_seams():
    vertex_of, uv_of, faces = split_seams(HALVES, CUT["uv_faces"])
    assert torch.equal(vertex_of[faces], HALVES)
    assert torch.equal(uv_of[faces], CUT["uv_faces"])
    assert len(vertex_of) == 6
    assert len(split_seams(HALVES, HALVES)[0]) == 4


def test_texture_coordinates_point_to_the_same_texels_in_glb_and_obj(tmp_path, rng):
    picture = torch.rand(8, 8, 3, generator=rng)
    square = Surface(SQUARE, HALVES, texture=picture, targets={"lift": SQUARE}, **CUT)
    write_gltf(tmp_path / "square.glb", square)
    _, attributes, faces, targets = read_head(tmp_path / "square.glb")
    np.testing.assert_allclose(
        attributes["TEXCOORD_0"][faces][..., 0], CUT["uv"][CUT["uv_faces"]][..., 0]
    )
    np.testing.assert_allclose(
        1 - attributes["TEXCOORD_0"][faces][..., 1], CUT["uv"][CUT["uv_faces"]][..., 1]
    )
    np.testing.assert_allclose(targets[0], attributes["POSITION"])
    document, blob = read_glb(tmp_path / "square.glb")
    start = document["bufferViews"][document["images"][0]["bufferView"]]["byteOffset"]
    stored = np.asarray(Image.open(io.BytesIO(blob[start:])))
    np.testing.assert_allclose(stored / 255, picture, atol=0.5 / 255 + 1e-6)
    write_obj(tmp_path / "square.obj", square)
    loaded = trimesh.load(tmp_path / "square.obj", process=False)
    np.testing.assert_allclose(np.asarray(loaded.visual.material.image), stored)
    order = [
        int(np.flatnonzero(np.all(np.isclose(loaded.visual.uv, c), 1))[0])
        for c in CUT["uv"].numpy()
    ]
    np.testing.assert_allclose(loaded.vertices[order], SQUARE[[0, 1, 2, 3, 2, 1]])


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_map_of_normals_has_tangents_along_u_and_green_up(tmp_path, rng, mirrored):
    flip = torch.tensor([-1.0, 1.0]) if mirrored else torch.ones(2)
    layout = CUT | {"uv": CUT["uv"] * flip + (flip < 0)}
    picture, relief = torch.rand(8, 8, 3, generator=rng), torch.rand(4, 4, 3, generator=rng)
    normals = torch.tensor([0.0, 0.0, 1.0]).expand(4, 3)
    square = Surface(SQUARE, HALVES, normals, texture=picture, relief=relief, **layout)
    write_gltf(tmp_path / "square.glb", square)
    _, attributes, _, _ = read_head(tmp_path / "square.glb")
    tangent, normal = attributes["TANGENT"], attributes["NORMAL"]
    right = -1.0 if mirrored else 1.0  # where u grows on the square
    np.testing.assert_allclose(tangent[:, :3], [[right, 0, 0]] * 6, atol=1e-6)
    up = np.cross(normal, tangent[:, :3]) * tangent[:, 3:]  # glTF 2.0, section 3.7.2.1
    np.testing.assert_allclose(up, [[0, 1, 0]] * 6, atol=1e-6)
    document, blob = read_glb(tmp_path / "square.glb")
    number = document["textures"][document["materials"][0]["normalTexture"]["index"]]["source"]
    start = document["bufferViews"][document["images"][number]["bufferView"]]["byteOffset"]
    stored = np.asarray(Image.open(io.BytesIO(blob[start:])))
    np.testing.assert_allclose(stored / 255, relief, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("suffix", [".obj", ".ply"])
def test_obj_and_ply_hold_the_deformed_mesh_in_millimetres(head, toy, tmp_path, suffix):
    path = tmp_path / f"head{suffix}"
    {".obj": write_obj, ".ply": write_ply}[suffix](path, head)
    loaded = trimesh.load(path, process=False, maintain_order=True)
    want = head.vertices + 0.5 * head.targets["move1"] + 0.25 * head.targets["local"]
    np.testing.assert_allclose(loaded.vertices, want, atol=1e-4)
    assert np.array_equal(loaded.faces, toy.faces)
    got = loaded.visual.vertex_colors[:, :3]
    assert np.abs(got - head.colours.numpy() * 255).max() < 1.01
    assert b"millimetre" in path.read_bytes()[:300]


def test_normals_are_written_where_they_fit_the_pose(head, tmp_path):
    still = Surface(head.vertices, head.faces, head.normals)
    write_ply(tmp_path / "a.ply", still)
    loaded = trimesh.load(tmp_path / "a.ply", process=False)
    np.testing.assert_allclose(loaded.vertex_normals, head.normals, atol=1e-5)
    write_obj(tmp_path / "a.obj", still)
    assert (tmp_path / "a.obj").read_text().count("\nvn ") == len(head.vertices)
    write_obj(tmp_path / "b.obj", head)
    assert "\nvn " not in (tmp_path / "b.obj").read_text()


@pytest.mark.parametrize("write", [write_gltf, write_obj, write_ply])
@pytest.mark.refusal
def test_unwritable_place_is_refused(head, tmp_path, write):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="it is a file, not a folder"):
        write(tmp_path / "file" / "head.glb", head)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"colours": torch.zeros(3, 3)}, ShapeError, "colours must have shape"),
        ({"targets": {"a": torch.zeros(3, 3)}}, ShapeError, "target a must have shape"),
        ({"targets": {"a": SQUARE / 0}}, ParameterError, "target a must be finite"),
        ({"weights": {"smile": 1.0}}, ParameterError, "smile, which are no targets"),
        ({"uv": CUT["uv"]}, ParameterError, "given together"),
        ({"texture": torch.zeros(4, 4, 3)}, ParameterError, "a texture needs uv"),
        ({"relief": torch.zeros(4, 4, 3)}, ParameterError, "a relief needs uv"),
        ({"uv": CUT["uv"][:3], "uv_faces": HALVES + 1}, ParameterError, "from 0 to 2, got 1 to 4"),
        ({"faces": HALVES + 1}, ParameterError, "faces must hold indices from 0 to 3, got 1 to 4"),
        ({"parts": {"skin": torch.tensor([1])}}, ParameterError, "parts must name every face once"),
        ({"vertices": SQUARE / 0}, ParameterError, "vertices must be finite"),
    ],
)
def test_impossible_surface_is_refused(fields, error, message):
    with pytest.raises(error, match=message):
        Surface(**({"vertices": SQUARE, "faces": HALVES} | fields))
