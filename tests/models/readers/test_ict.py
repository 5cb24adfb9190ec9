import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import trimesh

from morphface.core.errors import MissingFileError, ModelError
from morphface.landmarks import embed
from morphface.models import load_model, save_model
from morphface.models.readers import read_model
from tests.data import needs_detector, shared
from tests.toy import sphere

EXPRESSIONS = ("browInnerUp_L", "eyeBlink_R", "jawOpen", "mouthLeft")
NAMES = ("browInnerUp_L", "eyeBlinkRight", "jawOpen", "mouthLeft")
SIDED = [f"{part}{side}" for side in ("Left", "Right") for part in ("Sclera", "Iris")]
MATERIALS = [f"M_{part}" for part in ("Face", "BackHead", "GumsTongue", "Teeth", *SIDED)]
MATERIALS.append("M_EyeLashes")
PARTS = ("face", "head_neck", "gums_tongue", "teeth")
PARTS += ("sclera_left", "iris_left", "sclera_right", "iris_right")
POLYGONS = (9230, 4804, 2972, 4490, 800, 798, 800, 798)  # of the genuine files
CENTRES = {"M_ScleraLeft": (3.1, 1.0, 8.0), "M_IrisLeft": (3.1, 1.0, 8.0)}
CENTRES |= {name.replace("Left", "Right"): (-3.1, 1.0, 8.0) for name in CENTRES}


@dataclass
class Drawn:
    """A head of small spheres in centimetres: one for each material, in the files' order."""

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    uv: np.ndarray
    polygons: list
    uv_polygons: list
    materials: list
    landmarks: np.ndarray
    kept: int


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    unit, faces = (part.numpy() for part in sphere(6, 8))
    points, polygons, materials = [], [], []
    for count, name in enumerate(MATERIALS):
        centre, radius = CENTRES.get(name, (count, count, 2.0)), 1.5 if name in CENTRES else 4.0
        if "Iris" in name:
            radius = 1.4
        polygons += [tuple(face + count * len(unit)) for face in faces]
        materials += [name] * len(faces)
        points.append(unit * radius + centre)
    polygons[0] = (*polygons[0], polygons[2][1])  # one quad
    mean = np.round(np.concatenate(points), 4)
    kept = len(mean) - len(unit)
    uv = np.round(rng.uniform(0, 4, (200, 2)), 4)
    return Drawn(
        mean=mean,
        identity=np.round(rng.normal(size=(3, *mean.shape)), 4),
        expression=np.round(rng.normal(size=(len(EXPRESSIONS), *mean.shape)), 4),
        uv=uv,
        polygons=polygons,
        uv_polygons=[tuple(rng.integers(0, 200, len(polygon))) for polygon in polygons],
        materials=materials,
        landmarks=rng.choice(len(unit) * 2, 68, replace=False),
        kept=kept,
    )


def obj(head, vertices):
    lines = ["#" * 40, "# Copyright", "", "mtllib ICTFaceModelMaterial.mtl"]
    lines += ["v " + " ".join(f"{x:.6f}" for x in point) for point in vertices]
    lines += ["vt " + " ".join(f"{x:.6f}" for x in point) for point in head.uv]
    material = None
    for name, polygon, corners in zip(head.materials, head.polygons, head.uv_polygons, strict=True):
        if name != material:
            lines.append(f"usemtl {name}")
            material = name
        pairs = zip(polygon, corners, strict=True)
        lines.append("f " + " ".join(f"{v + 1}/{t + 1}" for v, t in pairs))
    return "\n".join(lines) + "\n"


def write_folder(folder, head):
    folder.mkdir(parents=True)
    (folder / "generic_neutral_mesh.obj").write_text(obj(head, head.mean))
    for k, mode in enumerate(head.identity):
        (folder / f"identity{k:03d}.obj").write_text(obj(head, head.mean + mode))
    for name, move in zip(EXPRESSIONS, head.expression, strict=True):
        (folder / f"{name}.obj").write_text(obj(head, head.mean + move))
    (folder / "PupilDilate_L.obj").write_text(obj(head, head.mean))
    index = {"expressions": EXPRESSIONS, "idx_to_landmark_verts": head.landmarks.tolist()}
    (folder / "vertex_indices.json").write_text(json.dumps({**index, "incompatibilities": []}))
    return folder


