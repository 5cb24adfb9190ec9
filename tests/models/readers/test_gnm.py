"""GNM heads in the vendor's layout, beside an independent implementation of its formulas."""

import re

import numpy as np
import pytest
import torch

from morphface.core.errors import ModelError
from morphface.models import load_model, save_model
from morphface.models.readers import about, read_model
from tests.models.readers.gnm_files import BALLS, EXPRESSIONS, IDENTITIES, arrays, forward

HEADS = 7  # identities of head and eyes, those that are kept


def written(path, change=None):
    np.savez(path, **{**arrays(), **(change or {})})
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return written(tmp_path_factory.mktemp("gnm") / "gnm_head.npz")


def drawn(seed=0, teeth=False):
    rng = np.random.default_rng(seed)
    identity = rng.normal(size=len(IDENTITIES))
    identity[HEADS:] *= teeth
    return identity, rng.normal(size=len(EXPRESSIONS)), rng.normal(size=3) * 0.3


def eye_turn(yaw, pitch):
    """Of an eye about its joint: first about x, then about y."""
    from scipy.spatial.transform import Rotation

    return (Rotation.from_rotvec([0, yaw, 0]) * Rotation.from_rotvec([-pitch, 0, 0])).as_rotvec()


@pytest.mark.parametrize("teeth", [False, True])
def test_it_moves_as_the_formulas_of_its_authors_say(plain, teeth):
    model = read_model(plain, teeth=teeth, turns=True)
    identity, expression, turn = drawn(teeth=teeth)
    gaze = torch.tensor([[0.2, -0.1], [-0.15, 0.25]])
    pitch, yaw, roll = turn
    turns = np.zeros((4, 3))
    turns[1] = [-pitch, yaw, roll]
    turns[2], turns[3] = (eye_turn(*angles) for angles in gaze.tolist())
    wanted = forward(arrays(), identity, expression, turns)
    shape = torch.from_numpy(identity[: len(IDENTITIES) if teeth else HEADS])
    moved = model.vertices(shape, torch.from_numpy(np.concatenate([expression, turn])), gaze)
    origin = arrays()["template_joint_positions"][2:].mean(axis=0)
    np.testing.assert_allclose(moved.numpy(), (wanted - origin) * 1000, atol=2e-3)


def test_it_knows_what_the_file_says(plain):
    model = read_model(plain)
    assert model.name == "gnm"
    assert model.identity.rank == HEADS
    assert read_model(plain, teeth=True).identity.rank == len(IDENTITIES)
    assert model.expression.names == EXPRESSIONS
    turning = read_model(plain, turns=True).expression.names
    assert turning == (*EXPRESSIONS, "head_pitch", "head_yaw", "head_roll")
    assert torch.equal(model.mirror, torch.from_numpy(arrays()["mirror_indices"]))
    assert set(model.regions) == {"skin", "eyes", "upper_teeth_and_gums", "ears"}
    for eye, ball in zip(model.eyes, BALLS, strict=True):
        assert eye.vertices.tolist() == list(range(ball.start, ball.stop))
        assert eye.radius == pytest.approx(12.0, abs=0.01)
    assert about(plain)[0] == "a GNM head (.npz)"


def test_tongue_and_pupils_are_bounded_and_the_face_is_not(plain):
    model = read_model(plain)
    bounds = dict(zip(model.expression.names, model.expression.bounds.tolist(), strict=True))
    assert bounds["tongue_1"] == bounds["pupils_0"] == [-2.0, 2.0]
    assert bounds["lower_face_region_0"] == [-np.inf, np.inf]


def test_arrays_that_may_be_absent_may_be_absent(tmp_path):
    given = {k: v for k, v in arrays().items() if "regressor" not in k or k == "joint_regressor"}
    given.pop("bone_aligned_template_joint_orientations")
    given["identity_names"] = given["identity_names"].astype("S")
    np.savez_compressed(tmp_path / "gnm.npz", **given)
    model = read_model(tmp_path / "gnm.npz", turns=True)
    identity, expression, turn = drawn(1)
    turns = np.zeros((4, 3))
    turns[1] = turn * [-1, 1, 1]
    wanted = forward(given, identity, expression, turns)
    both = torch.from_numpy(np.concatenate([expression, turn]))
    moved = model.vertices(torch.from_numpy(identity[:HEADS]), both).numpy()
    origin = arrays()["template_joint_positions"][2:].mean(axis=0)
    np.testing.assert_allclose(moved, (wanted - origin) * 1000, atol=2e-3)


def test_a_head_that_does_not_turn_is_linear_but_for_its_eyes(plain):
    model = read_model(plain)
    identity, expression, _ = drawn(2)
    parts = torch.from_numpy(identity[:HEADS]).float(), torch.from_numpy(expression).float()
    straight = model.identity.instance(parts[0]) + model.expression.offset(parts[1])
    torch.testing.assert_close(model.vertices(*parts), straight, atol=2e-3, rtol=0)
    near = model.linearised(*parts)
    torch.testing.assert_close(near.vertices(*parts), straight, atol=2e-3, rtol=0)


@pytest.mark.parametrize("turns", [False, True])
def test_it_survives_our_own_format(plain, tmp_path, turns):
    model = read_model(plain, turns=turns)
    save_model(model, tmp_path / "gnm.safetensors")
    loaded = load_model(tmp_path / "gnm.safetensors")
    identity, expression = torch.randn(HEADS), torch.randn(len(EXPRESSIONS) + 3 * turns) * 0.3
    assert torch.equal(loaded.vertices(identity, expression), model.vertices(identity, expression))


DAMAGE = {
    "it is no GNM head of version 3: it has unknown surprise": {"surprise": np.zeros(1)},
    "it is a GNM of version '4.0', and 3 is read": {"version": np.array("4.0")},
    "its skinning_weights do not sum to 1": {"skinning_weights": arrays()["skinning_weights"] * 2},
    "its joints must be neck, head and two eyes, got a, b, c, d": {
        "joint_names": np.array(["a", "b", "c", "d"])
    },
    "its eyes lie behind its head": {
        "template_joint_positions": arrays()["template_joint_positions"] * [1, 1, -1]
    },
    "its expression_basis has numbers that are not finite": {
        "expression_basis": arrays()["expression_basis"] * np.nan
    },
    "its identity_names must be 10 names": {"identity_names": np.array(["head_0"])},
    "its mirror_indices index": {"mirror_indices": arrays()["mirror_indices"] + 1},
    "its vertex_identity_basis must be numbers of shape": {
        "vertex_identity_basis": np.zeros((10, 3, 3))
    },
}


@pytest.mark.refusal
@pytest.mark.parametrize("words", DAMAGE)
def test_a_damaged_file_is_refused(tmp_path, words):
    path = written(tmp_path / "gnm.npz", DAMAGE[words])
    with pytest.raises(ModelError, match=re.escape(words)):
        read_model(path)


@pytest.mark.refusal
def test_a_missing_array_is_named(tmp_path):
    given = {name: value for name, value in arrays().items() if name != "triangles"}
    np.savez(tmp_path / "gnm.npz", **given)
    with pytest.raises(ModelError, match="it is no GNM head of version 3: it lacks triangles"):
        read_model(tmp_path / "gnm.npz")
