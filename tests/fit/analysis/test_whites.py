"""Whites of eyes and teeth, painted where landmarks say that they are."""

import numpy as np
import pytest
import torch

from morphface.fit.analysis.whites import hints_of
from morphface.landmarks import Landmarks
from morphface.landmarks.tables import INNER_LIPS, LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS

SKIN, WHITE, IRIS = (0.5, 0.35, 0.3), 0.6, (0.1, 0.1, 0.1)


def face(scheme="478"):
    """Landmarks of two eyes and a mouth as ellipses, and where their pixels are."""
    points = np.full((478, 2), 100.0)
    middles = {LEFT_EYE: (140, 80), RIGHT_EYE: (60, 80), INNER_LIPS: (100, 150)}
    for ring, middle in middles.items():
        angle = np.linspace(0, 2 * np.pi, len(ring), endpoint=False)
        points[list(ring)] = middle + np.stack([24 * np.cos(angle), 10 * np.sin(angle)], axis=1)
    for iris, ring in ((LEFT_IRIS, LEFT_EYE), (RIGHT_IRIS, RIGHT_EYE)):
        points[list(iris)] = middles[ring]
        points[list(iris)[1:]] += [[8, 0], [0, -8], [-8, 0], [0, 8]]
    marks = torch.from_numpy(points).float()
    return Landmarks(marks, scheme, torch.ones(len(marks)), (30.0, 50.0, 170.0, 190.0))


def picture(teeth=SKIN, around=SKIN):
    y, x = np.mgrid[:200, :200] + 0.5
    image = np.tile(np.array(SKIN), (200, 200, 1))
    image[:, :20] = image[:, 180:] = around
    for middle, colour in (((140, 80), WHITE), ((60, 80), WHITE), ((100, 150), teeth)):
        image[((x - middle[0]) / 24) ** 2 + ((y - middle[1]) / 10) ** 2 < 1] = colour
        if colour == WHITE:
            image[np.hypot(x - middle[0], y - middle[1]) < 8] = IRIS
    return image


def told(name, image):
    return hints_of(image, face(), (name,))


def test_twice_as_bright_whites_tell_of_twice_the_light():
    dim, bright = (told("sclera", picture() * factor)[0] for factor in (1.0, 1.5))
    assert bright.level - dim.level == pytest.approx(np.log(1.5), abs=1e-6)
    assert bright.spread == dim.spread


def test_the_iris_is_not_the_white_of_an_eye():
    image = picture()
    red = image.copy()
    red[(image == IRIS).all(-1)] = (0.9, 0.9, 0.9)
    assert told("sclera", red) == told("sclera", image)


def test_the_fewer_pixels_the_less_they_tell():
    small = face()
    small = Landmarks(small.points / 4, "478", small.confidence, (8.0, 12.0, 42.0, 48.0))
    image = np.ascontiguousarray(picture()[::4, ::4])
    assert hints_of(image, small, ("sclera",))[0].spread > told("sclera", picture())[0].spread


def test_lips_that_touch_are_no_teeth():
    assert told("teeth", picture(teeth=(0.6, 0.2, 0.2))) == ()
    assert len(told("teeth", picture(teeth=(0.6, 0.55, 0.5)))) == 1


def test_a_bright_wall_tells_of_light_and_night_of_no_less_than_a_dim_room():
    wide = face()
    wide = Landmarks(wide.points * 0.4 + 60, "478", wide.confidence, (70.0, 80.0, 130.0, 140.0))
    day, dusk, night = (
        hints_of(picture(around=(v, v, v)), wide, ("surroundings",))[0].level
        for v in (0.9, 0.05, 0.0)
    )
    assert day > dusk
    assert dusk >= night


def test_other_landmarks_tell_nothing():
    few = Landmarks(torch.zeros(68, 2), "68", torch.ones(68), (0.0, 0.0, 1.0, 1.0))
    assert hints_of(picture(), few, ("sclera", "teeth", "surroundings")) == ()


def test_what_is_much_darker_than_the_skin_is_no_white():
    """A mouth that is open shows its dark inside."""
    assert told("teeth", picture(teeth=(0.1, 0.09, 0.08))) == ()