def triangles(polygons):
    return np.array([(p[0], a, b) for p in polygons for a, b in zip(p[1:], p[2:], strict=False)])


def write_packed(path, head, **changes):
    keep = [name != "M_EyeLashes" for name in head.materials]
    polygons = [polygon for polygon, kept in zip(head.polygons, keep, strict=True) if kept]
    corners = [polygon for polygon, kept in zip(head.uv_polygons, keep, strict=True) if kept]
    used, uv_faces = np.unique(triangles(corners), return_inverse=True)
    content = {
        "vertices": head.mean[: head.kept].astype(np.float32),
        "identity": head.identity[:, : head.kept].astype(np.float16),
        "expression": head.expression[:, : head.kept].astype(np.float16),
        "expression_names": np.array(EXPRESSIONS),
        "faces": triangles(polygons).astype(np.int32),
        "uv": head.uv[used].astype(np.float32),
        "uv_faces": uv_faces.reshape(-1, 3).astype(np.int32),
        "vertex_part": np.repeat(np.arange(8), head.kept // 8).astype(np.uint8),
        "part_names": np.array(PARTS),
        "landmarks68": head.landmarks.astype(np.int32),
    }
    np.savez_compressed(path, **{**content, **changes})
    return path


@pytest.fixture(scope="module")
def head():
    return drawn()


@pytest.fixture(scope="module")
def model(head, tmp_path_factory):
    return read_model(write_folder(tmp_path_factory.mktemp("ict") / "FaceXModel", head))


def test_millimetres_from_between_the_eyes(model, head):
    wanted = head.mean[: head.kept] * 10 - np.array([0, 10, 80])
    np.testing.assert_allclose(model.identity.mean, wanted, atol=2e-3)
    np.testing.assert_allclose(
        model.identity.directions, head.identity[:, : head.kept] * 10, atol=2e-3
    )
    np.testing.assert_allclose(
        model.expression.directions, head.expression[:, : head.kept] * 10, atol=2e-3
    )


def test_arkit_has_one_name_for_what_is_one(model):
    assert model.expression.names == NAMES
    assert (model.expression.bounds == torch.tensor([0.0, 1.0])).all()


def test_lashes_are_left_out_and_quads_are_two_triangles(model, head, tmp_path):
    (tmp_path / "neutral.obj").write_text(obj(head, head.mean))
    scene = trimesh.load(tmp_path / "neutral.obj", process=False, split_object=True)
    area = sum(
        mesh.area
        for name, mesh in zip(MATERIALS, scene.geometry.values(), strict=True)
        if name not in ("M_Face", "M_EyeLashes")
    )
    rest = model.faces[(model.regions["face"][model.faces] == 0).all(1)]
    ours = trimesh.Trimesh(model.identity.mean.numpy(), rest.numpy(), process=False)
    assert len(model.faces) == len(triangles(head.polygons)) - head.materials.count("M_EyeLashes")
    assert ours.area == pytest.approx(area * 100, rel=1e-5)
    corners = model.uv[model.uv_faces[:2]].reshape(-1, 2)
    wanted = head.uv[triangles(head.uv_polygons[:1])].reshape(-1, 2)
    np.testing.assert_allclose(corners, wanted, atol=1e-6)


def test_eyeballs_turn_about_the_centre_of_the_sclera(model):
    for eye, side in zip(model.eyes, (1, -1), strict=True):
        centre = eye.centre(model.identity.mean)
        torch.testing.assert_close(centre, torch.tensor([31.0 * side, 0, 0]), rtol=0, atol=2e-2)
        assert eye.radius == pytest.approx(15.0, abs=0.02)
    gaze = torch.tensor([[0.3, 0.0], [0.0, 0.0]])
    turned = model.vertices(torch.zeros(1), torch.zeros(1), gaze)
    moved = (turned - model.identity.mean).norm(dim=-1) > 1e-3
    left = torch.zeros(model.size, dtype=torch.bool)
    left[model.eyes[0].vertices] = True
    assert moved[left].any()
    assert not moved[~left].any()


def test_landmarks_are_the_authors_vertices(model, head):
    points = model.landmarks["68"].points(model.identity.mean)
    np.testing.assert_allclose(points, model.identity.mean[torch.from_numpy(head.landmarks)])
    assert (model.landmarks["68"].confidence[:17] < 1).all()


def test_regions_follow_the_materials(model, head):
    size = head.kept // 8
    assert model.regions["face"].sum() == size
    assert model.regions["skin"].sum() == 2 * size
    assert model.regions["teeth"].nonzero().min() == 3 * size
    assert model.regions["eyeballs"].sum() == 4 * size


def test_the_folder_above_is_the_same_model(model, head, tmp_path):
    write_folder(tmp_path / "ICT-FaceKit" / "FaceXModel", head)
    other = read_model(tmp_path / "ICT-FaceKit")
    assert torch.equal(other.identity.mean, model.identity.mean)


def test_the_packed_model_is_the_same(model, head, tmp_path):
    packed = read_model(write_packed(tmp_path / "ict.npz", head))
    assert packed.expression.names == model.expression.names
    for name in ("faces", "uv", "uv_faces"):
        torch.testing.assert_close(getattr(packed, name), getattr(model, name))
    torch.testing.assert_close(packed.identity.mean, model.identity.mean, rtol=0, atol=1e-3)
    for name in ("identity", "expression"):
        ours, other = getattr(packed, name).directions, getattr(model, name).directions
        torch.testing.assert_close(ours, other, rtol=1e-3, atol=1e-2)
    assert packed.regions.keys() == model.regions.keys()
    for name, mask in model.regions.items():
        assert torch.equal(packed.regions[name], mask)


def test_it_survives_our_own_format(model, tmp_path):
    save_model(model, tmp_path / "ict.safetensors")
    loaded = load_model(tmp_path / "ict.safetensors")
    assert torch.equal(loaded.identity.directions, model.identity.directions)
    assert torch.equal(loaded.expression.directions, model.expression.directions)


def test_the_genuine_model_has_its_sizes_and_its_proportions():
    model = read_model(shared("ict", "ict_facekit.npz"))
    assert (model.size, model.identity.rank, model.expression.rank) == (24591, 100, 53)
    left, right = (eye.centre(model.identity.mean) for eye in model.eyes)
    torch.testing.assert_close(left + right, torch.zeros(3), rtol=0, atol=1e-3)
    points = model.landmarks["68"].points(model.identity.mean)
    assert (points[45] - points[36])[0] == pytest.approx(89, abs=1)
    assert "mouthSmileLeft" in model.expression.names
    open_head = set(load_model().expression.names)
    assert set(model.expression.names) - open_head == {
        *("browInnerUp_L", "browInnerUp_R", "cheekPuff_L", "cheekPuff_R")
    }
    balls = torch.cat([eye.vertices for eye in model.eyes])
    assert (model.expression.directions[:, balls] == 0).all()


@pytest.mark.slow
def test_computed_landmarks_lie_near_those_of_its_authors():
    needs_detector()
    from morphface.landmarks.detectors.mediapipe import MediaPipeDetector

    model = read_model(shared("ict", "ict_facekit.npz"))
    with MediaPipeDetector() as detector:
        computed = embed(model, detector, "68").points(model.identity.mean)
    own = model.landmarks["68"].points(model.identity.mean)
    assert (computed - own).norm(dim=-1)[17:].median() < 3.0


def test_the_genuine_mesh_as_obj_is_the_packed_one(tmp_path):
    with np.load(shared("ict", "ict_facekit.npz")) as file:
        given = {name: file[name] for name in file.files if name not in ("identity", "expression")}
    polygons = [tuple(quad[quad >= 0]) for quad in given["quads"]]
    genuine = Drawn(
        mean=given["vertices"],
        identity=np.zeros((0, 1, 3)),
        expression=np.zeros((0, 1, 3)),
        uv=given["uv"],
        polygons=polygons,
        uv_polygons=[tuple(quad[quad >= 0]) for quad in given["quad_uvs"]],
        materials=list(np.repeat(MATERIALS[:8], POLYGONS)),
        landmarks=given["landmarks68"],
        kept=24591,
    )
    folder = tmp_path / "FaceXModel"
    folder.mkdir()
    text = obj(genuine, genuine.mean)
    (folder / "generic_neutral_mesh.obj").write_text(text)
    (folder / "jawOpen.obj").write_text(text)
    index = {"expressions": ["jawOpen"], "idx_to_landmark_verts": genuine.landmarks.tolist()}
    (folder / "vertex_indices.json").write_text(json.dumps(index))
    model, packed = read_model(folder), read_model(shared("ict", "ict_facekit.npz"))
    for name in ("faces", "uv_faces"):
        assert torch.equal(getattr(model, name), getattr(packed, name))
    torch.testing.assert_close(model.identity.mean, packed.identity.mean, rtol=0, atol=1e-3)
    for name, mask in packed.regions.items():
        assert torch.equal(model.regions[name], mask)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("generic_neutral_mesh.obj", "v 1 2 3\n", "its v lines are odd|no polygons"),
        ("identity001.obj", "v 1 2 3\nv 1 2\n", "identity001.obj is not a mesh of ICT-FaceKit"),
        ("identity001.obj", "v 1 2 3\nv a b c\n", "identity001.obj is not a mesh of ICT-FaceKit"),
        ("identity001.obj", "v 1 2 3\n", "identity001.obj has 1 vertices, and .* were expected"),
        ("identity001.obj", "", "identity001.obj is not a mesh of ICT-FaceKit"),
        ("vertex_indices.json", "{}", "vertex_indices.json has no expressions and landmarks"),
        ("vertex_indices.json", "[", "vertex_indices.json has no expressions and landmarks"),
        (
            "vertex_indices.json",
            '{"expressions": ["../jawOpen"], "idx_to_landmark_verts": []}',
            "vertex_indices.json has names of expressions that are none",
        ),
        (
            "vertex_indices.json",
            '{"expressions": ["jawOpen"], "idx_to_landmark_verts": [1, 2]}',
            "it has 2 landmarks, and 68 were expected",
        ),
    ],
)
def test_a_damaged_file_of_the_folder_is_refused(head, tmp_path, file, content, message):
    folder = write_folder(tmp_path / "ict", head)
    (folder / file).write_text(content)
    with pytest.raises(ModelError, match=message):
        read_model(folder)


