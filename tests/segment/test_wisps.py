"""Single hairs beside a head: thin, of its hair's colour, and beginning at it."""

import numpy as np
import pytest

from morphface.segment.wisps import wisps

DARK, LIGHT, WALL = 0.1, 0.95, 0.6


@pytest.fixture
def head():
    """A disk of dark hair before a wall, and where it is."""
    y, x = np.mgrid[:200, :200]
    person = np.hypot(x - 100, y - 110) < 60
    pixels = np.where(person[..., None], np.float32(DARK), np.float32(WALL)) * np.ones(3)
    return np.float32(pixels), person


def line(pixels, rows, columns, colour):
    found = pixels.copy()
    found[rows, columns] = colour
    return found


def found(head, pixels):
    return wisps(pixels, head[1], np.float32(head[1]), 120.0)


def test_a_hair_that_stands_off_is_found_and_nothing_else(head):
    rows, columns = slice(39, 51), slice(100, 101)
    mask = found(head, line(head[0], rows, columns, DARK))
    assert mask[40:50, 100].all()
    mask[36:52, 97:104] = False
    assert not mask.any()


@pytest.mark.parametrize(
    ("rows", "columns", "colour"),
    [
        (slice(39, 51), slice(100, 101), LIGHT),  # of another colour
        (slice(39, 51), slice(95, 106), DARK),  # thick
        (slice(34, 40), slice(100, 101), DARK),  # not beginning at the head
    ],
)
def test_what_is_no_hair_is_left(head, rows, columns, colour):
    assert not found(head, line(head[0], rows, columns, colour)).any()


def test_lines_as_there_are_many_behind_are_left(head):
    pixels = head[0].copy()
    pixels[:, ::8][~head[1][:, ::8]] = DARK
    assert not found(head, pixels).any()
