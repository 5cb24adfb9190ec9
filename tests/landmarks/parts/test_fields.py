import numpy as np

from morphface.landmarks.parts import FaceGraph, affinity_fields, confidence_maps

PAIR = FaceGraph("pair", ("a", "b"), (0, 1), ((0, 1),))


def test_a_map_is_one_on_its_part_and_falls_to_its_e_th():
    points = np.array([[[20.0, 12.0]]])
    maps = confidence_maps(points, np.array([[True]]), (4, 6))
    assert maps[0, 1, 2] == 1
    np.testing.assert_allclose(maps[0, 1, 3], np.exp(-1), rtol=1e-6)
    np.testing.assert_allclose(maps[0, 3, 2], np.exp(-4), rtol=1e-6)


def test_maps_of_many_are_the_largest_of_each():
    points = np.array([[[20.0, 12.0]], [[36.0, 12.0]]])
    seen = np.array([[True], [True]])
    both = confidence_maps(points, seen, (4, 6))
    apart = [confidence_maps(points[[k]], seen[[k]], (4, 6)) for k in range(2)]
    np.testing.assert_array_equal(both, np.maximum(*apart))


def test_hidden_parts_leave_nothing():
    points, hidden = np.full((1, 2, 2), 20.0), np.array([[False, True]])
    points[0, 1] += 16
    assert not confidence_maps(points, hidden, (8, 8))[0].any()
    assert not affinity_fields(points, hidden, PAIR, (8, 8)).any()


def test_a_field_is_the_direction_of_its_limb_and_nothing_beside_it():
    points = np.array([[[12.0, 12.0], [36.0, 44.0]]])
    field = affinity_fields(points, np.ones((1, 2), bool), PAIR, (8, 8))[0]
    on = np.linalg.norm(field, axis=0) > 0
    np.testing.assert_allclose(
        field[:, on], np.array([[0.6], [0.8]]).repeat(on.sum(), 1), rtol=1e-6
    )
    assert on[[1, 5], [1, 4]].all()
    assert not on[1, 5]


def test_fields_that_cross_are_averaged():
    across = np.array([[[4.0, 28.0], [60.0, 28.0]], [[28.0, 4.0], [28.0, 60.0]]])
    field = affinity_fields(across, np.ones((2, 2), bool), PAIR, (8, 8))[0]
    np.testing.assert_allclose(field[:, 3, 3], [0.5, 0.5])
    np.testing.assert_allclose(field[:, 3, 6], [1, 0])
