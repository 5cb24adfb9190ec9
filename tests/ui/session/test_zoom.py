import io

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.fit.fitted import FittedPhoto
from morphface.geometry.camera import to_camera
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.rerender.shrink import cropped, shrunk
from morphface.ui.session.zooms import head_window, zoomed


def ask(session, do, **fields):
    reply = session.handle({"do": do, **fields})
    assert reply.error is None, reply.error
    return reply


def picture(reply):
    return np.asarray(Image.open(io.BytesIO(reply.buffers[0]))).astype(float)


def screen(face):
    return face.camera.project(face.vertices_in_camera())[:, :2]


def test_a_small_head_is_shown_large_and_a_large_one_as_it_is(session, far_session):
    assert ask(session, "open").fields["zooms"] == ["photo"]
    fields = ask(far_session, "open").fields
    assert (fields["zooms"], fields["zoom"]) == (["face", "photo"], "face")
    assert (fields["picture"]["width"], fields["picture"]["height"]) == (384, 384)
    whole = ask(far_session, "zoom", name="photo")
    assert whole.fields["zoom"] == "photo"
    near, far = (abs(eyes[0][0] - eyes[1][0]) for eyes in (fields["eyes"], whole.fields["eyes"]))
    assert near > 2 * far


def test_the_window_holds_the_head_with_room_to_turn_and_lies_in_the_photo(far):
    part = zoomed(far, 384)["face"]
    points = screen(part.faces[0]) / 384
    low, high = points.amin(0), points.amax(0)
    assert ((low > 0.05) & (high < 0.95)).all()
    assert float((high - low).max()) > 0.55
    window = head_window(far.faces[0], 384)
    assert window.left >= 0
    assert window.top >= 0
    assert max(window.left, window.top) + window.side <= 800


def test_a_window_at_the_border_stays_in_the_photo(far):
    low, high = screen(far.faces[0]).amin(0).tolist(), screen(far.faces[0]).amax(0).tolist()
    beside = cropped(far, Crop(high[0] - 500 + 5, low[1] - 5, 500.0, 500))
    window = head_window(beside.faces[0], 384)
    assert window.top == 0
    assert window.left + window.side == pytest.approx(500)


def test_a_head_outside_the_photo_has_no_window(far):
    assert head_window(cropped(far, Crop(0.0, 0.0, 200.0, 200)).faces[0], 384) is None


def test_a_tiny_head_is_not_enlarged_beyond_measure(far):
    window = head_window(shrunk(far, 200).faces[0], 384)
    assert window.size == pytest.approx(2 * window.side, abs=1)


def test_a_part_of_a_photo_shows_what_the_photo_has_there(far):
    window = Crop(330.0, 220.0, 256.0, 256)
    part = cropped(far, window)
    assert torch.allclose(part.photo.pixels, far.photo.pixels[220:476, 330:586], atol=1e-5)
    there = window.inside(screen(far.faces[0]))
    assert torch.allclose(screen(part.faces[0]), there, atol=1e-3)
    assert torch.allclose(part.faces[0].predicted, window.inside(far.faces[0].predicted))


def test_a_part_at_the_border_of_the_photo_is_not_darker_there(far):
    grey = FittedPhoto(Photo(torch.full_like(far.photo.pixels, 0.5)), far.faces)
    for part in (Crop(0.0, 0.0, 300.0, 450), Crop(500.0, 500.0, 300.0, 100)):
        assert torch.allclose(cropped(grey, part).photo.pixels, torch.tensor(0.5), atol=1e-5)


def test_what_is_edited_is_the_same_however_much_is_shown(far_session, far):
    before = far_session.start.to_vector()
    assert torch.equal(before, far.faces[0].parameters.to_vector())
    ask(far_session, "set", control="expression/jawOpen", value=0.7)
    ask(far_session, "set", control="pose/yaw", value=-10.0)
    told = [(far_session.parameters.to_vector(), far_session.json(), far_session.python())]
    reply = ask(far_session, "zoom", name="photo")
    told.append((far_session.parameters.to_vector(), far_session.json(), far_session.python()))
    assert torch.equal(told[0][0], told[1][0])
    assert told[0][1:] == told[1][1:]
    assert far_session.face.camera.size == far.faces[0].camera.size == (800, 800)
    assert reply.fields["undo"]
    assert ask(far_session, "undo").fields["zoom"] == "photo"
    assert ask(far_session, "undo").fields["undo"] is False


def test_with_what_was_fitted_the_window_is_the_photo(far_session):
    photo = picture(ask(far_session, "view", name="photo"))
    assert np.array_equal(picture(ask(far_session, "view", name="rendered")), photo)


def test_the_eyes_are_where_the_window_has_them(far_session):
    drawn = ask(far_session, "view", name="gaze")
    iris = picture(drawn)
    blue = (iris[..., 2] > 150) & (iris[..., 0] < 100)
    for x, y, _ in drawn.fields["eyes"]:
        rows, columns = (slice(round(384 * n) - 4, round(384 * n) + 5) for n in (y, x))
        assert blue[rows, columns].any()


def test_the_head_follows_the_hand_in_the_window(far_session):
    camera = zoomed(far_session._desk.found, 384)["face"].faces[0].camera
    model = far_session.face.model

    def nose():
        p = far_session.parameters
        placed = to_camera(model.identity.mean, p.rotation[0], p.translation[0])
        return float(camera.project(placed)[model.identity.mean[:, 2].argmax(), 0]) / 384

    before = nose()
    ask(far_session, "drag", what="pose", dx=-0.1, dy=0.0, start=True)
    assert 0.07 < before - nose() < 0.16
