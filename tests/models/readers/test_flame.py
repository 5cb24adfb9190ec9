import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from morphface.core.errors import MissingFileError, ModelError, ModelWarning
from morphface.models import ArticulatedModel, load_model, save_model
from morphface.models.readers import read_model
from tests.models.readers import flame_files
from tests.models.readers.flame_files import BALLS, SHAPES, VERSIONS, arrays

TURNS = ("neck_pitch", "neck_yaw", "neck_roll", "jaw_pitch", "jaw_yaw", "jaw_roll")


@pytest.fixture(scope="module", params=VERSIONS)
def path(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("flame") / f"{request.param}.pkl"
    place.write_bytes(VERSIONS[request.param](arrays()))
    return place


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    place = tmp_path_factory.mktemp("flame") / "generic_model.pkl"
    place.write_bytes(VERSIONS["2023"](arrays()))
    return place


def flame(shape, expression, pose):
    """What the authors define: blend shapes, correctives, and blended rigid motions.

    `pose` has the rotation vectors of root, neck, jaw, left and right eye. In metres.
    """
    given = arrays()
    betas = np.concatenate([shape, expression])
    shaped = given["v_template"] + given["shapedirs"] @ betas
    joints = given["J_regressor"] @ shaped
    matrices = [Rotation.from_rotvec(turn).as_matrix() for turn in pose]
    feature = np.concatenate([(matrix - np.eye(3)).ravel() for matrix in matrices[1:]])
    shaped = shaped + given["posedirs"] @ feature
    parents = [-1, 0, 1, 1, 1]
    out = np.zeros_like(shaped)
    for vertex in range(len(shaped)):
        for joint in range(5):
            place, at = shaped[vertex], joint
            while at >= 0:
                place = joints[at] + matrices[at] @ (place - joints[at])
                at = parents[at]
            out[vertex] += given["weights"][vertex, joint] * place
    return out


def origin():
    return (arrays()["J_regressor"] @ arrays()["v_template"])[[3, 4]].mean(axis=0)


def coefficients(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=SHAPES), rng.normal(size=100), rng.normal(size=(2, 3)) * 0.3


def test_every_version_is_the_skinned_model_of_its_authors(path):
    model = read_model(path)
    shape, expression, turns = coefficients()
    gaze = np.array([[0.3, 0.2], [-0.1, 0.15]])
    eyes = [Rotation.from_euler("YX", [yaw, -pitch]).as_rotvec() for yaw, pitch in gaze]
    wanted = flame(shape, expression, [np.zeros(3), *turns, *eyes])
    ours = np.concatenate([expression, *(turns * [-1, 1, 1])])
    got = model.vertices(*(torch.from_numpy(v).float() for v in (shape, ours, gaze)))
    np.testing.assert_allclose(got, (wanted - origin()) * 1000, atol=2e-3)


def test_rotations_are_named_and_bounded_and_the_rest_is_not(path):
    model = read_model(path)
    assert isinstance(model, ArticulatedModel)
    assert model.identity.rank == 300
    assert model.expression.names[:2] == ("expression_0", "expression_1")
    assert model.expression.names[100:] == TURNS
    assert model.expression.bounds[:100].isinf().all()
    assert model.expression.bounds[100:].isfinite().all()
    assert (model.expression.bounds[100:, 0] < 0).all()
    assert (model.expression.bounds[100:, 1] > 0).all()


def test_signs_of_the_rotations_are_those_of_the_package(plain):
    model = read_model(plain)
    model = replace(model, rig=replace(model.rig, correctives=0 * model.rig.correctives))
    chin = int(model.identity.mean[:, 1].argmin())
    alone = replace(model.rig, weights=torch.eye(5)[2].expand(model.size, 5))
    expression = torch.zeros(106)
    expression[100 + TURNS.index("jaw_pitch")] = -0.3
    moved = replace(model, rig=alone, eyes=None).vertices(torch.zeros(1), expression)
    ahead = model.rig.joints.mean[2] + torch.tensor([0.0, 0.0, 80.0])
    step = replace(
        model.identity, mean=ahead.expand(model.size, 3), directions=model.identity.directions * 0
    )
    front = replace(model, rig=alone, eyes=None, identity=step)
    assert front.vertices(torch.zeros(1), expression)[0, 1] < ahead[1] - 20
    assert (moved[chin] - model.identity.mean[chin]).norm() > 1
    expression[:] = 0
    expression[100 + TURNS.index("jaw_yaw")] = 0.3
    assert front.vertices(torch.zeros(1), expression)[0, 0] > ahead[0] + 20


def test_eyeballs_are_the_vertices_of_their_joints(plain):
    model = read_model(plain)
    for eye, ball, joint in zip(model.eyes, BALLS, (3, 4), strict=True):
        np.testing.assert_array_equal(eye.vertices, ball)
        centre = eye.centre(model.identity.mean)
        torch.testing.assert_close(centre, model.rig.joints.mean[joint])
    left, right = (eye.centre(model.identity.mean) for eye in model.eyes)
    assert left[0] > 0 > right[0]
    torch.testing.assert_close(left + right, torch.zeros(3), rtol=0, atol=1e-4)


def test_the_bases_are_the_first_order_of_the_neutral_face(plain):
    model = read_model(plain)
    near = model.linearised(torch.zeros(300), torch.zeros(106))
    for name in ("identity", "expression"):
        ours, exact = getattr(model, name).directions, getattr(near, name).directions
        torch.testing.assert_close(ours, exact, rtol=1e-4, atol=1e-3)


def test_it_survives_our_own_format(plain, tmp_path):
    model = read_model(plain)
    save_model(model, tmp_path / "flame.safetensors")
    loaded = load_model(tmp_path / "flame.safetensors")
    shape, expression, turns = (torch.from_numpy(v).float() for v in coefficients(1))
    both = torch.cat([expression, turns.flatten()])
    assert torch.equal(loaded.vertices(shape, both), model.vertices(shape, both))


def points_of(content, row=None):
    index, weights = content["lmk_face_idx"], content["lmk_b_coords"]
    index, weights = (index, weights) if row is None else (index[row], weights[row])
    corners = arrays()["v_template"][arrays()["f"][index]]
    return ((corners * weights[..., None]).sum(1) - origin()) * 1000


@pytest.mark.parametrize("protocol", [0, 2])
def test_a_static_embedding_of_68_is_taken_as_it_is(plain, tmp_path, protocol):
    content, data = flame_files.static_embedding(np.random.default_rng(0), 68, protocol)
    (tmp_path / "static_68.pkl").write_bytes(data)
    model = read_model(plain, landmarks=tmp_path / "static_68.pkl")
    got = model.landmarks["68"].points(model.identity.mean)
    np.testing.assert_allclose(got, points_of(content), atol=1e-3)
    assert (model.landmarks["68"].confidence[:17] < 1).all()
    assert (model.landmarks["68"].confidence[17:] == 1).all()


def test_51_points_are_the_inner_ones(plain, tmp_path):
    content, data = flame_files.static_embedding(np.random.default_rng(1), 51)
    (tmp_path / "static.pkl").write_bytes(data)
    embedding = read_model(plain, landmarks=[tmp_path / "static.pkl"]).landmarks["68"]
    assert (embedding.confidence[:17] == 0).all()
    got = embedding.points(read_model(plain).identity.mean)[17:]
    np.testing.assert_allclose(got, points_of(content), atol=1e-3)


def test_a_dynamic_embedding_gives_the_jaw_of_the_frontal_view(plain, tmp_path):
    rng = np.random.default_rng(2)
    content, data = flame_files.static_embedding(rng, 51)
    (tmp_path / "static.pkl").write_bytes(data)
    moving = flame_files.dynamic_embedding(rng)
    np.save(tmp_path / "dynamic.npy", np.array(moving, dtype=object))
    paths = (tmp_path / "dynamic.npy", tmp_path / "static.pkl")
    model = read_model(plain, landmarks=paths)
    got = model.landmarks["68"].points(model.identity.mean)
    np.testing.assert_allclose(got[:17], points_of(moving, 0), atol=1e-3)
    np.testing.assert_allclose(got[17:], points_of(content), atol=1e-3)


def test_the_combined_file_gives_all_68(plain, tmp_path):
    content = flame_files.deca_embedding(np.random.default_rng(3))
    np.save(tmp_path / "landmark_embedding.npy", np.array(content, dtype=object))
    model = read_model(plain, landmarks=tmp_path / "landmark_embedding.npy")
    whole = {
        "lmk_face_idx": content["full_lmk_faces_idx"][0],
        "lmk_b_coords": content["full_lmk_bary_coords"][0],
    }
    got = model.landmarks["68"].points(model.identity.mean)
    np.testing.assert_allclose(got, points_of(whole), atol=1e-3)


def sampled(image, uv, corners, faces):
    """Bilinear values at every corner of every face, averaged over each vertex's places."""
    height, width = image.shape[:2]
    where = np.stack([(1 - uv[:, 1]) * height - 0.5, uv[:, 0] * width - 0.5])
    at = np.stack(
        [map_coordinates(image[..., k], where, order=1, mode="nearest") for k in range(3)], -1
    )
    out = np.zeros((faces.max() + 1, 3))
    for vertex in range(len(out)):
        out[vertex] = at[np.unique(corners[faces == vertex])].mean(axis=0)
    return out[:, ::-1] / 255


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_texture_space_is_sampled_at_the_vertices(plain, tmp_path, order, save):
    given = flame_files.texture(np.random.default_rng(4), order)
    save(tmp_path / "FLAME_texture.npz", **given)
    model = read_model(plain, texture=tmp_path / "FLAME_texture.npz")
    faces = arrays()["f"].astype(np.int64)
    for k in range(-1, 4):
        image = given["mean"] if k < 0 else given["tex_dir"][..., k]
        got = model.reflectance.mean if k < 0 else model.reflectance.directions[k]
        wanted = sampled(image.astype(float), given["vt"], given["ft"], faces)
        np.testing.assert_allclose(got, wanted, atol=1e-6)
    np.testing.assert_allclose(model.uv, given["vt"], atol=1e-7)
    np.testing.assert_array_equal(model.uv_faces, given["ft"])


def written(tmp_path, **changes):
    content = {name: changes.get(name, value) for name, value in arrays().items()}
    (tmp_path / "changed.pkl").write_bytes(pickle.dumps(content, protocol=2))
    return tmp_path / "changed.pkl"


BODY = {
    "kintree_table": np.zeros((2, 24), np.int64),
    "weights": np.ones((114, 24)) / 24,
}


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (BODY, "has 24 joints, but FLAME has 5: it looks like a model of bodies or hands"),
        ({"weights": np.ones((114, 4))}, r"weights of .* must be finite .* \(114, 5\), got shape"),
        ({"weights": np.ones((114, 5))}, "weights of FLAME model .* do not sum to 1"),
        ({"v_template": np.full((114, 3), np.nan)}, "v_template of FLAME model .* must be finite"),
        ({"shapedirs": "none"}, "shapedirs of FLAME model .* is not an array of numbers"),
        ({"f": np.full((9, 3), 999)}, "f of FLAME model .* points beyond its vertices"),
        ({"kintree_table": np.full((2, 5), 4)}, "a joint's parent must come before it"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path, changes, message):
    with pytest.raises(ModelError, match=message):
        read_model(written(tmp_path, **changes))


@pytest.mark.refusal
def test_what_has_its_names_but_is_no_model_is_refused(tmp_path):
    (tmp_path / "list.pkl").write_bytes(pickle.dumps(list(arrays())))
    with pytest.raises(ModelError, match="a pickle, but not of a FLAME model's dictionary"):
        read_model(tmp_path / "list.pkl", expected="flame")
    content = {name: value for name, value in arrays().items() if name != "f"}
    (tmp_path / "faceless.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(ModelError, match=r"FLAME model .*faceless.pkl lacks f"):
        read_model(tmp_path / "faceless.pkl")


@pytest.mark.refusal
def test_files_of_another_mesh_are_refused(plain, tmp_path):
    rng = np.random.default_rng(5)
    content, _ = flame_files.static_embedding(rng, 51)
    for changes, message in (
        ({"lmk_face_idx": content["lmk_face_idx"] + 9999}, "landmarks on face .*, but the model"),
        ({"lmk_face_idx": content["lmk_face_idx"][:9]}, r"embedding of shape \(9,\), not 68 or"),
        ({"lmk_b_coords": content["lmk_b_coords"][:9]}, "has 51 landmarks, but weights"),
        ({"lmk_b_coords": content["lmk_b_coords"] * 2}, "whose weights do not sum to 1"),
        ({"lmk_face_idx": [[1], [1, 2]]}, "has landmarks in rows of different lengths"),
    ):
        (tmp_path / "bad.pkl").write_bytes(pickle.dumps({**content, **changes}))
        with pytest.raises(ModelError, match=message):
            read_model(plain, landmarks=tmp_path / "bad.pkl")
    (tmp_path / "other.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ModelError, match="is not a landmark embedding of FLAME: it lacks"):
        read_model(plain, landmarks=tmp_path / "other.pkl")
    (tmp_path / "jaw.pkl").write_bytes(pickle.dumps(flame_files.dynamic_embedding(rng)))
    with pytest.raises(ModelError, match="has a jaw line, but no inner landmarks"):
        read_model(plain, landmarks=tmp_path / "jaw.pkl")
    with pytest.raises(MissingFileError, match="there is no texture space at"):
        read_model(plain, texture=tmp_path / "none.npz")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ft": np.zeros((5, 3), int)}, "texture space .* is for 5 faces, not"),
        ({"mean": np.zeros((16, 20))}, r"mean of texture space .* must be a colour image"),
        ({"tex_dir": np.zeros((4, 4, 3, 2))}, r"tex_dir must have shape \(16, 20, 3, 'any'\), got"),
        ({"vt": np.zeros((3, 2))}, "ft of texture space .* points beyond vt"),
        ({"mean": np.full((16, 20, 3), np.nan)}, "numbers that are not finite, or too large"),
        ({"vt": np.array(["a"])}, "vt of a texture space must be numbers"),
    ],
)
def test_a_texture_space_that_does_not_fit_is_refused(plain, tmp_path, changes, message):
    np.savez(tmp_path / "t.npz", **{**flame_files.texture(np.random.default_rng(6)), **changes})
    with pytest.raises(ModelError, match=message):
        read_model(plain, texture=tmp_path / "t.npz")


@pytest.mark.refusal
def test_a_damaged_texture_space_is_refused(plain, tmp_path):
    np.savez(tmp_path / "albedo.npz", MU=np.zeros(3))
    with pytest.raises(ModelError, match="is not a texture space of FLAME: it lacks mean"):
        read_model(plain, texture=tmp_path / "albedo.npz")
    np.savez(tmp_path / "t.npz", **flame_files.texture(np.random.default_rng(7)))
    (tmp_path / "t.npz").write_bytes((tmp_path / "t.npz").read_bytes()[:9000])
    with pytest.raises(ModelError, match="texture space .* is damaged"):
        read_model(plain, texture=tmp_path / "t.npz")


def archive(path, given, directions=None):
    """FLAME as smplx reads it from an archive: plain arrays in single precision."""
    content = dict(given, J_regressor=given["J_regressor"].toarray())
    single = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in content.items()}
    single["shapedirs"] = single["shapedirs"][..., :directions]
    np.savez_compressed(path, bs_style="lbs", bs_type="lrotmin", **single)
    return path


