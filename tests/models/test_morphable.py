from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import ModelError
from morphface.models import gaze_rotation, load_model


def test_mean_face_is_what_zero_coefficients_give(toy):
    vertices = toy.vertices(torch.zeros(6), torch.zeros(4))
    torch.testing.assert_close(vertices, toy.identity.mean)


def test_one_identity_serves_many_frames_of_expression(toy, rng):
    identity = torch.randn(1, 6, generator=rng)
    expression = torch.rand(3, 4, generator=rng)
    together = toy.vertices(identity, expression)
    for frame in range(3):
        torch.testing.assert_close(together[frame], toy.vertices(identity[0], expression[frame]))


@pytest.mark.parametrize(
    ("yaw", "pitch", "sight"),
    [(0.0, 0.0, (0, 0, 1)), (torch.pi / 2, 0.0, (1, 0, 0)), (0.0, torch.pi / 2, (0, 1, 0))],
)
def test_positive_gaze_turns_to_the_subjects_left_and_up(yaw, pitch, sight):
    turned = gaze_rotation(torch.tensor([yaw, pitch])) @ torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(turned, torch.tensor(sight).float(), atol=1e-6, rtol=0)


def test_gaze_moves_nothing_but_the_eyeballs_and_keeps_them_round(rng):
    model = load_model()
    identity, still = torch.randn(80, generator=rng), torch.zeros(52)
    ahead = model.vertices(identity, still)
    turned = model.vertices(identity, still, torch.tensor([[0.4, 0.1], [-0.2, -0.3]]))
    moved = (turned - ahead).norm(dim=-1) > 1e-4
    for eye in model.eyes:
        centre = eye.centre(ahead)
        before, after = ((v[eye.vertices] - centre).norm(dim=-1) for v in (ahead, turned))
        torch.testing.assert_close(before, after)
        assert moved[eye.vertices].float().mean() > 0.9
        moved[eye.vertices] = False
    assert not moved.any()


def test_gaze_of_zero_is_the_same_as_none():
    model = load_model()
    zero = torch.zeros(2, 2)
    identity, still = torch.zeros(80), torch.zeros(52)
    torch.testing.assert_close(
        model.vertices(identity, still, zero), model.vertices(identity, still)
    )


def test_albedo_stays_a_colour(toy):
    albedo = toy.albedo(torch.tensor([50.0, -50.0, 50.0]))
    assert albedo.min() >= 0
    assert albedo.max() <= 1


def test_moving_a_model_moves_what_it_holds(toy):
    doubled = toy.map(lambda tensor: tensor * 2)
    torch.testing.assert_close(doubled.identity.mean, toy.identity.mean * 2)
    torch.testing.assert_close(
        doubled.landmarks["toy"].barycentric, toy.landmarks["toy"].barycentric * 2
    )


@pytest.mark.refusal
def test_a_shape_only_model_says_so(toy):
    with pytest.raises(ModelError, match="model 'toy' has no reflectance, only shape"):
        replace(toy, reflectance=None).albedo(torch.zeros(3))


@pytest.mark.refusal
def test_a_missing_embedding_says_how_to_get_one(toy):
    with pytest.raises(ModelError, match=r"no embedding of landmark scheme '68'.*embed\(model\)"):
        toy.landmark_embedding("68")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int64])
def test_coefficients_of_any_precision_give_the_same_face(toy, dtype):
    plain = (torch.tensor([[1.0, -1, 0]]), torch.tensor([[1.0, 0]]))
    given = [values.to(dtype) for values in plain]
    assert torch.equal(toy.vertices(*given), toy.vertices(*plain))
    assert torch.equal(toy.vertices(given[0], plain[1]), toy.vertices(*plain))
    assert torch.equal(toy.albedo(given[0]), toy.albedo(plain[0]))


def test_arrays_of_numpy_are_coefficients_too(toy):
    given = np.array([[1.0, -1, 0]]), np.array([[1.0, 0]])
    plain = [torch.from_numpy(values).float() for values in given]
    assert torch.equal(toy.vertices(*given), toy.vertices(*plain))
    assert torch.equal(toy.albedo(given[0]), toy.albedo(plain[0]))


def test_points_of_landmarks_have_the_precision_of_the_vertices(toy):
    vertices = toy.identity.mean.double()
    points = toy.landmarks["toy"].points(vertices)
    assert points.dtype == torch.float64
    torch.testing.assert_close(points.float(), toy.landmarks["toy"].points(toy.identity.mean))


def test_neutral_parameters_have_the_sizes_of_the_model_and_show_its_mean(toy):
    face = toy.neutral(frames=2)
    assert face.frames == 2
    assert face.identity.shape[1] == toy.identity.rank
    assert face.reflectance.shape[1] == toy.reflectance.rank
    shape = toy.vertices(face.identity, face.expression)[1]
    torch.testing.assert_close(shape, toy.vertices(torch.zeros(0), torch.zeros(0)))
