"""Light that is turned, dimmed and made."""

import pytest
import torch
from torch.nn.functional import normalize

from morphface.edit import Light, lamp, light_direction
from morphface.geometry.spherical_harmonics import irradiance


@pytest.fixture
def normals(rng):
    return normalize(torch.randn(50, 3, generator=rng), dim=-1)


def toward(yaw, pitch):
    y, p = torch.tensor(yaw).deg2rad(), torch.tensor(pitch).deg2rad()
    return torch.stack([y.sin() * p.cos(), p.sin(), y.cos() * p.cos()])


def test_brightness_is_a_factor_of_what_reaches_every_surface(rng, normals):
    light = 0.2 * torch.randn(1, 9, 3, generator=rng)
    before, after = irradiance(light, normals), irradiance(Light(brightness=1.7)(light), normals)
    torch.testing.assert_close(after, 1.7 * before)


def test_without_contrast_light_is_the_same_everywhere(rng, normals):
    light = Light(contrast=0.0)(0.2 * torch.randn(1, 9, 3, generator=rng))
    shading = irradiance(light, normals)
    torch.testing.assert_close(shading, shading[:, :1].expand_as(shading))


def test_the_default_changes_nothing(rng):
    light = torch.randn(4, 9, 3, generator=rng)
    torch.testing.assert_close(Light()(light), light)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (70, 0), (-40, 30), (0, 80), (180, 0)])
def test_a_lamp_lights_most_what_faces_it(yaw, pitch, normals):
    light = lamp(float(yaw), float(pitch))
    want = toward(float(yaw), float(pitch))
    torch.testing.assert_close(light_direction(light), want, atol=1e-5, rtol=0)
    shading = irradiance(light, torch.cat([normals, want[None]]))[:, 0]
    assert shading.argmax() == len(normals)
    assert (shading > 0.2).all()


def test_a_lamp_gives_the_amounts_that_it_is_asked_for(normals):
    cosine = normals @ toward(30.0, 10.0)
    got = irradiance(lamp(30, 10, strength=0.8, ambient=0.3), normals)[:, 0]
    want = 0.3 + 0.8 * cosine.clamp(min=0)
    assert (got - want).abs().max() < 0.09 * 0.8  # what bands above the second hold


def test_positive_turn_moves_the_light_to_image_right_and_lift_raises_it():
    light = lamp(-20, 0)[None]
    torch.testing.assert_close(light_direction(Light(turn=50)(light))[0], toward(30.0, 0.0))
    raised = light_direction(Light(lift=25)(lamp(0, 0)[None]))[0]
    torch.testing.assert_close(raised, toward(0.0, 25.0))


@pytest.mark.parametrize("here", [(0, 0), (90, 0), (-120, 45)])
@pytest.mark.parametrize("there", [(0, 0), (60, 20), (180, 0)])
def test_light_comes_from_where_it_is_told_to(here, there):
    light = lamp(*here)[None]
    out = Light(direction=there)(light)
    torch.testing.assert_close(
        light_direction(out)[0], toward(*map(float, there)), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(out[:, 0], light[:, 0])


@pytest.mark.refusal
def test_a_light_from_everywhere_has_no_direction():
    with pytest.raises(ValueError, match=r"comes from all sides alike, .* lamp\(yaw, pitch\)"):
        Light(direction=(30, 0))(torch.zeros(1, 9, 3))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Light(brightness=-1), "brightness must be from 0 to 10, got -1"),
        (lambda: Light(contrast=11), "contrast must be from 0 to 10, got 11"),
        (lambda: Light(turn=float("nan")), "turn, lift and direction must be finite"),
        (lambda: lamp(0, 0, strength=-1), "a lamp needs finite angles, and amounts of light"),
    ],
)
def test_light_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