def test_an_archive_is_the_same_model_as_a_pickle(plain, tmp_path):
    ours, other = read_model(archive(tmp_path / "flame.npz", arrays())), read_model(plain)
    shape, expression, turns = (torch.from_numpy(v).float() for v in coefficients(1))
    both = torch.cat([expression, turns.flatten()])
    moved = ours.vertices(shape, both), other.vertices(shape, both)
    torch.testing.assert_close(*moved, atol=1e-2, rtol=0)


def test_an_archive_may_hold_its_sparse_matrix_as_numpy_pickles_it(plain, tmp_path):
    np.savez(tmp_path / "flame.npz", **arrays())
    ours, other = read_model(tmp_path / "flame.npz"), read_model(plain)
    torch.testing.assert_close(ours.rig.joints.mean, other.rig.joints.mean)


@pytest.mark.refusal
def test_an_archive_with_another_object_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return eval, ("run",)

    for thing, words in ((Evil(), "asks for builtins.eval"), ({"a": 1}, "holds an object")):
        np.savez(tmp_path / "flame.npz", **(arrays() | {"J_regressor": np.array(thing, object)}))
        with pytest.raises(ModelError, match=words):
            read_model(tmp_path / "flame.npz")


@pytest.mark.refusal
def test_how_many_directions_are_identity_is_never_guessed_silently(tmp_path):
    path = archive(tmp_path / "cut.npz", arrays(), directions=150)
    words = r"identity= is not given, and cut.npz has 150 directions .*--identity-count 100"
    with pytest.warns(ModelWarning, match=words):
        model = load_model(path)
    assert (model.identity.rank, model.expression.rank) == (150, 6)
    told = load_model(path, identity=100)
    assert (told.identity.rank, told.expression.rank) == (100, 56)
    assert torch.equal(told.expression.directions[:50], model.identity.directions[100:])
    with pytest.raises(ModelError, match="identity must be from 0 to 150, all directions of"):
        load_model(path, identity=151)
