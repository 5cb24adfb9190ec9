"""Photos of calibrated cameras, and landmarks of somebody else, from file to pose."""

import json

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from morphface.cli import run
from morphface.core.errors import LandmarkError, ParameterError
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.intrinsics import Intrinsics
from morphface.models import load_model
from morphface.pipelines import fit_photo

POSE, PLACE = torch.tensor([0.1, 0.3, -0.05]), torch.tensor([60.0, -20.0, -500.0])
SIZE = (300, 400)
LENS = Intrinsics(420.0, 430.0, 190.0, 160.0, -0.25, 0.06, 0.002, -0.003, -0.01, size=SIZE)
TEXT = "420,430,190,160,-0.25,0.06,0.002,-0.003,-0.01"


@pytest.fixture(scope="module")
def points():
    """Where the pinhole camera of the lens sees the landmarks of the open head."""
    model = load_model()
    embedding = model.landmark_embedding("478")
    space = to_camera(embedding.points(model.identity.mean), POSE, PLACE)
    return LENS.camera(SIZE).project(space)[:, :2]


def saved(folder, points, name="a.json", **more):
    (folder / name).write_text(json.dumps({"scheme": "478", "points": points.tolist(), **more}))
    return folder / name


def off(fitted):
    """Degrees between the fitted pose and the true one."""
    found = rotvec_to_angles(fitted.faces[0].parameters.rotation[0])
    return float(torch.rad2deg(found - rotvec_to_angles(POSE)).abs().max())


def picture(size=SIZE, orientation=1):
    image = Image.fromarray(np.full((*size, 3), 128, np.uint8))
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return image


@pytest.mark.parametrize("how", ["text", "record", "colmap", "transforms", "double size"])
def test_distortion_is_taken_out_once_however_the_camera_is_given(tmp_path, points, how):
    numbers = TEXT.split(",")
    camera = {"text": TEXT, "record": LENS}.get(how)
    if how == "colmap":  # has no third radial coefficient but in the long model
        camera = tmp_path / "cameras.txt"
        camera.write_text("1 FULL_OPENCV 400 300 " + " ".join([*numbers, "0", "0", "0"]))
    elif how == "transforms":
        names = ("fl_x", "fl_y", "cx", "cy", "k1", "k2", "p1", "p2", "k3")
        given = dict(zip(names, map(float, numbers), strict=True))
        camera = str(tmp_path / "transforms.json")
        (tmp_path / "transforms.json").write_text(json.dumps({"w": 400, "h": 300, **given}))
    elif how == "double size":
        camera = LENS.of_picture((600, 800))
    landmarks = saved(tmp_path, LENS.distorted(points))
    fitted = fit_photo(picture(), landmarks=landmarks, camera=camera, stage="linear")
    assert off(fitted) < 0.5
    assert (fitted.faces[0].fit.landmarks.points - points).norm(dim=1).max() < 0.5
    wrong = fit_photo(picture(), landmarks=landmarks, focal=425.0, stage="linear")
    assert off(wrong) > 1.5


def test_a_crop_has_a_principal_point_outside_of_it(tmp_path, points):
    corner = torch.tensor([180.0, 30.0])
    landmarks = saved(tmp_path, points - corner)
    principal = torch.tensor([190.0, 160.0]) - corner
    camera = Camera(LENS.camera(SIZE).focal, principal, (250, 220))
    fitted = fit_photo(picture((250, 220)), landmarks=landmarks, camera=camera, stage="linear")
    assert off(fitted) < 0.5
    assert torch.equal(fitted.faces[0].camera.principal, principal)


def warned(fitted):
    return [one.name for one in fitted.faces[0].verdict.warnings if one.name in ("focal", "axis")]


def test_a_long_lens_of_a_picture_that_may_be_cut_is_warned_of(tmp_path, points):
    """A head at the side of a wide picture: nothing in the cut-out tells where its axis was."""
    corner = torch.tensor([180.0, 30.0])
    wishes = {"landmarks": saved(tmp_path, points - corner), "stage": "linear"}
    camera = Camera(LENS.camera(SIZE).focal, torch.tensor([190.0, 160.0]) - corner, (190, 170))
    photo = picture((190, 170))
    assert warned(fit_photo(photo, **wishes)) == ["focal"]
    cut = fit_photo(photo, focal=float(camera.focal), **wishes)
    assert off(cut) > 5
    assert warned(cut) == ["axis"]
    known = fit_photo(photo, camera=camera, **wishes)
    assert off(known) < 0.5
    assert warned(known) == []
    on_film = f"{float(camera.focal) * 43.2666 / 254.95:.1f}mm"  # by the diagonal of the picture
    assert warned(fit_photo(photo, focal=on_film, **wishes)) == []


def test_a_camera_of_the_stored_picture_is_turned_with_it(tmp_path, points):
    """A phone held upright stores its picture turned; COLMAP sees it as stored."""
    straight = Intrinsics(425.0, 425.0, 190.0, 160.0, size=SIZE)
    seen = (points - torch.tensor([190.0, 160.0])) * 425 / float(LENS.camera(SIZE).focal)
    x, y = (seen + torch.tensor([190.0, 160.0])).unbind(dim=-1)
    stored = torch.stack([y, SIZE[1] - x], dim=-1)  # orientation 6 turns that clockwise, back
    lens = straight.moved(SIZE, False, 1)
    photo = picture((SIZE[1], SIZE[0]), orientation=6)
    wishes = {"landmarks_in": "stored", "camera": lens, "stage": "linear"}
    assert off(fit_photo(photo, landmarks=saved(tmp_path, stored), **wishes)) < 0.5


@pytest.mark.refusal
def test_wrong_cameras_and_landmarks_are_refused(tmp_path, points):
    with pytest.raises(ParameterError, match="camera has a focal length of its own: leave out"):
        fit_photo(picture(), camera=TEXT, focal=400.0)
    with pytest.raises(ParameterError, match="a camera is fx,fy,cx,cy in pixels"):
        fit_photo(picture(), camera="400")
    with pytest.raises(ParameterError, match="pictures of 400 x 300 pixels, but this one has 300"):
        fit_photo(picture((300, 300)), camera=LENS)
    far = saved(tmp_path, points * 4)
    with pytest.raises(
        LandmarkError, match=r"a.json has a face from .* lies outside of the picture"
    ):
        fit_photo(picture(), landmarks=far)


@pytest.mark.refusal
def test_the_command_line_refuses_with_one_sentence(tmp_path, points, capfd):
    picture().save(tmp_path / "a.png")
    shares = saved(tmp_path, points / 400)
    code = run(["fit", str(tmp_path / "a.png"), "--landmarks", str(shares), "-o", str(tmp_path)])
    assert code == 2
    assert "shares of the picture: multiply x by its width" in capfd.readouterr().err
    code = run(["fit", str(tmp_path / "a.png"), "--camera", "9,9", "-o", str(tmp_path)])
    assert code == 2
    assert "a camera is fx,fy,cx,cy in pixels" in capfd.readouterr().err
