"""What is stretched between a head that turns and what stays."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from morphface.render.warp import centres
from morphface.rerender import Rerenderer
from morphface.rerender.body import SHOULDER, Body
from morphface.rerender.lookup import areas
from morphface.rerender.stretched import leave_out_stretched
from morphface.rerender.turned import Seen

HIGH, WIDE = 80, 100
THROAT = -90.0, -120.0  # heights in the model frame


@pytest.mark.parametrize(
    ("map", "area"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 1.0),
        ([[0.5, 0.2], [-0.3, 2.0]], 1.06),
        ([[-1.0, 0.0], [0.0, 1.0]], 0.0),  # a mirror
    ],
)
def test_the_area_that_pixels_show_is_the_determinant_of_where_they_look(map, area):
    place = centres(HIGH, WIDE, torch.zeros(1)) @ torch.tensor(map).T
    torch.testing.assert_close(areas(place), torch.full((HIGH, WIDE, 1), area), atol=1e-3, rtol=0)


@pytest.fixture
def front():
    """The left half shows the photo as it is, the right half four times as large, or eight."""
    place = centres(HIGH, WIDE, torch.zeros(1)).clone()
    place[:, WIDE // 2 :, 0] = WIDE // 2 + (place[:, WIDE // 2 :, 0] - WIDE // 2) / 4
    blank = torch.zeros(HIGH, WIDE, 1)
    both = torch.zeros(HIGH, WIDE, 2)
    return Seen(place, both, blank, blank, blank, None, torch.ones(HIGH, WIDE, 1))


def someone(hair):
    return SimpleNamespace(
        work=SimpleNamespace(size=100.0, scale=1.0),
        hair_or_ears=np.full((HIGH, WIDE, 1), hair, np.single),
    )


def test_skin_that_is_stretched_before_a_neck_is_left_out_and_nothing_else(front):
    behind = torch.zeros(HIGH, WIDE, 1)
    behind[HIGH // 2 :] = 1
    leave_out_stretched(front, behind, someone(hair=0))
    assert bool((front.cover[: HIGH // 2] == 1).all())  # no mesh is behind it
    low = front.cover[HIGH // 2 :]
    assert low[:, : WIDE // 2 - 5].min() == 1
    assert low[:, WIDE // 2 + 5 :].max() == 0


@pytest.mark.parametrize("hair", [0, 1])
def test_hair_that_is_stretched_and_what_has_no_mesh_behind_it_stay(front, hair):
    leave_out_stretched(front, torch.full_like(front.cover, hair), someone(hair))
    assert bool((front.cover == 1).all())


def test_a_shoulder_as_high_as_a_neck_stays_unless_it_is_under_hair(known):
    person = Rerenderer(known.faces[0], known.photo)._head.person
    everywhere = np.ones_like(person.matte)

    def shares(hair):
        labels = replace(person.labels, hair=hair * everywhere, clothes=0 * everywhere)
        vars(person).update(labels=labels, matte=everywhere)
        body = Body(person)
        aside, up, _ = body.to_model(body.front).unbind(-1)
        level = (up - 0.5 * sum(THROAT)).abs() < 20
        far = level & (aside.abs() > SHOULDER[1] + 20)
        middle = level & (aside.abs() < 0.5 * SHOULDER[0])
        return body.front_share[far], body.front_share[middle]

    (bare, neck), (haired, _) = shares(0.0), shares(1.0)
    assert min(len(bare), len(haired), len(neck)) > 50
    assert bare.max() < 0.01
    assert haired.mean() > 0.5
    assert neck.mean() > 0.8
