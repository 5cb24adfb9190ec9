from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from morphface.core.errors import ModelError, ShapeError
from morphface.geometry.mesh import loop_subdivision
from morphface.models import (
    MorphableModel,
    load_model,
    save_model,
    subdivide_model,
)
from tests.jointed import PARENTS, articulated


@pytest.fixture(scope="module")
def jointed():
    return articulated()


def drawn(model, seed=1, spread=0.4):
    rng = torch.Generator().manual_seed(seed)
    identity = torch.randn(model.identity.rank, generator=rng, dtype=torch.float64)
    expression = torch.randn(model.expression.rank, generator=rng, dtype=torch.float64) * spread
    return identity, expression


def skinned(model, identity, expression, gaze):
    """Linear blend skinning, one vertex and one joint after the other."""
    rig = model.rig
    linear, turns = expression[: rig.linear], expression[rig.linear :].reshape(-1, 3)
    rest = model.identity.mean + torch.einsum("k,kvc->vc", identity, model.identity.directions)
    rest = rest + torch.einsum("k,kvc->vc", linear, model.expression.directions[: rig.linear])
    places = rig.joints.mean + torch.einsum("k,kjc->jc", identity, rig.joints.directions)
    places = (places + torch.einsum("k,kjc->jc", linear, rig.moves)).numpy()
    local = [np.eye(3)] * 5
    for joint, (pitch, yaw, roll) in zip((1, 2), turns.tolist(), strict=True):
        local[joint] = Rotation.from_rotvec([-pitch, yaw, roll]).as_matrix()
    for joint, (yaw, pitch) in zip((3, 4), gaze.tolist(), strict=True):
        local[joint] = Rotation.from_euler("YX", [yaw, -pitch]).as_matrix()
    feature = np.concatenate([(matrix - np.eye(3)).ravel() for matrix in local[1:]])
    rest = rest.numpy() + np.einsum("p,pvc->vc", feature, rig.correctives.numpy())
    worlds = [np.block([[local[0], places[0][:, None]], [np.zeros(3), 1]])]
    for joint in range(1, 5):
        bone = (places[joint] - places[PARENTS[joint]])[:, None]
        worlds.append(worlds[PARENTS[joint]] @ np.block([[local[joint], bone], [np.zeros(3), 1]]))
    out = np.zeros_like(rest)
    for joint, world in enumerate(worlds):
        moved = (rest - places[joint]) @ world[:3, :3].T + world[:3, 3]
        out += rig.weights.numpy()[:, joint, None] * moved
    return out


def test_it_is_linear_blend_skinning(jointed):
    identity, expression = drawn(jointed)
    gaze = torch.tensor([[0.3, -0.2], [-0.1, 0.25]], dtype=torch.float64)
    expected = skinned(jointed, identity, expression, gaze)
    np.testing.assert_allclose(jointed.vertices(identity, expression, gaze), expected, atol=1e-10)


def test_at_rest_it_is_the_linear_model(jointed):
    identity, expression = drawn(jointed)
    expression[jointed.rig.linear :] = 0.0
    plain = jointed.identity.instance(identity) + jointed.expression.offset(expression)
    torch.testing.assert_close(jointed.vertices(identity, expression), plain)
    torch.testing.assert_close(jointed.vertices(identity, expression[:2]).shape, plain.shape)


def test_batches_are_faces_one_by_one(jointed):
    identity, expression = drawn(jointed)
    expressions = torch.stack([expression, -expression, 0 * expression])
    gaze = torch.tensor([[0.1, 0.2], [0.0, -0.3]], dtype=torch.float64)
    together = jointed.vertices(identity[None], expressions, gaze)
    for one, alone in zip(together, expressions, strict=True):
        torch.testing.assert_close(one, jointed.vertices(identity, alone, gaze))


def test_eyes_turn_as_those_of_a_model_without_joints(jointed):
    model = replace(jointed, rig=replace(jointed.rig, correctives=0 * jointed.rig.correctives))
    none = torch.zeros(0, dtype=torch.float64)
    gaze = torch.tensor([[0.4, 0.1], [-0.2, 0.3]], dtype=torch.float64)
    rest, turned = model.vertices(none, none), model.vertices(none, none, gaze)
    plain = model.linearised(none, none).vertices(none, none, gaze)
    torch.testing.assert_close(turned, plain, rtol=0, atol=1e-5)
    assert (turned - rest).norm(dim=-1)[:40].min() > 0.1


def jacobians(model, identity, expression, step=1e-5):
    """Central differences of the vertices by every coefficient."""
    both = torch.cat([identity, expression])
    count = len(identity)
    columns = []
    for k in range(len(both)):
        ends = []
        for sign in (1, -1):
            moved = both.clone()
            moved[k] += sign * step
            ends.append(model.vertices(moved[:count], moved[count:]))
        columns.append((ends[0] - ends[1]) / (2 * step))
    return torch.stack(columns[:count]), torch.stack(columns[count:])


