"""A saved head in independent readers: three.js, trimesh and pygltflib."""

import base64
from dataclasses import replace

import numpy as np
import pygltflib
import pytest
import torch
import trimesh
from scipy.spatial import cKDTree

from morphface.media.meshes import encode_gltf
from morphface.models.skeleton import JOINTS
from tests.media.test_meshes import read_accessor, read_glb
from tests.ui.browser import Watch

CHANGED = {"jawOpen": 0.5, "eyeBlinkLeft": 1.0}
READ = """async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    let root = await morphfaceViewer.readHead(bytes);
    while (root.parent) root = root.parent;
    const found = [];
    root.traverse((node) => node.isMesh && found.push(node));
    const { material, morphTargetDictionary, morphTargetInfluences, skeleton } = found[0];
    const pack = ({ array }) => {
        const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        let letters = "";
        for (let k = 0; k < raw.length; k += 4096)
            letters += String.fromCharCode(...raw.subarray(k, k + 4096));
        return btoa(letters);
    };
    const { image } = material.map;
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return {
        names: Object.keys(morphTargetDictionary),
        weights: [...morphTargetInfluences],
        parts: found.map(({ geometry, material }) => ({
            material: material.name,
            positions: pack(geometry.attributes.position),
            uv: pack(geometry.attributes.uv),
            moves: geometry.morphAttributes.position.map(pack),
            turns: geometry.morphAttributes.normal.length,
        })),
        bones: skeleton.bones.map(({ name, parent }) => [name, parent.name]),
        texels: pack({ array: canvas.getImageData(0, 0, image.width, image.height).data }),
        size: [image.height, image.width],
        upright: material.map.flipY === false,
    };
}"""


@pytest.fixture(scope="module")
def saved(rig, tmp_path_factory):
    """A head whose weights were changed, as a file."""
    weights = dict.fromkeys(rig.targets, 0.0) | CHANGED
    path = tmp_path_factory.mktemp("saved") / "head.glb"
    path.write_bytes(encode_gltf(replace(rig, weights=weights)))
    return path


@pytest.fixture(scope="module")
def seen(browser, head_page, saved):
    """What three.js reads."""
    with browser.new_context() as context:
        watch, page = Watch(context), context.new_page()
        page.goto(head_page.as_uri())
        seen = page.evaluate(READ, base64.b64encode(saved.read_bytes()).decode())
        watch.check()

    def floats(text, width):
        return np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, width)

    texels = np.frombuffer(base64.b64decode(seen["texels"]), "u1")

    def whole(name, width):
        return np.concatenate([floats(part[name], width) for part in seen["parts"]])

    each = zip(*(part["moves"] for part in seen["parts"]), strict=True)
    return seen | {
        "positions": whole("positions", 3),
        "uv": whole("uv", 2),
        "moves": [np.concatenate([floats(move, 3) for move in moves]) for moves in each],
        "texels": texels.reshape(*seen["size"], 4)[..., :3] / 255,
    }


def own_moves(astronaut):
    """Neutral vertices and what each expression adds, by the model, in metres."""
    face = astronaut.faces[0]
    fitted, model = face.parameters, face.model
    still = torch.zeros_like(fitted.expression)
    neutral = model.vertices(fitted.identity, still, fitted.gaze)[0]
    each = model.vertices(fitted.identity, torch.eye(model.expression.rank), fitted.gaze)
    return neutral.numpy() / 1000, (each - neutral).numpy() / 1000, model.expression.names


def check_moves(positions, moves, astronaut):
    """Each vertex of a file moves as the model's vertex at its place."""
    neutral, own, names = own_moves(astronaut)
    distance, nearest = cKDTree(neutral).query(positions)
    assert distance.max() < 1e-6
    for name, move, wanted in zip(names, moves, own, strict=True):
        error = np.abs(move - wanted[nearest]).max()
        assert error < 1e-6, name  # a thousandth of a millimetre


def check_jaw(positions, names, moves):
    """An open jaw lowers the chin and leaves the brows alone."""
    jaw = moves[list(names).index("jawOpen")]
    front = positions[:, 2] > np.quantile(positions[:, 2], 0.6)
    brows = front & (positions[:, 1] > 0.01)
    lowest = positions[np.argmin(jaw[:, 1])]
    assert np.abs(jaw[brows]).max() < 1e-4
    assert jaw[:, 1].min() < -0.02
    assert -0.13 < lowest[1] < -0.05
    assert abs(lowest[0]) < 0.02


def test_three_names_fifty_two_targets_and_opens_at_the_changed_weights(seen, astronaut):
    assert seen["names"] == list(astronaut.faces[0].model.expression.names)
    assert len(seen["names"]) == 52
    weights = dict(zip(seen["names"], seen["weights"], strict=True))
    assert {name: value for name, value in weights.items() if value} == pytest.approx(CHANGED)


def test_three_finds_parts_with_materials_of_their_own_and_bones(seen):
    materials = [part["material"] for part in seen["parts"]]
    assert materials == ["skin", "eyes", "teeth", "tongue"]
    assert {part["turns"] for part in seen["parts"]} == {52}
    names = {name: parent for name, parent in seen["bones"]}
    assert list(names) == list(JOINTS)
    assert all(names[name] == above for name, above in JOINTS.items() if above)


def test_three_moves_the_vertices_that_the_model_moves(seen, astronaut):
    check_moves(seen["positions"], seen["moves"], astronaut)
    check_jaw(seen["positions"], seen["names"], seen["moves"])


def colours_at(texels, uv):
    """The texels that uv points to, (0, 0) at the upper left."""
    height, width = texels.shape[:2]
    column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((uv[:, 1] * height).astype(int), 0, height - 1)
    return texels[row, column]


def check_colours(texels, uv, positions, rig):
    """Texels have the colours that the head has at its vertices, and not when upside down."""
    _, nearest = cKDTree(rig.vertices.numpy() / 1000).query(positions)
    wanted = rig.colours.clamp(0, 1).numpy()[nearest]
    error = np.median(np.abs(colours_at(texels, uv) - wanted))
    wrong = np.median(np.abs(colours_at(texels[::-1], uv) - wanted))
    assert error < 0.02
    assert wrong > 2 * error


def test_three_finds_the_texture_in_place(seen, rig):
    assert seen["upright"]
    assert seen["texels"].shape == rig.texture.shape
    check_colours(seen["texels"], seen["uv"], seen["positions"], rig)


def test_trimesh_finds_the_texture_in_place(saved, rig):
    for mesh in trimesh.load(saved, process=False).geometry.values():
        texels = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")) / 255
        upper_left = mesh.visual.uv * [1, -1] + [0, 1]  # trimesh counts from the lower left
        if mesh.visual.material.name == "skin":
            check_colours(texels, upper_left, mesh.vertices, rig)


def test_pygltflib_finds_the_targets_and_the_vertices_that_they_move(saved, astronaut):
    document = pygltflib.GLTF2().load(f"{saved}")
    mesh = document.meshes[0]
    assert mesh.extras["targetNames"] == list(astronaut.faces[0].model.expression.names)
    plain, blob = read_glb(saved)
    for primitive in mesh.primitives:
        positions = read_accessor(plain, blob, primitive.attributes.POSITION)
        moves = [read_accessor(plain, blob, target["POSITION"]) for target in primitive.targets]
        check_moves(positions, moves, astronaut)
        if primitive is mesh.primitives[0]:
            check_jaw(positions, mesh.extras["targetNames"], moves)
