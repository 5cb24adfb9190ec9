from dataclasses import replace

import pytest
import torch

from morphface.landmarks import outer_eye_distance, search_faces
from morphface.landmarks.points import Landmarks, moved
from morphface.landmarks.search import _starts, _tiles, confirm
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
        ("old_man_side.jpg", 0),  # a full profile, which the detector does not know
        ("laos_two_faces.jpg", 2),
        ("sunglasses_selfie.jpg", 1),
    ],
)
def test_photos_show_as_many_faces_as_they_have(detector, name, count):
    assert len(search_faces(read_image(shared("photos", name)), detector)) == count


class Dreamer:
    """Sees a face of the same place in every picture: in none of them is it confirmed."""

    def detect(self, photo):
        generator = torch.Generator().manual_seed(photo.pixels.numel())
        points = torch.rand(478, 2, generator=generator) * 60 + 60
        box = (60.0, 60.0, 120.0, 120.0)
        return [Landmarks(points, "478", torch.ones(478), box)]


def test_what_does_not_come_up_again_alike_is_dropped():
    assert search_faces(Photo(torch.zeros(300, 400, 3)), Dreamer()) == []


class Ruler:
    """Reports where the one red pixel block of a picture lies: any crop must agree."""

    def detect(self, photo):
        red = torch.nonzero(photo.pixels[..., 0] > 0.5)
        if not len(red):
            return []
        top, left = (red.amin(0)).tolist()
        bottom, right = (red.amax(0) + 1).tolist()
        box = (float(left), float(top), float(right), float(bottom))
        points = torch.tensor([[left, top], [right, bottom]], dtype=torch.float32)
        return [Landmarks(points, "pair", torch.ones(2), box)]


@pytest.mark.parametrize("block", [40, 300, 900])
def test_crops_enlarged_or_thinned_out_keep_positions(block):
    pixels = torch.zeros(1000, 1400, 3)
    pixels[50 : 50 + block, 200 : 200 + block] = 1.0
    photo = Photo(pixels)
    (hint,) = Ruler().detect(photo)
    hint = replace(hint, box=tuple(v + 3 for v in hint.box))
    confirmed = confirm(photo, hint, Ruler())
    torch.testing.assert_close(
        confirmed.face.points,
        torch.tensor([[200.0, 50.0], [200.0 + block, 50.0 + block]]),
        atol=block / 60,
        rtol=0,
    )


def test_tiles_cover_every_face_of_less_than_half_a_tile():
    for length in (10, 192, 193, 400, 1999):
        starts = _starts(length, 192)
        assert starts[0] <= 0
        assert starts[-1] + 192 >= length
        assert all(b - a <= 192 * 0.55 + 1 for a, b in zip(starts, starts[1:], strict=False))
    assert {side for _, _, side in _tiles(900, 1500)} == {192, 384, 768}