@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_the_linearised_model_has_its_value_and_its_derivatives(jointed, spread):
    identity, expression = drawn(jointed, spread=spread)
    near = jointed.linearised(identity, expression)
    assert type(near) is MorphableModel
    exact = jointed.vertices(identity, expression)
    torch.testing.assert_close(near.vertices(identity, expression), exact, rtol=0, atol=1e-9)
    shapes, moves = jacobians(jointed, identity, expression)
    torch.testing.assert_close(near.identity.directions, shapes, rtol=0, atol=1e-6)
    torch.testing.assert_close(near.expression.directions, moves, rtol=0, atol=1e-6)


def test_the_linearised_model_turns_eyes_about_their_posed_centres(jointed):
    model = replace(jointed, rig=replace(jointed.rig, correctives=0 * jointed.rig.correctives))
    identity, expression = drawn(model)
    expression[model.rig.linear : model.rig.linear + 3] = 0.0
    gaze = torch.tensor([[0.3, -0.2], [0.1, 0.2]], dtype=torch.float64)
    near = model.linearised(identity, expression).vertices(identity, expression, gaze)
    torch.testing.assert_close(near, model.vertices(identity, expression, gaze))


def test_missing_coefficients_are_zero_in_the_linearised_model(jointed):
    short = jointed.linearised(torch.ones(2).double(), torch.ones(1).double())
    identity, expression = torch.zeros(5).double(), torch.zeros(10).double()
    identity[:2], expression[0] = 1.0, 1.0
    full = jointed.linearised(identity, expression)
    torch.testing.assert_close(short.identity.mean, full.identity.mean)


def test_a_linear_model_is_its_own_linearisation(toy):
    assert toy.linearised(torch.zeros(6), torch.zeros(4)) is toy


def test_gradients_reach_every_coefficient_at_rest(jointed):
    expression = torch.zeros(jointed.expression.rank, dtype=torch.float64, requires_grad=True)
    jointed.vertices(torch.zeros(5).double(), expression).square().sum().backward()
    assert expression.grad.isfinite().all()
    assert (expression.grad != 0).all()


def test_a_finer_model_turns_as_the_coarse_one(jointed):
    model = jointed.map(lambda t: t.float() if t.is_floating_point() else t)
    identity, expression = (values.float() for values in drawn(model, spread=0.2))
    finer = subdivide_model(model)
    _, weights = loop_subdivision(model.faces, model.size)
    coarse = weights.apply(model.vertices(identity, expression))
    moved = finer.vertices(identity, expression)
    assert (moved - coarse).norm(dim=-1).median() < 0.05 * (moved - finer.identity.mean).norm(
        dim=-1
    ).median()
    rest = finer.vertices(identity, expression[:4])
    torch.testing.assert_close(rest, weights.apply(model.vertices(identity, expression[:4])))


def test_some_vertices_move_as_within_the_whole(jointed):
    some = torch.cat([torch.arange(40), jointed.landmarks["toy"].triangles.flatten()]).unique()
    small = jointed.restricted(some)
    identity, expression = drawn(jointed)
    gaze = torch.tensor([[0.3, -0.2], [-0.1, 0.25]], dtype=torch.float64)
    whole = jointed.vertices(identity, expression, gaze)
    torch.testing.assert_close(small.vertices(identity, expression, gaze), whole[some])
    points = small.landmarks["toy"].points(small.vertices(identity, expression))
    wanted = jointed.landmarks["toy"].points(jointed.vertices(identity, expression))
    torch.testing.assert_close(points, wanted)
    near, exact = (m.linearised(identity, expression) for m in (small, jointed))
    torch.testing.assert_close(near.identity.mean, exact.identity.mean[some])
    torch.testing.assert_close(near.eyes[1].centre_offset, exact.eyes[1].centre_offset)
    assert jointed.restricted(some[30:]).eyes is None


def test_a_file_keeps_the_joints(jointed, tmp_path):
    model = jointed.map(lambda t: t.float() if t.is_floating_point() else t)
    save_model(model, tmp_path / "jointed.safetensors")
    loaded = load_model(tmp_path / "jointed.safetensors")
    identity, expression = (values.float() for values in drawn(model))
    gaze = torch.tensor([[0.1, 0.2], [-0.1, 0.0]])
    assert torch.equal(
        loaded.vertices(identity, expression, gaze), model.vertices(identity, expression, gaze)
    )


@pytest.mark.refusal
def test_what_does_not_fit_together_is_refused(jointed):
    with pytest.raises(ShapeError, match="has 11 entries, but the basis has rank 10"):
        jointed.vertices(torch.zeros(5), torch.zeros(11))
    with pytest.raises(ShapeError, match=r"identity must be the at most 5 coefficients of one"):
        jointed.linearised(torch.zeros(2, 5), torch.zeros(10))
    with pytest.raises(ModelError, match=r"parent must come before it, got parents \(-1, 3"):
        replace(jointed.rig, parents=(-1, 3, 1, 1, 1))
    with pytest.raises(ModelError, match=r"a rig of 5 joints cannot turn \(1, 7, 3, 4\)"):
        replace(jointed.rig, turned=(1, 7))
    with pytest.raises(ShapeError, match="expression must have rank 9, got 10"):
        replace(jointed, rig=replace(jointed.rig, moves=jointed.rig.moves[:3]))
