import pytest
import torch

from morphface.core.errors import NoFaceError, ParameterError
from morphface.landmarks import Landmarks, choose, find_faces
from morphface.media.images import Photo, read_image
from tests.data import shared


class Counting:
    """Passes on to a detector and counts the pictures that it was shown."""

    def __init__(self, detector):
        self.detector, self.count = detector, 0

    def detect(self, photo):
        self.count += 1
        return self.detector.detect(photo)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["woman_portrait.jpg", "grace_hopper.jpg", "laos_two_faces.jpg"])
def test_a_turned_photo_is_turned_back(detector, name, turns):
    photo = read_image(shared("photos", name))
    view, faces = find_faces(photo.turned(turns), detector)
    assert view.turns == 0
    assert torch.equal(view.pixels, photo.pixels)
    _, upright = find_faces(photo, detector)
    assert [face.box for face in faces] == [face.box for face in upright]


def test_a_mirroring_exif_orientation_that_is_wrong_is_undone(detector, astronaut):
    wrong = Photo(torch.rot90(astronaut.pixels.flip(1)), orientation=5)
    view, faces = find_faces(wrong, detector)
    assert len(faces) == 1
    assert view.orientation in (1, 5)


def test_a_portrait_costs_two_looks_and_a_search_only_when_asked(detector):
    portrait = read_image(shared("photos", "glasses_frontal.jpg"))
    counting = Counting(detector)
    find_faces(portrait, counting)
    assert counting.count == 2
    find_faces(portrait, counting, search="always")
    assert 4 <= counting.count - 2 <= 6


def test_a_small_face_is_searched_unless_forbidden(detector, astronaut):
    head = astronaut.pixels[30:220, 140:310].permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(
        head, scale_factor=0.45, antialias=True, mode="bilinear"
    )
    pixels = torch.full((500, 700, 3), 0.4)
    pixels[100:185, 400:476] = small[0].permute(1, 2, 0)
    _, faces = find_faces(Photo(pixels), detector)
    assert len(faces) == 1
    view, faces = find_faces(Photo(pixels).turned(1), detector)
    assert len(faces) == 1
    assert view.turns == 0
    with pytest.raises(NoFaceError):
        find_faces(Photo(pixels), detector, search="never")


def faces_of(*sizes):
    return [Landmarks(torch.zeros(5, 2), "5", torch.ones(5), (0.0, 0.0, s, s)) for s in sizes]


def test_faces_are_chosen_by_size_index_or_all():
    faces = faces_of(9.0, 5.0, 2.0)
    assert choose(faces) == faces[:1]
    assert choose(faces, "all") == faces
    assert choose(faces, "2") == choose(faces, 2) == faces[2:]


@pytest.mark.refusal
def test_an_index_beyond_the_faces_says_how_many_there_are():
    with pytest.raises(NoFaceError, match="there is no face 3: 2 faces were found, counted from 0"):
        choose(faces_of(2.0, 1.0), 3)
    with pytest.raises(NoFaceError, match="there is no face 1: 1 face was found"):
        choose(faces_of(2.0), "1")
    with pytest.raises(ParameterError, match="largest, all or an index from 0, got 'first'"):
        choose(faces_of(2.0), "first")
    with pytest.raises(ParameterError, match="got -1"):
        choose(faces_of(2.0), -1)


@pytest.mark.refusal
def test_a_picture_without_a_face_is_refused(detector):
    with pytest.raises(NoFaceError, match="no face was found in .*rocket.jpg, whichever way"):
        find_faces(read_image(shared("photos", "noface_rocket.jpg")), detector)
    with pytest.raises(ParameterError, match="search must be one of auto, always, never"):
        find_faces(Photo(torch.zeros(64, 64, 3)), detector, search="sometimes")
