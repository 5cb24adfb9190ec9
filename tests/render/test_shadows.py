"""What a surface hides of the light from itself, against closed forms."""

import math

import pytest
import torch

from morphface.geometry.spherical_harmonics import sh_basis
from morphface.models import load_model
from morphface.render.shadows import blocked_light, reached, spread_directions


def rolled(shape: str, size: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    """A ball of 50 mm, or the half pipe of that radius that opens towards +z."""
    line = torch.linspace(0.02, 0.98, size) * math.pi
    long = torch.linspace(0, 2 * math.pi, size + 1)[:-1]
    if shape == "ball":
        a, b = torch.meshgrid(line, long, indexing="ij")
        points = torch.stack([a.sin() * b.cos(), a.cos(), a.sin() * b.sin()], dim=-1)
    else:
        a, b = torch.meshgrid(line, torch.linspace(-4, 4, size), indexing="ij")
        points = torch.stack([a.cos(), b, -a.sin()], dim=-1)
    corner = torch.arange(size * size).reshape(size, size)
    if shape == "ball":
        corner = torch.cat([corner, corner[:, :1]], dim=1)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    faces = torch.cat([torch.stack([a, b, c], -1), torch.stack([a, c, d], -1)]).reshape(-1, 3)
    return 50 * points.reshape(-1, 3), faces


def test_a_ball_hides_nothing_from_itself():
    vertices, faces = rolled("ball")
    assert blocked_light(vertices, faces).abs().max() < 0.06 * math.pi


def test_the_rim_of_a_pipe_sees_half_of_a_white_sky_and_its_bottom_all():
    vertices, faces = rolled("pipe")
    light = blocked_light(vertices, faces)[:, 0]
    white = sh_basis(torch.tensor([[0.0, 0.0, 1.0]]))[0, 0]
    middle = vertices[:, 1].abs() < 30
    rim = middle & (vertices[:, 2] > -5)
    hidden = -light[rim] / white / 0.7  # skin sends 0.3 of it on
    assert hidden.mean() == pytest.approx(0.5, abs=0.08)
    bottom = middle & (vertices[:, 0].abs() < 5)
    # light that grazes within a pixel of the picture that tells is taken for blocked
    assert light[bottom].abs().max() < 0.2 * white


def test_what_is_blocked_never_exceeds_what_there_is():
    model = load_model()
    light = blocked_light(model.identity.mean, model.faces)
    white = sh_basis(torch.tensor([[0.0, 0.0, 1.0]]))[0, 0]
    assert (light[:, 0] <= 0).all()
    assert (light[:, 0] >= -white).all()


def test_a_face_is_darker_in_its_sockets_and_under_its_chin():
    model = load_model()
    light = blocked_light(model.identity.mean, model.faces)[:, 0]
    open_, deep = (light[model.regions[name] > 0.8].mean() for name in ("cheeks", "eye_sockets"))
    assert deep < 3 * open_ < 0


def test_it_turns_with_the_head():
    """Light of band 1 along an axis, blocked for a head that is turned with the light."""
    vertices, faces = rolled("pipe", 24)
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    before = blocked_light(vertices, faces)
    after = blocked_light(vertices @ quarter.T, faces)
    assert torch.allclose(before[:, 0], after[:, 0], atol=0.4)
    assert (before[:, 0] - after[:, 0]).abs().mean() < 0.1
    # -y and -x are terms 1 and 3: what came along x comes along y now
    assert (before[:, 3] - after[:, 1]).abs().mean() < 0.1


def test_light_reaches_what_is_in_front():
    near = torch.tensor([[-5.0, -5, 10], [5, -5, 10], [0, 5, 10]])
    far = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [0, 1, 0]])
    aside = torch.tensor([[20.0, -1, 0], [22, -1, 0], [21, 1, 0]])
    faces = torch.arange(9).reshape(3, 3)
    seen = reached(torch.cat([near, far, aside]), faces, torch.tensor([0.0, 0.0, 1.0]))
    assert seen.tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("angle", [2 * math.pi, 4 * math.pi])
def test_directions_fill_their_part_of_the_sphere_evenly(angle):
    directions = spread_directions(400, angle)
    assert torch.allclose(directions.norm(dim=1), torch.ones(400), atol=1e-5)
    middle = torch.tensor([0.0, 0.0, 0.5 if angle < 7 else 0.0])
    assert torch.allclose(directions.mean(0), middle, atol=0.01)
    assert directions[:, 2].min() > (-0.01 if angle < 7 else -1.01)
