import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from morphface.core.errors import LandmarkError
from morphface.landmarks.parts import GRAPHS, face_graph
from morphface.landmarks.parts.graph import POINTS, point_mirror


def components(limbs, among, size):
    kept = [limb for limb in limbs if set(limb) <= set(among)]
    rows, columns = np.array(kept).T
    table = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    return len(np.unique(connected_components(table, directed=False)[1][list(among)]))


@pytest.mark.parametrize("name", GRAPHS)
def test_all_parts_hang_together(name):
    graph = face_graph(name)
    assert components(graph.limbs, range(len(graph.parts)), len(graph.parts)) == 1


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_a_profile_shows_hangs_together_without_any_one_part(side):
    graph = face_graph("face")
    seen = [k for k, name in enumerate(graph.parts) if side in name or " " not in name]
    for lost in seen:
        left = [k for k in seen if k != lost]
        assert components(graph.limbs, left, len(graph.parts)) == 1, graph.parts[lost]


@pytest.mark.parametrize("name", GRAPHS)
def test_the_mirror_is_its_own_inverse_and_keeps_the_limbs(name):
    graph = face_graph(name)
    mirror = graph.mirror
    assert [mirror[k] for k in mirror] == list(range(len(mirror)))
    limbs = {frozenset(limb) for limb in graph.limbs}
    assert len(limbs) == len(graph.limbs)
    assert {frozenset(mirror[k] for k in limb) for limb in limbs} == limbs


def test_points_mirror_right_to_left():
    mirror = point_mirror()
    assert len(mirror) == POINTS
    assert (mirror[36], mirror[68], mirror[70], mirror[72]) == (45, 69, 71, 73)


@pytest.mark.refusal
def test_an_unknown_graph_is_named():
    with pytest.raises(LandmarkError, match="unknown graph of parts 'body'; there are face, 70"):
        face_graph("body")
