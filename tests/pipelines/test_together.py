"""Photos of one person: one head that is better than that of any of them."""

import json

import pytest
import torch

from morphface.core.errors import MissingFileError, NoFaceError, ParameterError
from morphface.parameters import load_parameters
from morphface.pipelines import fit_photo, fit_photos, reconstruct_together
from morphface.pipelines.listing import list_photos
from morphface.pipelines.together import STRANGER
from tests.data import needs_detector, shared
from tests.pipelines.family import YAWS, album_of, face_error, sitter, take


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """A head from three sides and another one, all found without a detector."""
    with album_of(tmp_path_factory.mktemp("album")) as pictures:
        yield pictures


@pytest.fixture(scope="module")
def by_pixels(album):
    return fit_photos(album, stage="pixels")


def identity(face):
    return face.parameters.identity[0]


def test_landmarks_of_three_views_tell_more_than_the_best_of_them(album):
    together = fit_photos(album[:3], stage="linear")
    alone = [fit_photo(image, stage="linear").faces[0] for image in album[:3]]
    errors = [face_error(identity(face), sitter(1)) for face in alone]
    assert together.converged
    assert face_error(identity(together.faces[0]), sitter(1)) < 0.9 * min(errors)
    assert all(torch.equal(identity(face), identity(together.faces[0])) for face in together.faces)
    assert together.parameters.frames == 3
    for face, yaw in zip(together.faces, YAWS, strict=True):
        assert face.pose_degrees["yaw"] == pytest.approx(yaw, abs=3)


def test_landmarks_of_somebody_else_are_named_and_have_no_say(album):
    three, four = (fit_photos(album[:n], stage="linear") for n in (3, 4))
    assert [face.reason for face in four.faces] == ["", "", "", STRANGER]
    assert [face.converged for face in four.faces] == [True, True, True, False]
    assert four.trusted == (0, 1, 2)
    assert torch.equal(identity(three.faces[0]), identity(four.faces[3]))


@pytest.mark.slow
def test_pixels_of_three_views_tell_more_than_those_of_one_and_share_colours(album, by_pixels):
    alone = [face_error(identity(fit_photo(image).faces[0]), sitter(1)) for image in album[:3]]
    # Which of a few views is the best is chance: rounding moves each by half a millimetre.
    assert face_error(identity(by_pixels.faces[0]), sitter(1)) < 0.8 * max(alone)
    for face in by_pixels.faces:
        assert torch.equal(identity(face), identity(by_pixels.faces[0]))
        colours = face.parameters.reflectance
        assert torch.equal(colours, by_pixels.faces[0].parameters.reflectance)
    strangers = [face.reason == STRANGER for face in by_pixels.faces]
    assert strangers == [False, False, False, True]


@pytest.mark.slow
def test_photos_of_different_size_go_together_and_the_files_agree(album, tmp_path):
    report = reconstruct_together(album, tmp_path / "out", stage="linear", texture_size=64)
    inside = sorted(item.name for item in (tmp_path / "out").iterdir())
    heads = ["head.glb", "head.mtl", "head.obj", "head.png"]
    assert inside == [*heads, *(f"photo_{k}" for k in range(4)), "report.json"]
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    assert report["images"] == album
    assert report["photos_of_head"] == [0, 1, 2]
    assert not report["converged"]
    stored = [load_parameters(tmp_path / "out" / f"photo_{k}" / "face.npz") for k in range(4)]
    assert [camera.size for _, camera, _ in stored] == [
        (160, 160),
        (160, 160),
        (160, 160),
        (200, 180),
    ]
    assert all(torch.equal(stored[0][0].identity, face.identity) for face, _, _ in stored)
    assert [face["image"] for face in report["faces"]] == album
    assert [face["reason"] for face in report["faces"]] == ["", "", "", STRANGER]


def test_a_focal_length_for_each_photo_is_its_own(album):
    found = fit_photos(album[:2], stage="linear", focal=["400", None])
    lengths = [float(face.camera.focal) for face in found.faces]
    assert lengths[0] == 400
    assert lengths[1] != 400


def test_a_folder_stands_for_its_pictures_by_name(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    listed = list_photos([tmp_path, "sample:astronaut"])
    assert listed == [str(tmp_path / "a.png"), str(tmp_path / "b.JPG"), "sample:astronaut"]


@pytest.mark.refusal
def test_a_folder_without_pictures_and_a_picture_that_is_named_twice_are_refused(tmp_path):
    with pytest.raises(
        MissingFileError, match=r"no photo in .*; photos in folders end in \.avif \.bmp"
    ):
        list_photos([tmp_path])
    (tmp_path / "a.png").touch()
    with pytest.raises(ParameterError, match=r"a\.png is named twice; each photo counts once"):
        list_photos([tmp_path, tmp_path / "a.png"])


@pytest.mark.refusal
@pytest.mark.parametrize("images", ["a.png", ["a.png"], []])
def test_fewer_than_two_photos_are_refused(images):
    with pytest.raises(ParameterError, match="needs at least two photos of one person; fit_photo"):
        fit_photos(images)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"faces": "all"}, 'got "all": one person has one face in each photo'),
        ({"faces": [0, "all"]}, 'got "all"'),
        ({"faces": [0]}, "faces must be one for all photos or one for each of the 2, got 1"),
        ({"focal": [1, 2, 3]}, "focal must be one for all photos or one for each of the 2, got 3"),
        ({"focal": ["wide", None]}, "focal must be 0.2 to 50 times"),
        ({"stage": "half"}, "stage must be one of linear, pixels, got 'half'"),
    ],
)
def test_a_wrong_wish_is_refused(wishes, message):
    with pytest.raises(ParameterError, match=message):
        fit_photos(["a.png", "b.png"], **wishes)


@pytest.mark.refusal
def test_a_face_that_one_photo_lacks_is_refused_with_the_name_of_the_photo(album):
    with pytest.raises(NoFaceError, match=r"v1\.png: there is no face 1: 1 face was found"):
        fit_photos(album[:2], faces=[0, 1])


@pytest.mark.refusal
def test_all_photos_without_a_face_are_named(tmp_path):
    needs_detector()
    rocket, wall = str(shared("photos", "noface_rocket.jpg")), str(tmp_path / "wall.png")
    take(None, 0.0, wall)
    with pytest.raises(NoFaceError, match="no face was found in .*wall.png, whichever way"):
        fit_photos(["sample:astronaut", wall])
    with pytest.raises(NoFaceError, match=r"in 2 photos: .*rocket\.jpg, .*wall\.png; leave them"):
        fit_photos([rocket, "sample:astronaut", wall])
