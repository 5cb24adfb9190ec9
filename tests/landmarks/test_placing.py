"""Which pixels the landmarks of a file are in."""

import pytest
import torch

from morphface.core.errors import LandmarkError, ParameterError
from morphface.landmarks.boxes import box_of
from morphface.landmarks.placing import placed, turned_back
from morphface.landmarks.points import Landmarks
from morphface.media.photo import UPRIGHT, Photo

SIZE = (60, 40)
FIVE = torch.tensor([[12.0, 20.0], [28.0, 20.0], [20.0, 30.0], [14.0, 40.0], [26.0, 40.0]])


def face(points=FIVE):
    return Landmarks(points, "5", torch.ones(5), box_of(points))


def stored(orientation):
    """The face where it is in the picture as stored, found by moving a picture of its points."""
    places = []
    for x, y in FIVE.tolist():
        pixels = torch.zeros(*SIZE, 3)
        pixels[int(y), int(x)] = 1
        row, column = Photo(pixels, orientation=orientation).stored().pixels[..., 0].nonzero()[0]
        places.append([float(column), float(row)])
    return face(torch.tensor(places) + 0.5)


SHOWN = face(FIVE + 0.5)


@pytest.mark.parametrize("turns", range(4))
def test_points_of_a_turned_picture_are_turned_back_as_the_picture_is(turns):
    pixels = torch.zeros(*SIZE, 3)
    pixels[20, 12] = 1
    turned = Photo(pixels).turned(turns)
    row, column = turned.pixels[..., 0].nonzero()[0].tolist()
    there = face(torch.tensor([[column, row]]).expand(5, 2) + 0.5)
    found = turned_back(there, turned.size, turned.turns)
    torch.testing.assert_close(found.points, torch.tensor([[12.5, 20.5]]).expand(5, 2))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_of_the_stored_picture_are_turned_as_the_picture_is(orientation):
    (found,) = placed([stored(orientation)], SIZE, UPRIGHT[orientation], "stored")
    torch.testing.assert_close(found.points, SHOWN.points)
    assert found.box == SHOWN.box


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_of_the_shown_picture_stay(orientation):
    (found,) = placed([SHOWN], SIZE, UPRIGHT[orientation])
    assert torch.equal(found.points, SHOWN.points)


@pytest.mark.refusal
@pytest.mark.parametrize("orientation", range(2, 9))
def test_faces_that_stand_upright_only_as_stored_are_refused(orientation):
    with pytest.raises(LandmarkError, match="say which is meant, landmarks_in='stored'"):
        placed([stored(orientation)], SIZE, UPRIGHT[orientation])
    assert placed([stored(orientation)], (99, 99), UPRIGHT[orientation], "shown")


@pytest.mark.refusal
def test_faces_outside_of_the_picture_are_refused():
    with pytest.raises(LandmarkError, match="lies outside of the picture of 40 x 60 pixels"):
        placed([face(FIVE * 3)], SIZE, UPRIGHT[1])
    assert placed([face(FIVE + torch.tensor([18.0, 0.0]))], SIZE, UPRIGHT[1])  # cut by the border
    with pytest.raises(ParameterError, match="landmarks_in must be shown or stored, got 'raw'"):
        placed([SHOWN], SIZE, UPRIGHT[1], "raw")
