"""The open head's eyes, lids and teeth: of human size, in their place, and without holes."""

import pytest
import torch

from morphface.geometry.camera import Camera, to_camera
from morphface.models import load_model
from morphface.render import rasterize

BALL = 12.0  # mm


@pytest.fixture(scope="module")
def head():
    return load_model()


def moved(head, identity=None, **weights):
    expression = torch.zeros(52)
    for name, value in weights.items():
        for whole in (name, f"{name}Left", f"{name}Right"):
            if whole in head.expression.names:
                expression[head.expression.names.index(whole)] = value
    return head.vertices(torch.zeros(80) if identity is None else identity, expression)


def seen_from_before(head, vertices, region, place, width=50.0, size=200):
    """How many square millimetres of a region are seen, around a place of the face."""
    away = torch.tensor([0.0, 0.0, -600.0]) - place
    camera = Camera.facing((size, size), focal=size * 600 / width)
    screen = camera.project(to_camera(vertices, torch.zeros(3), away))
    face = rasterize(screen[None], head.faces, (size, size)).face[0]
    of_region = (head.regions[region][head.faces] > 0.5).all(1)
    return float((of_region[face.clamp(min=0)] & (face >= 0)).sum()) * (width / size) ** 2


def eye_seen(head, vertices, region="eyeballs"):
    return seen_from_before(head, vertices, region, head.eyes[0].centre(head.identity.mean))


def teeth_seen(head, vertices):
    lips = head.identity.mean[head.regions["lips"] > 0.5].mean(0)
    return seen_from_before(head, vertices, "teeth", lips, width=80.0)


def test_eyeballs_and_irises_have_the_size_of_human_ones(head):
    for eye in head.eyes:
        out = head.identity.mean[eye.vertices] - eye.centre(head.identity.mean)
        wanted = torch.full((len(out),), BALL)
        torch.testing.assert_close(out.norm(dim=-1), wanted, atol=1e-3, rtol=0)
        assert eye.radius == pytest.approx(BALL, abs=1e-3)
        iris = out[head.regions["iris"][eye.vertices] > 0.5][:, :2].norm(dim=-1).max()
        assert float(iris) == pytest.approx(eye.iris_radius, abs=0.4)
        assert eye.iris_radius == pytest.approx(5.9, abs=1e-3)


def test_identity_neither_turns_nor_bends_a_resting_eye(head):
    for eye in head.eyes:
        moves = head.identity.directions[:, eye.vertices]
        assert (moves - moves[:, :1]).abs().max() < 1e-3


def test_a_blink_closes_at_1_and_not_before(head):
    rest = eye_seen(head, moved(head))
    shares = [eye_seen(head, moved(head, eyeBlink=w)) / rest for w in (0.25, 0.5, 0.75, 1.0)]
    assert shares == sorted(shares, reverse=True)
    assert 0.3 < shares[1] < 0.65
    assert shares[2] > 0.05
    assert shares[3] == 0


def test_eyes_of_others_close_too(head, rng):
    rest, left = 0.0, 0.0
    for identity in torch.randn(12, 80, generator=rng):
        rest += eye_seen(head, moved(head, identity))
        left += eye_seen(head, moved(head, identity, eyeBlink=1.0))
    assert left < 0.01 * rest


@pytest.mark.parametrize("name", ["", "eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown"])
def test_no_eyeball_comes_through_a_lid(head, name, rng):
    """Lids' skin, away from its margin, is before the ball, in whomever and on the way, too."""
    skin = (head.regions["eyelids"] > 0.3) & (head.regions["lashes"] < 0.1)
    skin &= (head.regions["eye_sockets"] < 0.1) & (head.identity.mean[:, 2] > 0)
    people = [torch.zeros(80), *torch.randn(6, 80, generator=rng)]
    for identity in people:
        neutral = head.identity.instance(identity)
        for weight in (0.5, 1.0):
            face = moved(head, identity, **({name: weight} if name else {}))
            away = [(face[skin] - eye.centre(neutral)).norm(dim=-1) for eye in head.eyes]
            assert torch.minimum(*away).min() > BALL - 0.5


def test_wide_eyes_show_more_and_squinting_ones_less(head):
    rest = eye_seen(head, moved(head))
    assert eye_seen(head, moved(head, eyeWide=1.0)) > 1.3 * rest
    assert 0.4 * rest < eye_seen(head, moved(head, eyeSquint=1.0)) < 0.85 * rest


def test_teeth_are_behind_closed_lips_and_show_when_these_part(head):
    assert teeth_seen(head, moved(head)) == 0
    shown = [teeth_seen(head, moved(head, jawOpen=w)) for w in (0.2, 0.4)]
    assert min(shown) > 20  # square millimetres


def test_upper_teeth_stand_just_behind_the_upper_lip(head):
    mean, jaw = head.identity.mean, head.expression.names.index("jawOpen")
    still = head.expression.directions[jaw].norm(dim=-1) < 1
    edge = mean[still & (head.regions["teeth"] > 0.5) & (mean[:, 0].abs() < 5)]
    lip = mean[(head.regions["lips"] > 0.5) & (mean[:, 0].abs() < 5)]
    assert 4 < lip[:, 2].max() - edge[:, 2].max() < 15


def test_the_face_takes_three_fifths_of_the_texture(head):
    a, b, c = head.uv[head.uv_faces].unbind(1)
    u, v = b - a, c - a
    area = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).abs() / 2
    face = (head.regions["face"][head.faces] > 0.25).all(1)
    assert float(area[face].sum()) > 0.6
