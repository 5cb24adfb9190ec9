import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.landmarks.parts.graph import POINTS, point_mirror
from morphface.models import load_model
from morphface.synthetic.crowds import load_heads, part_points, render_heads, save_heads


def test_points_lie_where_their_names_say():
    model = load_model()
    points = part_points(model).points(model.identity.mean)
    assert len(points) == POINTS
    mirrored = points[list(point_mirror())] * torch.tensor([-1.0, 1, 1])
    assert (mirrored - points).norm(dim=-1).median() < 1
    ear, temple, eye, chin = points[70], points[72], points[68], points[8]
    assert ear[0] < temple[0] < eye[0] < 0
    assert ear[2] < temple[2] < eye[2]
    assert chin[1] < ear[1] < temple[1]


def test_visible_points_are_on_the_person(few_heads):
    for picture, points, visible in zip(
        few_heads.pictures, few_heads.points, few_heads.visible, strict=True
    ):
        column, row = points[visible].long().clamp(0, 63).T
        assert (picture[row, column, 3] > 127).float().mean() > 0.9


def test_the_far_side_of_a_turned_head_is_hidden(few_heads):
    for yaw, visible in zip(few_heads.yaw, few_heads.visible, strict=True):
        if abs(yaw) > 0.8:  # a head turned to its left shows the right ear
            right, left = visible[70], visible[71]
            assert not (left if yaw > 0 else right)


def test_heads_follow_from_the_seed_and_come_back_from_a_file(few_heads, tmp_path):
    save_heads(tmp_path / "heads.safetensors", few_heads)
    again = load_heads(tmp_path / "heads.safetensors")
    assert torch.equal(again.pictures, few_heads.pictures)
    assert torch.equal(again.visible, few_heads.visible)


@pytest.mark.refusal
def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="heads must be 1 or more, of 32 pixels or more"):
        render_heads(0)
    with pytest.raises(MissingFileError, match="there are no rendered heads at"):
        load_heads(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="holds no rendered heads"):
        load_heads(tmp_path / "bad.safetensors")
