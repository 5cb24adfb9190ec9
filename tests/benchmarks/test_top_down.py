"""Whom of a crowd boxes show, and how sure they are."""

import numpy as np
import pytest

from benchmarks.top_down import hits_of_boxes
from morphface.pipelines.parts.validation import COUNTED
from morphface.synthetic.crowds import Crowd

PARTS = COUNTED + 2


def crowd(*middles, seen=PARTS):
    """People whose parts lie around given middles; of the last so many are seen."""
    points = np.array(middles, float)[:, None] + np.linspace(-4, 4, PARTS)[None, :, None]
    visible = np.ones(points.shape[:2], bool)
    visible[-1, seen:] = False
    height = np.full(len(points), 20.0)
    return Crowd(np.zeros((64, 200, 3), np.uint8), points, visible, np.zeros(len(points)), height)


def box(x, y=30.0, half=10.0):
    return (x - half, y - half, x + half, y + half)


ROWS = range(PARTS)


def test_boxes_are_of_the_nearest_person_in_them_and_of_each_once():
    both = crowd((30, 30), (36, 30))
    found = hits_of_boxes([(box(35), 0.9), (box(33), 0.8), (box(32), 0.7)], both, ROWS)
    assert found.people == 2
    assert found.right == (0.9, 0.8)
    assert found.wrong == (0.7,)
    assert found.recall == pytest.approx(1.0)


def test_recall_at_no_wrong_face_counts_those_above_the_surest_of_these():
    three = crowd((30, 30), (90, 30), (150, 30))
    faces = [(box(30), 0.9), (box(90), 0.6), (box(150), 0.8), (box(60), 0.7)]
    found = hits_of_boxes(faces, three, ROWS)
    assert found.wrong == (0.7,)
    assert found.surest_recall == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(1.0)


def test_who_is_hardly_seen_or_not_meant_counts_neither_way():
    two = crowd((30, 30), (90, 30), seen=COUNTED - 1)
    faces = [(box(30), 0.9), (box(90), 0.6)]
    found = hits_of_boxes(faces, two, ROWS)
    assert (found.people, found.right, found.wrong) == (1, (0.9,), ())
    nobody = hits_of_boxes(faces, two, ROWS, np.array([False, True]))
    assert (nobody.people, nobody.right, nobody.wrong) == (0, (), ())
