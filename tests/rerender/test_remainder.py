"""What layers miss of a photo is given up as a head turns or moves, first of all single hairs."""

import pytest
import torch

from morphface.render.warp import centres
from morphface.rerender.mesh_layer import Drawn
from morphface.rerender.remainder import LEFT, Remainder
from morphface.rerender.turn import Turn
from morphface.rerender.turned import Turned


def moved(by):
    """A head that is so many millimetres aside."""
    return Turn(torch.zeros(3), torch.zeros(3), torch.tensor([by, 0.0, 0.0]))


@pytest.fixture
def missed():
    """A photo with a patch and a hair that the layers, which are grey, do not have."""
    photo = torch.full((40, 60, 3), 0.5)
    photo[5:15, 5:20] = 0.9
    photo[20:30, 10] = 0.1
    unturned = Turned(
        torch.full_like(photo, 0.5),
        torch.ones(40, 60, 1),
        centres(40, 60, photo),
        torch.zeros(40, 60, 1),
    )
    return Remainder.of(unturned, photo, None, torch.zeros(40, 60, 1)), unturned, photo


def test_a_head_that_is_where_it_was_gets_all_of_it(missed):
    remainder, turned, photo = missed
    remainder.add(turned, moved(0.0))
    torch.testing.assert_close(turned.frame, photo)


def test_single_hairs_do_not_stay_where_a_head_was_and_broad_things_do(missed):
    remainder, turned, photo = missed
    remainder.add(turned, moved(LEFT[1][1]))
    torch.testing.assert_close(turned.frame[5:15, 5:20], photo[5:15, 5:20])
    torch.testing.assert_close(turned.frame[20:30, 10], torch.full((10, 3), 0.5))


def test_of_a_head_that_is_elsewhere_nothing_is_left(missed):
    remainder, turned, _ = missed
    remainder.add(turned, moved(100.0))
    torch.testing.assert_close(turned.frame, torch.full_like(turned.frame, 0.5))


def test_what_is_behind_a_mesh_that_is_too_wide_stays_where_it_is():
    photo = torch.ones(40, 60, 3)  # a white wall, before which the person is grey
    own, cover = torch.zeros(40, 60, 1), torch.zeros(40, 60, 1)
    own[:, 20:50], cover[:, 12:50] = 1.0, 1.0
    photo = torch.lerp(photo, torch.full_like(photo, 0.5), own)
    drawn = torch.lerp(torch.ones_like(photo), torch.full_like(photo, 0.5), cover)
    photo[:4, 20:50] = 0.9  # what else is missing, and goes far
    place = centres(40, 60, photo)
    mesh = Drawn((0, 0), drawn, cover, torch.zeros_like(own), torch.ones_like(own), place)
    unturned = Turned(drawn.clone(), torch.ones_like(own), place, cover)
    remainder = Remainder.of(unturned, photo, mesh, own)
    remainder.add(unturned, moved(0.0))
    torch.testing.assert_close(unturned.frame, photo)
    away = Turned(drawn.roll(10, 1), unturned.trust, place - place.new_tensor([10.0, 0.0]), cover)
    remainder.add(away, moved(LEFT[1][1]))
    torch.testing.assert_close(away.frame[6:, 22:60], torch.full((34, 38, 3), 0.5))
