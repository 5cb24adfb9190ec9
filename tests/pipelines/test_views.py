import importlib
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.core.errors import OutputError, ParameterError
from morphface.edit.light import Light
from morphface.media.decode import decode_samples
from morphface.media.images import Photo, read_image, write_image
from morphface.media.video import read_video
from morphface.pipelines import fit_photo
from morphface.pipelines.orbit import orbit_photo
from morphface.pipelines.views import edit_photo, view_photo
from morphface.rerender.backdrops import filling
from tests.data import needs_detector, shared

MODULE = importlib.import_module("morphface.pipelines.stage")


@pytest.fixture
def faked(known, monkeypatch):
    """Without a detector: the photo of a known head, turned by 90 degrees in its file."""
    asked = []

    def fit(image, **wishes):
        asked.append(wishes)
        return replace(known, photo=replace(known.photo, turns=1))

    monkeypatch.setattr(MODULE, "fit_photo", fit)
    return asked


def test_no_changes_write_the_photo_as_it_lay_in_its_file(faked, known, tmp_path):
    place = edit_photo("x.jpg", tmp_path / "out.png")
    wanted = known.photo.to_uint8().rot90(-1)
    assert torch.equal((read_image(place).pixels * 255).round().to(torch.uint8), wanted)


def test_an_edit_keeps_the_samples_that_it_does_not_touch(known, monkeypatch, tmp_path):
    cv2 = pytest.importorskip("cv2")
    deep = np.random.default_rng(0).integers(0, 65535, (240, 320, 4), np.uint16)
    deep[..., :3] = (known.photo.pixels * 65535).round().numpy()
    deep[..., 3] = 65535
    deep[:20, :, 3] //= 2  # a corner of the wall is half transparent
    decoded = decode_samples(deep)
    photo = Photo(torch.from_numpy(decoded.values), original=decoded.original)
    monkeypatch.setattr(MODULE, "fit_photo", lambda *_, **__: replace(known, photo=photo))
    place = edit_photo("x.png", tmp_path / "out.png", changes={"expression": {"jawOpen": 0.6}})
    found = cv2.imread(str(place), cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]]
    assert found.dtype == np.uint16
    same = (found == deep).all(axis=-1)
    assert 0.5 < same.mean() < 0.999
    assert same[:20].all()


def test_a_view_without_angles_is_the_view_from_the_front(faked, tmp_path):
    one = view_photo("x.jpg", tmp_path / "a.png")
    two = view_photo("x.jpg", tmp_path / "b.png", yaw=0.0)
    assert one.read_bytes() == two.read_bytes()


