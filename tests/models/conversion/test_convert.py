"""Conversions between two meshings of one toy face, whose answer is known."""

from dataclasses import replace

import pytest
import roma
import torch

from morphface.core.errors import MissingFileError, ModelError
from morphface.geometry.camera import to_camera
from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import midpoint_subdivision
from morphface.models import ExpressionBasis, LandmarkEmbedding, LinearBasis, load_model
from morphface.models.conversion import arkit_weights, convert_parameters
from morphface.models.conversion.correspondence import (
    find_correspondence,
    read_correspondence,
    save_correspondence,
)
from morphface.parameters import FaceParameters
from tests.toy import toy_model

TURN = roma.rotvec_to_rotmat(torch.tensor([0.05, -0.08, 0.03]))
SHIFT = torch.tensor([3.0, -2.0, 4.0])


@pytest.fixture(scope="module")
def coarse():
    return toy_model(identity=4, expression=3, landmarks=120)


@pytest.fixture(scope="module")
def fine(coarse):
    """The same surfaces as another mesh: four times the faces, in another order."""
    faces, weights = midpoint_subdivision(coarse.faces, coarse.size)
    order = torch.randperm(coarse.size * 4 - 6, generator=torch.Generator().manual_seed(1))

    def finer_basis(basis):
        return LinearBasis(*(weights.apply(value)[..., order, :] for value in vars(basis).values()))

    moves = weights.apply(coarse.expression.directions)[:, order]
    finer = replace(
        coarse,
        identity=finer_basis(coarse.identity),
        expression=replace(coarse.expression, directions=moves),
        reflectance=finer_basis(coarse.reflectance),
        faces=order.argsort()[faces],
        landmarks={},
    )
    points = coarse.landmarks["toy"].points(coarse.identity.mean)
    face, barycentric = closest_on_mesh(points, finer.identity.mean, finer.faces)
    found = LandmarkEmbedding(finer.faces[face], barycentric, torch.ones(len(points)))
    return replace(finer, landmarks={"toy": found})


def moved(model):
    """The same faces in a frame of their own: `moved = model @ TURN.T + SHIFT`."""
    turned = {
        "identity": LinearBasis(
            model.identity.mean @ TURN.T + SHIFT, model.identity.directions @ TURN.T
        ),
        "expression": replace(model.expression, directions=model.expression.directions @ TURN.T),
    }
    return replace(model, **turned)


def face(frames=1, seed=0):
    rng = torch.Generator().manual_seed(seed)
    zero = FaceParameters.neutral(identity=4, expression=3, reflectance=3, frames=frames)
    return replace(
        zero,
        identity=torch.randn(1, 4, generator=rng),
        expression=torch.rand(frames, 3, generator=rng),
        reflectance=torch.randn(1, 3, generator=rng),
        rotation=0.3 * torch.randn(frames, 3, generator=rng),
        gaze=0.1 * torch.randn(frames, 2, 2, generator=rng),
        illumination=torch.randn(frames, 9, 3, generator=rng),
    )


@pytest.mark.parametrize("way", ["up", "down"])
def test_another_meshing_of_the_same_model_gives_the_same_parameters(coarse, fine, way):
    source, target = (coarse, fine) if way == "up" else (fine, coarse)
    wanted = face(frames=2)
    found = convert_parameters(wanted, source, target)
    torch.testing.assert_close(found.parameters.identity, wanted.identity, atol=0.12, rtol=0)
    torch.testing.assert_close(found.parameters.expression, wanted.expression, atol=0.06, rtol=0)
    assert found.error_mm.shape == (2,)
    assert found.error_mm.max() < 0.4


def test_the_same_model_gives_the_same_face(coarse):
    wanted = face()
    found = convert_parameters(wanted, coarse, coarse)
    torch.testing.assert_close(found.parameters.identity, wanted.identity, atol=0.05, rtol=0)
    torch.testing.assert_close(found.parameters.reflectance, wanted.reflectance, atol=0.05, rtol=0)
    assert found.error_mm.item() < 0.1


def test_the_pose_makes_up_for_another_frame(coarse, fine):
    wanted = face(frames=2)
    target = moved(fine)
    found = convert_parameters(wanted, coarse, target).parameters
    before = coarse.landmarks["toy"].points(coarse.vertices(wanted.identity, wanted.expression))
    after = target.landmarks["toy"].points(target.vertices(found.identity, found.expression))
    there = to_camera(before, wanted.rotation, wanted.translation)
    here = to_camera(after, found.rotation, found.translation)
    assert (there - here).norm(dim=-1).median() < 0.5


def test_light_and_gaze_are_carried_over(coarse, fine):
    wanted = face(frames=3)
    found = convert_parameters(wanted, coarse, fine).parameters
    assert torch.equal(found.illumination, wanted.illumination)
    assert torch.equal(found.gaze, wanted.gaze)


