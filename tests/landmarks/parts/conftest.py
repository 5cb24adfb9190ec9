import numpy as np
import pytest

from morphface.landmarks.parts import affinity_fields, confidence_maps, face_graph
from morphface.models import load_model
from morphface.synthetic.crowds import part_points

CELLS = (46, 62)
GRAPH = face_graph("face")


@pytest.fixture(scope="session")
def template():
    model = load_model()
    points = part_points(model).points(model.identity.mean)[list(GRAPH.points)]
    return points.double().numpy()


def perfect(points, visible, graph=GRAPH):
    """Maps and fields as a perfect network would say them."""
    known = np.asarray(points, float), np.asarray(visible, bool)
    return confidence_maps(*known, CELLS), affinity_fields(*known, graph, CELLS)


def whole(found, points, visible, near=5.0):
    """Whether there are as many faces as people, each with just what is seen of one."""
    names = set()
    for face in found.points:
        there = ~np.isnan(face[:, 0])
        same = (there == visible).all(-1)
        away = np.abs(np.nan_to_num(face) - points).max(-1)
        away = np.where(visible, away, 0).max(-1)
        names |= set(np.nonzero(same & (away < near))[0].tolist())
    return len(found) == len(points) == len(names)
