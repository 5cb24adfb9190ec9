import torch

from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters


def test_detached_parameters_stop_gradients():
    parameters = FaceParameters.neutral().map(lambda tensor: tensor.requires_grad_())
    assert parameters.identity.requires_grad
    assert not parameters.detach().identity.requires_grad


def test_mapping_reaches_every_tensor_and_nothing_else():
    camera = Camera.facing((20, 30)).map(lambda tensor: tensor * 2)
    assert camera.size == (20, 30)
    assert camera.principal.tolist() == [30, 20]


def test_moving_keeps_values(toy):
    torch.testing.assert_close(toy.to("cpu").identity.mean, toy.identity.mean)


def test_one_frame_of_many_keeps_the_person(rng):
    many = FaceParameters.neutral(frames=4)
    moved = many.map(lambda t: t + torch.randn(t.shape, generator=rng))
    assert moved[2].frames == 1
    torch.testing.assert_close(moved[2].rotation[0], moved.rotation[2])
    torch.testing.assert_close(moved[-1].rotation, moved.rotation[3:])
    torch.testing.assert_close(moved[1:3].identity, moved.identity)
