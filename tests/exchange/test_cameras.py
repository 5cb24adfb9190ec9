"""Cameras in the files of COLMAP and of NeRF datasets."""

import json
import math

import pytest

from morphface.core.errors import MissingFileError, MorphfaceError, ParameterError
from morphface.exchange import camera_of, read_cameras
from morphface.geometry.intrinsics import Intrinsics

COLMAP = """# Camera list with one line of data per camera:
#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]
# Number of cameras: 3
1 SIMPLE_PINHOLE 640 480 500 320 240
2 OPENCV 800 600 700 710 401 299 -0.1 0.02 0.001 -0.002
7 RADIAL 640 480 500 320 240 0.05 -0.01
"""
IMAGES = """# Image list with two lines of data per image:
1 1 0 0 0 0 0 0 2 left/IMG 1.jpg
10.0 20.0 -1
2 1 0 0 0 0 0 0 1 b.png

3 1 0 0 0 0 0 0 9 c.png

"""
SHARED = {"fl_x": 600.0, "fl_y": 610.0, "cx": 330.0, "cy": 230.0, "w": 640, "h": 480, "k1": 0.1}


def saved(tmp_path, name, data):
    text = data if isinstance(data, str) else json.dumps(data)
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_cameras_of_colmap_are_called_by_their_numbers(tmp_path):
    assert read_cameras(saved(tmp_path, "cameras.txt", COLMAP)) == {
        "1": Intrinsics(500.0, 500.0, 320.0, 240.0, size=(480, 640)),
        "2": Intrinsics(700.0, 710.0, 401.0, 299.0, -0.1, 0.02, 0.001, -0.002, size=(600, 800)),
        "7": Intrinsics(500.0, 500.0, 320.0, 240.0, 0.05, -0.01, size=(480, 640)),
    }


def test_pictures_of_colmap_tell_their_cameras(tmp_path):
    path = saved(tmp_path, "cameras.txt", COLMAP)
    saved(tmp_path, "images.txt", IMAGES)
    assert set(read_cameras(path)) == {"left/IMG 1.jpg", "b.png"}
    assert camera_of(path, "/somewhere/IMG 1.jpg").fx == 700
    assert camera_of(path, "b.jpg").fx == 500  # the same picture in another format


def test_one_camera_is_that_of_every_picture(tmp_path):
    path = saved(tmp_path, "cameras.txt", "1 PINHOLE 64 48 50 51 32 24")
    assert camera_of(path, "anything.jpg") == Intrinsics(50.0, 51.0, 32.0, 24.0, size=(48, 64))


def test_transforms_have_one_camera_or_one_for_each_picture(tmp_path):
    shared = saved(tmp_path, "a.json", {**SHARED, "frames": [{"file_path": "images/1.png"}]})
    assert read_cameras(shared) == {
        "": Intrinsics(600.0, 610.0, 330.0, 230.0, 0.1, size=(480, 640))
    }
    frames = [{"file_path": f"images/{n}", "fl_x": 500.0 + n, "fl_y": 500.0} for n in range(3)]
    own = saved(tmp_path, "b.json", {**SHARED, "frames": frames})
    assert camera_of(own, "elsewhere/2.png").fx == 502


def test_an_angle_of_view_is_a_focal_length(tmp_path):
    data = {"camera_angle_x": math.pi / 2, "w": 640, "h": 480, "frames": []}
    lens = camera_of(saved(tmp_path, "a.json", data), "1.png")
    assert (lens.fx, lens.fy, lens.cx, lens.cy) == pytest.approx((320, 320, 320, 240))


def test_a_file_without_sizes_takes_that_of_the_picture(tmp_path):
    path = saved(tmp_path, "a.json", {"camera_angle_x": math.pi / 2, "frames": []})
    lens = camera_of(path, "1.png", (100, 200))
    assert (lens.fx, lens.cx, lens.cy) == pytest.approx((100, 100, 50))


def refused(text, path, error=ParameterError):
    with pytest.raises(error, match=text) as caught:
        read_cameras(path)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "holds no camera"),
        ("hello", "is neither a cameras.txt of COLMAP nor a transforms.json"),
        ("{", "is neither a cameras.txt"),
        ("1 THIN_PRISM_FISHEYE 64 48 1 2 3", "has a camera THIN_PRISM_FISHEYE, which is not known"),
        ("1 PINHOLE 64 48 1 2 3", "has 3 numbers for a camera PINHOLE, not 4"),
        ("1 PINHOLE 64 48 0 2 3 4", "positive focal lengths, got fx 0"),
        ("1 PINHOLE 0 48 1 2 3 4", "has a camera of 0 x 48 pixels"),
        ({"frames": []}, "does not say the size of its pictures, w and h"),
        ({"w": 64, "h": 48}, "does not say the focal length, fl_x or camera_angle_x"),
        ({**SHARED, "k4": 0.1}, "has a coefficient k4"),
        ({**SHARED, "camera_model": "OPENCV_FISHEYE"}, "has a camera OPENCV_FISHEYE"),
        ({**SHARED, "is_fisheye": True}, "has a camera OPENCV_FISHEYE"),
    ],
)
def test_what_holds_no_camera_is_refused(tmp_path, content, text):
    refused(text, saved(tmp_path, "a.txt", content))


@pytest.mark.refusal
def test_missing_and_foreign_files_are_refused(tmp_path):
    refused("there is no camera file", tmp_path / "a.txt", MissingFileError)
    (tmp_path / "cameras.bin").write_bytes(b"\xff\xfe\0\x80")
    refused("is not a text file; of COLMAP, write the model as text", tmp_path / "cameras.bin")
    path = saved(tmp_path, "cameras.txt", COLMAP)
    with pytest.raises(
        ParameterError, match="has 3 cameras and does not tell which one took x.png"
    ):
        camera_of(path, "x.png")


def test_mutated_files_raise_nothing_but_our_errors(tmp_path):
    import numpy as np

    rng = np.random.default_rng(0)
    for text in (COLMAP, json.dumps({**SHARED, "frames": [{"file_path": "a", "fl_x": 1.0}]})):
        for _ in range(100):
            data = bytearray(text.encode())
            for place in rng.integers(0, len(data), rng.integers(1, 6)):
                data[place] = rng.integers(0, 256)
            (tmp_path / "a").write_bytes(bytes(data[: rng.integers(1, len(data) + 1)]))
            try:
                read_cameras(tmp_path / "a")
            except MorphfaceError:
                continue
