"""What a photo shows of a person: their ears, their beard, and how what hangs from them turns."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from morphface.rerender import Rerenderer
from morphface.rerender.body import LONG, STILL
from morphface.rerender.ears import bare_ears
from morphface.rerender.looks import Look
from morphface.rerender.mesh_skin import MeshSkin
from morphface.rerender.person import LOWER, Person
from morphface.rerender.skin_light import LIT


@pytest.fixture(scope="module")
def stage(known):
    return Rerenderer(known.faces[0], known.photo)


@pytest.mark.parametrize(
    ("right", "left", "shown"),
    [
        ((1, 1), (1, 1), (1, 1)),
        ((1, 1), (1, 0.5), (1, 1)),  # both together are bare enough
        ((1, 1), (0, 0), (1, 1)),  # behind a cheek
        ((1, 1), (1, 0), (1, 0)),
        ((1, 0), (0, 0), (0, 0)),
        ((1, 0.6), (1, 0.7), (0, 0)),
        ((0, 0), (0, 0), (0, 0)),
    ],
)
def test_ears_are_told_by_what_shows_the_person(stage, right, left, shown):
    """Of each ear, how far its place shows the person, and how far that is skin."""
    model = stage.face.model
    side = model.identity.mean[:, 0] > 0

    def on_mesh(values):
        halves = (values[~side].amax(0), values[side].amax(0))
        return torch.stack(halves)[:, None].expand(-1, 20, -1).numpy()

    matte, skin = (np.array([right[k], left[k]], np.single)[:, None].repeat(20, 1) for k in (0, 1))
    labels = SimpleNamespace(skin=skin)
    person = SimpleNamespace(face=stage.face, matte=matte, labels=labels, on_mesh=on_mesh)
    ears = model.regions["ears"]
    expected = ears * torch.where(side, float(shown[1]), float(shown[0]))
    torch.testing.assert_close(bare_ears(person), expected)


@pytest.mark.parametrize(("darker", "bearded"), [(1.0, False), (0.6, True)])
def test_a_chin_darker_than_the_cheeks_has_a_beard_that_reaches_the_temples(stage, darker, bearded):
    face, model = stage.face, stage.face.model
    albedo = torch.full((model.size, 3), 0.5)
    albedo[model.regions["beard"] > 0.5] *= darker
    seen = SimpleNamespace(
        albedo=albedo, cameras=(face.camera,), parameters=face.parameters, gain=torch.ones(1, 3)
    )
    person = Person(replace(face, pixels=seen), stage.photo)
    low = (model.regions["face"] > 0.99) & (model.identity.mean[:, 1] < LOWER[1])
    beside = low & (model.regions["beard"] < 0.01)
    assert beside.sum() > 20
    assert bool((person.beard[beside] > 0.5).all()) is bearded
    assert person.beard[model.identity.mean[:, 1] > LOWER[0]].max() < 0.01


def test_hair_on_shoulders_turns_ever_less_over_a_long_way(stage):
    body = replace(stage._layers.body)
    short = body.front_share
    vars(body).pop("front_share")
    vars(body)["_hair_beside_skin"] = torch.ones_like(short)
    long = body.front_share
    assert bool((long <= short + 1e-6).all())
    step = body.step * body.pixel
    low = (body.to_model(body.front)[..., 1] < -80) & (body.within > 0)
    assert ((short - long)[low] > 0.2).sum() > 5
    both = low[1:] & low[:-1]
    slopes = [(each.diff(dim=0).abs() / step)[both] for each in (long, short)]
    steep, steeper = (torch.quantile(each, 0.95) for each in slopes)
    bound = 1.6 / LONG + STILL / step  # the largest slope of a smooth step is 1.5
    assert steep < bound < 0.7 * steeper


def test_light_on_what_is_not_seen_is_within_that_on_what_is(stage):
    before = stage._head
    light = torch.zeros_like(before.look.light)
    light[0], light[2] = 0.2, 0.5  # from the front: what turns away is dark
    skin = MeshSkin(replace(before, look=Look(before.look.vertices, light)))
    outside = before.mouth[:, 0] == 0
    known = skin.head.look.shades(stage.face.model.faces)
    low, high = (torch.quantile(known[skin.weight > 0.5], end, dim=0) for end in LIT)
    torch.testing.assert_close(skin._light[outside].amax(0), high, rtol=0.02, atol=1e-3)
    torch.testing.assert_close(skin._light[outside].amin(0), low, rtol=0.02, atol=1e-3)


def test_a_throat_goes_on_as_it_is_seen_and_the_face_does_without_it(stage):
    first = MeshSkin(stage._head)
    throat, blank = first._throat, torch.zeros(stage.face.model.size)
    known = torch.maximum(first.weight, (throat > 0.9).float() * first.head.visible)

    def corrected(darker):
        skin = MeshSkin(stage._head)
        off = first._difference - darker * (throat > 0.5)[:, None]
        vars(skin).update(_difference=off, weight=known, other=blank, strange=blank)
        return skin._correction.mean(-1)

    change = corrected(0.4) - corrected(0.0)
    assert float(change[throat > 0.95].mean()) < -0.25
    assert float(change[throat == 0].abs().quantile(0.95)) < 0.02