def test_without_expression_there_is_none_after(coarse, fine):
    wanted = replace(face(), expression=torch.zeros(1, 3))
    found = convert_parameters(wanted, coarse, fine).parameters
    assert found.expression.abs().max() < 1e-3


def test_weights_stay_within_their_bounds(coarse, fine):
    wild = replace(face(), expression=torch.tensor([[3.0, -2.0, 0.5]]))
    found = convert_parameters(wild, coarse, fine).parameters.expression
    assert ((found >= 0) & (found <= 1)).all()
    assert found[0, 0] == 1
    assert found[0, 1] == 0


def test_a_model_without_reflectance_gets_none(coarse, fine):
    assert convert_parameters(
        face(), coarse, replace(fine, reflectance=None)
    ).parameters.reflectance.shape == (1, 0)
    bare = convert_parameters(face(), replace(coarse, reflectance=None), fine)
    assert not bare.parameters.reflectance.any()


def test_the_error_is_what_the_target_cannot_show(coarse, fine):
    stiff = replace(fine, identity=replace(fine.identity, directions=fine.identity.directions[:1]))
    wanted = face()
    assert convert_parameters(wanted, coarse, stiff).error_mm > (
        4 * convert_parameters(wanted, coarse, fine).error_mm
    )


def test_corresponding_points_are_the_same_points(coarse, fine):
    link = find_correspondence(fine, coarse)
    away = link.points(fine.identity.mean) - coarse.identity.mean[link.vertices]
    normal = torch.nn.functional.normalize(coarse.identity.mean[link.vertices], dim=-1)
    assert (away * normal).sum(-1).abs().median() < 0.5
    assert away[link.trust == 1].norm(dim=-1).median() < 1.5
    assert find_correspondence(fine, coarse) is link


def test_a_correspondence_is_stored_and_used_again(coarse, fine, tmp_path):
    link = find_correspondence(coarse, fine)
    save_correspondence(link, tmp_path / "link.safetensors")
    again = read_correspondence(tmp_path / "link.safetensors")
    found = [
        convert_parameters(face(), coarse, fine, correspondence=c).parameters for c in (link, again)
    ]
    assert torch.equal(found[0].identity, found[1].identity)


def test_arkit_weights_of_the_open_head_are_its_own():
    parameters = replace(
        FaceParameters.neutral(frames=2, expression=3), expression=torch.rand(2, 3)
    )
    found = arkit_weights(parameters, load_model())
    names = load_model().expression.names
    assert tuple(found) == names
    assert torch.equal(found[names[2]], parameters.expression[:, 2])
    assert not found[names[3]].any()


@pytest.mark.slow
def test_arkit_weights_of_another_model_are_those_of_its_open_head():
    """The open head with its expressions mixed, so that none has a name of ARKit."""
    head = load_model()
    names = [head.expression.names.index(n) for n in ("jawOpen", "mouthSmileLeft", "browInnerUp")]
    basis = ExpressionBasis(
        head.expression.directions[names], ("a", "b", "c"), torch.tensor([[0.0, 1.0]]).repeat(3, 1)
    )
    other = replace(head, expression=basis)
    weights = torch.tensor([[0.8, 0.0, 0.0], [0.0, 0.6, 0.9]])
    parameters = replace(FaceParameters.neutral(frames=2, expression=3), expression=weights)
    found = arkit_weights(parameters, other)
    got = torch.stack([found[n] for n in ("jawOpen", "mouthSmileLeft", "browInnerUp")], dim=-1)
    torch.testing.assert_close(got, weights, atol=0.15, rtol=0)


@pytest.mark.refusal
def test_models_without_common_landmarks_are_refused(coarse, fine):
    with pytest.raises(ModelError, match="'toy' and 'toy' have no landmarks in common; compute"):
        convert_parameters(face(), coarse, replace(fine, landmarks={}))


@pytest.mark.refusal
def test_landmarks_in_one_spot_are_refused(coarse, fine):
    one = coarse.faces[:1].expand(9, 3)
    spot = LandmarkEmbedding(one, torch.full((9, 3), 1 / 3), torch.ones(9))
    bad = replace(coarse, landmarks={"toy": spot})
    with pytest.raises(ModelError, match="landmarks 'toy' of model 'toy' have no extent"):
        convert_parameters(face(), bad, bad)


@pytest.mark.refusal
def test_a_correspondence_of_other_models_is_refused(coarse, fine):
    with pytest.raises(ModelError, match="but it was found for other models"):
        convert_parameters(face(), coarse, fine, correspondence=find_correspondence(fine, coarse))


@pytest.mark.refusal
def test_a_file_that_is_no_correspondence_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"no correspondence at all")
    with pytest.raises(ModelError, match="is not a morphface-correspondence file"):
        read_correspondence(tmp_path / "a")
    with pytest.raises(MissingFileError, match="there is no correspondence file at"):
        read_correspondence(tmp_path / "b")
