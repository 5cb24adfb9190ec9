import numpy as np

from morphface.models.readers import basel


def test_275_vertices_are_left_out_and_the_others_keep_their_order():
    kept = basel.kept_vertices()
    assert len(kept) == basel.TRIMMED == basel.FULL - 275
    assert (np.diff(kept) > 0).all()


def test_faces_keep_the_vertices_that_they_had():
    whole = np.arange(basel.FULL).reshape(-1, 3)
    faces = basel.trimmed_faces(whole)
    kept = basel.kept_vertices()
    inside = np.isin(whole, kept).all(1)
    np.testing.assert_array_equal(kept[faces], whole[inside])


def test_the_68_landmarks_are_different_vertices_of_the_trimmed_model():
    assert len(set(basel.LANDMARKS)) == 68
    assert max(basel.LANDMARKS) < basel.TRIMMED