def test_results_are_named_after_the_picture(faked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(view_photo("some/face.jpg", yaw=5.0)) == "face-view.png"
    assert str(edit_photo("sample:astronaut")) == "astronaut-edit.png"


def test_what_fits_the_photo_gets_its_arguments(faked, tmp_path):
    edit_photo("x.jpg", tmp_path / "a.png", faces="0", focal=700.0, stage="linear")
    assert faked[-1] == {"faces": "0", "focal": 700.0, "stage": "linear"}


def test_a_light_from_a_side_needs_no_direction_in_the_rehearsal(faked, tmp_path):
    bright = {"light": Light(brightness=1.2)}
    place = edit_photo("x.jpg", tmp_path / "a.png", changes=bright)
    assert place.is_file()


def test_a_picture_fills_a_background_of_any_size():
    tall = torch.rand(40, 20, 3, generator=torch.Generator().manual_seed(0))
    assert filling(tall, (30, 60)).shape == (30, 60, 3)
    torch.testing.assert_close(filling(tall, (40, 20)), tall, atol=1e-5, rtol=0)


def test_an_orbit_is_a_loop_that_swings_to_both_sides(faked, tmp_path):
    place = orbit_photo("x.jpg", tmp_path / "o.gif", swing=20.0, seconds=0.24)
    with read_video(place) as video:
        frames = [frame.photo.pixels for frame in video]
    assert len(frames) == 6
    assert (frames[1] - frames[5]).abs().mean() < 0.003
    assert (frames[0] - frames[3]).abs().mean() > 0.01  # the wall does not move


def test_an_orbit_writes_what_it_knows_of_each_frame_and_tells_of_the_least(faked, tmp_path):
    told, sure = [], tmp_path / "sure.gif"
    options = {"swing": 75.0, "seconds": 0.2, "confidence": sure, "notice": told.append}
    orbit_photo("x.jpg", tmp_path / "o.gif", **options)
    with read_video(sure) as video:
        maps = [frame.photo.pixels for frame in video]
    assert len(maps) == 4
    assert [float(each.amin()) < 0.5 for each in maps] == [True] * 4
    assert maps[0].mean() < 1  # the head, and what is behind it
    assert len(told) == 1
    assert "was guessed" in told[0]


def test_a_view_writes_what_it_knows_and_says_that_it_was_made(faked, known, tmp_path):
    told = []
    sure, place = tmp_path / "sure.png", tmp_path / "turned.png"
    view_photo("x.jpg", place, yaw=-70.0, confidence=sure, notice=told.append)
    said = re.search(
        r"Synthesised.*; shown_by_source=(\d+)%$", Image.open(place).text["Description"]
    )
    assert 0 < int(said[1]) < 50
    map_ = read_image(sure).pixels
    assert map_.shape[:2] == read_image(place).pixels.shape[:2]
    assert map_[0, 0].min() == 1
    assert map_.min() < 0.5
    assert told
    assert "was guessed" in told[0]


@pytest.mark.refusal
def test_a_head_is_not_turned_to_where_the_photo_shows_nothing(faked, tmp_path):
    with pytest.raises(ParameterError, match="shows nothing of that side"):
        view_photo("x.jpg", tmp_path / "a.png", yaw=-110.0)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.refusal
def test_names_are_refused_before_any_work(faked, tmp_path):
    with pytest.raises(ParameterError, match="jawOpn.*did you mean jawOpen"):
        edit_photo("x.jpg", tmp_path / "a.png", changes={"expression": {"jawOpn": 0.5}})
    with pytest.raises(ParameterError, match="jawOpen must be from 0 to 1, got 3"):
        edit_photo("x.jpg", tmp_path / "a.png", changes={"expression": {"jawOpen": 3.0}})
    with pytest.raises(OutputError, match="the suffix must be that of a picture"):
        view_photo("x.jpg", tmp_path / "a.doc")
    with pytest.raises(OutputError, match="x.jpg: it is the photo itself; choose another name"):
        edit_photo(tmp_path / "x.jpg", tmp_path / "there" / ".." / "x.jpg")
    with pytest.raises(ParameterError, match="background must be one of original, blurred, plain"):
        view_photo("x.jpg", tmp_path / "a.png", background="beach")
    with pytest.raises(ParameterError, match="swing must be from 1 to 80 degrees, got 90"):
        orbit_photo("x.jpg", tmp_path / "a.mp4", swing=90.0)
    with pytest.raises(ParameterError, match="seconds must be from 0.2 to 60, got 0"):
        orbit_photo("x.jpg", tmp_path / "a.mp4", seconds=0.0)
    with pytest.raises(OutputError, match="suffix"):
        orbit_photo("x.jpg", tmp_path / "a.png")
    assert faked == []


@pytest.mark.refusal
def test_several_faces_keep_their_background(known, monkeypatch, tmp_path):
    pair = replace(known, faces=(known.faces[0], known.faces[0]))
    monkeypatch.setattr(MODULE, "fit_photo", lambda image, **wishes: pair)
    with pytest.raises(ParameterError, match="another background needs a single face"):
        edit_photo("x.jpg", tmp_path / "a.png", background="plain")


@pytest.mark.slow
def test_an_edit_of_nothing_returns_the_sample(tmp_path):
    needs_detector()
    place = edit_photo("sample:astronaut", tmp_path / "same.png")
    photo = read_image("sample:astronaut")
    assert torch.equal(read_image(place).to_uint8(), photo.to_uint8())


@pytest.mark.slow
def test_both_of_two_faces_are_edited(tmp_path):
    needs_detector()
    source = shared("photos", "laos_two_faces.jpg")
    changes = {"expression": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}}
    place = edit_photo(source, tmp_path / "both.png", faces="all", changes=changes)
    changed = (read_image(place).pixels - read_image(source).pixels).abs().amax(-1) > 0.1
    for face in fit_photo(source, faces="all", stage="linear").faces:
        left, top, right, bottom = (int(side) for side in face.fit.landmarks.box)
        assert changed[top : (top + bottom) // 2, left:right].sum() > 200


def test_a_picture_behind_is_read_from_its_path(faked, tmp_path):
    write_image(tmp_path / "red.png", torch.tensor([1.0, 0.0, 0.0]).expand(50, 40, 3))
    place = edit_photo("x.jpg", tmp_path / "out.png", background=tmp_path / "red.png")
    corner = read_image(place).pixels[:20, :20]
    torch.testing.assert_close(corner, torch.tensor([1.0, 0.0, 0.0]).expand_as(corner))
