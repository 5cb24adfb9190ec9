"""What is told of arguments before anything heavy is imported."""

import pytest

from morphface.cli.early import is_many


@pytest.mark.parametrize(
    ("files", "many"),
    [
        (("a.jpg", "b.jpg"), True),
        ((), True),
        (("face.npz", "report.json"), False),
        (("face_0/face.npz", "face_1/face.npz"), False),
    ],
)
def test_a_folder_is_many_pictures_unless_it_is_that_of_a_fit(tmp_path, files, many):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert is_many([str(tmp_path)]) is many
    assert is_many([str(tmp_path), "c.jpg"])


def test_a_pattern_may_be_many_pictures_and_a_name_is_one(tmp_path):
    strange = tmp_path / "a[1].jpg"
    assert is_many([str(strange)])
    strange.touch()
    assert not is_many([str(strange)])
    assert not is_many(["sample:astronaut"])
