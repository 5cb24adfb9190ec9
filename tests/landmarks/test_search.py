import pytest
import torch

from morphface.landmarks import outer_eye_distance, search_faces
from morphface.landmarks.points import Landmarks, moved
from morphface.landmarks.schemes import mirrored
from morphface.landmarks.search import _detect_in, at_a_glance
from morphface.media.images import Photo, read_image
from tests.data import shared

PLACES = [(20, 30), (410, 90), (150, 700), (560, 610), (300, 1100)]


def scaled(pixels, factor):
    size = [round(side * factor) for side in pixels.shape[:2]]
    planes = pixels.permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(planes, size=size, mode="bilinear", antialias=True)
    return small[0].permute(1, 2, 0)


@pytest.fixture(scope="module")
def truth(detector, astronaut):
    """The astronaut's head cut out, and her landmarks in it."""
    (face,) = detector.detect(astronaut)
    return astronaut.pixels[30:220, 140:310], moved(face, 1.0, (-140.0, -30.0))


def crowd(truth, size):
    """Several small copies in a large picture, and where their landmarks are."""
    head, face = truth
    factor = size / (face.box[3] - face.box[1])
    small = scaled(head, factor)
    height, width = small.shape[:2]
    exact = torch.tensor([width / head.shape[1], height / head.shape[0]])
    pixels = torch.full((720, 1280, 3), 0.5) + 0.1 * torch.linspace(-1, 1, 1280)[:, None]
    wanted = []
    for top, left in PLACES:
        pixels[top : top + height, left : left + width] = small
        wanted.append(face.points * exact + torch.tensor([float(left), float(top)]))
    return Photo(pixels), wanted


@pytest.mark.parametrize(("size", "error"), [(40, 0.025), (60, 0.02)])
def test_small_faces_that_a_look_at_the_whole_misses_are_found(detector, truth, size, error):
    photo, wanted = crowd(truth, size)
    assert detector.detect(photo) == []
    faces = search_faces(photo, detector)
    assert len(faces) == len(wanted)
    for points in wanted:
        distances = [(face.points - points).norm(dim=-1).mean() for face in faces]
        assert min(distances) / outer_eye_distance(points, "478") < error


def test_a_large_face_is_found_once_and_where_the_detector_sees_it(detector, astronaut):
    (direct,) = detector.detect(astronaut)
    (face,) = search_faces(astronaut, detector)
    distance = (face.points - direct.points).norm(dim=-1).mean()
    assert distance / outer_eye_distance(direct.points, "478") < 0.02


def test_depth_of_a_crop_is_in_pixels_of_the_picture(detector, truth):
    photo, _ = crowd(truth, 60)
    width = [face.box[2] - face.box[0] for face in search_faces(photo, detector)]
    depth = [float(face.depth.max() - face.depth.min()) for face in search_faces(photo, detector)]
    for w, z in zip(width, depth, strict=True):
        assert 0.5 < z / w < 1.1


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("noface_rocket.jpg", 0),
        ("old_man_side.jpg", 1),  # a full profile, which the detector does not know
        ("laos_two_faces.jpg", 2),
        ("sunglasses_selfie.jpg", 1),
    ],
)
def test_photos_show_as_many_faces_as_they_have(detector, name, count):
    assert len(search_faces(read_image(shared("photos", name)), detector)) == count


class Dreamer:
    """Sees a face in the middle of every picture, each time with other points."""

    def __init__(self, noise):
        self.noise, self.rng = noise, torch.Generator().manual_seed(0)

    def detect(self, photo):
        side = photo.size[0]
        box = (side * 0.3, side * 0.3, side * 0.7, side * 0.7)
        wobble = torch.randn(478, 2, generator=self.rng) * self.noise
        return [Landmarks((0.5 + wobble) * side, "478", torch.ones(478), box)]


def test_what_does_not_come_up_again_alike_is_dropped():
    photo = Photo(torch.zeros(300, 300, 3))
    assert search_faces(photo, Dreamer(noise=0.1)) == []
    assert len(search_faces(photo, Dreamer(noise=0.001))) > 0


class Reader:
    """Puts a point at one pixel of what it is shown, and tells what that pixel says."""

    def detect(self, photo):
        row, column = 40, 60
        x, y, _ = photo.pixels[row, column].tolist()
        point = torch.tensor([[column + 0.5, row + 0.5]])
        scores = {"x": x * 2000, "y": y * 2000}
        return [Landmarks(point, "one", torch.ones(1), (0.0, 0.0, 9.0, 9.0), scores=scores)]


@pytest.mark.parametrize("side", [200, 511, 512, 1100, 1600])
def test_a_point_of_a_crop_is_the_point_of_the_picture_that_it_showed(side):
    x, y = torch.meshgrid(torch.arange(2000) + 0.5, torch.arange(2000) + 0.5, indexing="xy")
    photo = Photo(torch.stack([x, y, x], dim=-1) / 2000)
    (face,) = _detect_in(photo, (30, 70, side), Reader(), enlarge=True)
    want = [face.scores["x"], face.scores["y"]]
    assert face.points[0].tolist() == pytest.approx(want, abs=0.1)  # bicubic bends lines a little


def test_a_large_picture_is_shown_smaller_and_its_faces_lie_where_they_are(detector, astronaut):
    part = Photo(astronaut.pixels[:, 120:330])
    large = Photo(scaled(part.pixels, 6.0))
    small, shrunk = at_a_glance(large)
    assert max(small.size) == 2048
    assert shrunk == pytest.approx(2048 / 3072)
    assert at_a_glance(astronaut) == (astronaut, 1.0)
    (direct,) = detector.detect(part)
    (face,) = search_faces(large, detector)
    distance = (face.points / 6 - direct.points).norm(dim=-1).mean()
    assert distance / outer_eye_distance(direct.points, "478") < 0.03


def test_who_is_seen_from_the_side_has_five_points_and_is_left_out_where_these_do_not_help(
    detector,
):
    photo = read_image(shared("photos", "old_man_side.jpg"))
    (face,) = search_faces(photo, detector)
    assert face.scheme == "5"
    right, left, nose, *_ = face.points
    # He looks to the right of the picture, with the nose in front of both eyes.
    assert float(nose[0]) > max(float(right[0]), float(left[0]))
    left_side, top, right_side, bottom = face.box
    assert 180 < left_side < 245 > right_side - 10 > 200
    assert 70 < top < 100 < 125 < bottom < 165
    assert search_faces(photo, detector, profiles=False) == []


def test_the_points_of_a_profile_move_with_the_picture(detector):
    photo = read_image(shared("photos", "old_man_side.jpg"))
    (face,) = search_faces(photo, detector)
    (mirror,) = search_faces(Photo(photo.pixels.flip(1)), detector)
    back = mirrored(mirror, photo.size[1])
    size = max(face.box[2] - face.box[0], face.box[3] - face.box[1])
    assert (back.points - face.points).norm(dim=-1).mean() < 0.1 * size
