"""Known heads that are edited; nothing is detected or fitted."""

from dataclasses import replace

import pytest

from morphface.fit.fitted import FittedPhoto
from morphface.media.crop import Crop
from morphface.rerender.shrink import cropped
from morphface.ui.session import Session


@pytest.fixture
def session(known):
    """A session of its own for each test, all on one fit; the mesh is quickest to draw."""
    return quick(known)


@pytest.fixture(scope="package")
def far(known):
    """The same head, small in a photo with a grey wall around it."""
    room = cropped(known, Crop(-300.0, -200.0, 800.0, 800))
    ground = room.photo.pixels.clone()
    ground[(ground == 0).all(-1)] = 0.4
    return FittedPhoto(replace(room.photo, pixels=ground), room.faces)


@pytest.fixture
def far_session(far):
    """A session of a photo in which the head is small."""
    return quick(far)


def quick(found):
    made = Session.of(found)
    assert made.handle({"do": "view", "name": "mesh"}).error is None
    return made
