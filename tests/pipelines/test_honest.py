import pytest
import torch
from PIL import Image

from morphface.core.errors import ParameterError
from morphface.edit import edit
from morphface.pipelines.honest import check_turn, doubt, shown_share
from morphface.pipelines.marks import labelled, made_note, made_tags, write_made
from morphface.pipelines.transfer import Drawing


@pytest.mark.refusal
def test_a_side_that_the_photo_knows_nothing_of_is_refused_unless_forced(known):
    face = known.faces[0]
    away = edit(face.parameters, model=face.model, yaw=-110.0)
    with pytest.raises(ParameterError, match="turned by 12. degrees from its pose in the photo"):
        check_turn(face, away, force=False)
    check_turn(face, away, force=True)
    check_turn(face, edit(face.parameters, model=face.model, yaw=-60.0), force=False)


def test_what_was_mostly_guessed_is_said_in_one_sentence():
    sure = torch.ones(10, 20, 1)
    sure[:, :12] = 0.4
    corners = torch.tensor([[0.0, 0.0, 1.0], [19.0, 9.0, 1.0]])
    share = shown_share(sure, corners, (10, 20))
    assert share == pytest.approx(0.4)
    assert doubt([share]) == (
        "60 % of this head is not in the photo and was guessed: turn it less for a picture to be "
        "trusted"
    )
    assert doubt([0.8]) == ""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_made_picture_says_so_in_its_file(tmp_path, suffix):
    place = tmp_path / f"made{suffix}"
    note = made_note("some/face.jpg", shown=0.625)
    write_made(place, torch.full((40, 50, 3), 0.5), note, label=False)
    with Image.open(place) as picture:
        note = picture.getexif()[0x010E]
        assert "Synthesised from a photo, not recorded by a camera" in note
        assert note.endswith("source=face.jpg; shown_by_source=62%")
        if suffix == ".png":
            assert picture.text["Description"] == note
    assert made_tags("sample:astronaut")["comment"].endswith("source=sample:astronaut")


def test_a_label_is_in_a_corner_and_nowhere_else():
    grey = torch.full((100, 200, 3), 0.5)
    marked = labelled(grey)
    assert (marked[60:, 100:] != grey[60:, 100:]).any()
    assert torch.equal(marked[:60, :100], grey[:60, :100])


def test_frames_of_a_transfer_are_chosen_from_those_there_are():
    assert list(Drawing(start=2, end=5).frames(10)) == [2, 3, 4]
    assert list(Drawing(start=2, end=50).frames(4)) == [2, 3]


@pytest.mark.refusal
def test_what_cannot_be_drawn_of_a_transfer_is_refused():
    with pytest.raises(ParameterError, match="size must be at least 32 pixels, got 5"):
        Drawing(size=5)
    with pytest.raises(ParameterError, match="start must be 0 or more and end beyond it"):
        Drawing(start=4, end=4)
    with pytest.raises(ParameterError, match="start must be below the number of frames, 3"):
        Drawing(start=7).frames(3)