@pytest.mark.refusal
def test_a_missing_file_and_odd_corners_are_refused(head, tmp_path):
    folder = write_folder(tmp_path / "ict", head)
    (folder / "jawOpen.obj").unlink()
    with pytest.raises(MissingFileError, match=r"the ICT model lacks .*jawOpen.obj"):
        read_model(folder)
    text = obj(head, head.mean)
    for wrong, message in (("f 1 2 3", "a corner b'1' without texture"), ("f 1/1", "no polygons")):
        changed = text.replace("usemtl M_Teeth", f"usemtl M_Teeth\n{wrong}")
        (folder / "generic_neutral_mesh.obj").write_text(changed)
        with pytest.raises(ModelError, match=message):
            read_model(folder)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uv_faces": np.zeros((3, 3), int)}, "its texture coordinates do not belong to its faces"),
        ({"landmarks68": np.full(68, 10**6)}, "landmarks"),
        ({"identity": np.zeros((2, 7, 3))}, "its basis has shape"),
        ({"faces": np.full((4, 3), -1)}, "its faces index"),
    ],
)
def test_a_packed_model_that_does_not_fit_is_refused(head, tmp_path, changes, message):
    with pytest.raises(ModelError, match=message):
        read_model(write_packed(tmp_path / "ict.npz", head, **changes))
