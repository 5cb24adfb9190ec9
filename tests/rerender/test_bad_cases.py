"""Photos that are hard to turn a head in: what must hold in them all."""

from dataclasses import replace

import pytest
import torch

from morphface.edit import edit
from morphface.fit.fitted import FittedPhoto
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.rerender import Rerenderer
from morphface.rerender.shrink import cropped, shrunk

YAW = 18.0  # degrees from the pose in the photo


def head_of(found):
    """Left, top, right and bottom of the head in a photo."""
    face = found.faces[0]
    screen = face.camera.project(face.vertices_in_camera())[:, :2]
    return (*screen.amin(0).tolist(), *screen.amax(0).tolist())


def part(found, left, top, wide):
    """A square of a photo: its corner and its side as shares of the head's width."""
    x, y, end, _ = head_of(found)
    unit = end - x
    side = round(wide * unit)
    return cropped(found, Crop(round(x + left * unit), round(y + top * unit), side, side))


def repainted(found, change):
    return FittedPhoto(replace(found.photo, pixels=change(found.photo.pixels)), found.faces)


def grey(pixels):
    return pixels.mean(-1, keepdim=True).expand_as(pixels).contiguous()


CASES = {
    "cut by the border": lambda found: part(found, 0.4, -0.2, 1.8),
    "cut off above": lambda found: part(found, -0.4, 0.3, 1.6),
    "filling the frame": lambda found: part(found, 0.2, 0.3, 0.6),
    "tiny": lambda found: shrunk(found, 80),
    "grey": lambda found: repainted(found, grey),
    "painted in few colours": lambda found: repainted(found, lambda p: (p * 5).round() / 5),
}


def drawn(found):
    """What draws a photo, and the photo with the head turned and how sure that is."""
    face = found.faces[0]
    stage = Rerenderer(face, found.photo)
    yaw = face.pose_degrees["yaw"] + YAW
    return stage, stage.with_confidence(edit(face.parameters, model=face.model, yaw=yaw))


@pytest.fixture(scope="module", params=CASES)
def case(request, known):
    found = CASES[request.param](known)
    return found, *drawn(found)


def test_a_head_turns_in_any_photo_and_what_is_far_from_it_stays(case):
    found, _, (turned, sure) = case
    before = found.photo.pixels
    assert bool(turned.isfinite().all())
    assert 0 <= turned.min() <= turned.max() <= 1
    assert 0 <= sure.min() < sure.max() <= 1
    left, top, right, bottom = (round(each) for each in head_of(found))
    rows, columns = slice(max(top, 0), bottom), slice(max(left, 0), right)
    assert (turned - before)[rows, columns].abs().mean() > 0.005
    room = round(0.5 * (right - left))
    far = torch.ones(found.photo.size, dtype=torch.bool)
    far[max(top - room, 0) : bottom + room, max(left - room, 0) : right + room] = False
    assert torch.equal(turned[far], before[far])


def test_an_edit_of_nothing_is_the_photo_in_any_photo(case):
    found, stage, _ = case
    assert torch.equal(stage(found.faces[0].parameters), found.photo.pixels)


def test_a_frame_that_a_person_fills_shows_no_wall_behind_them(known):
    turned = drawn(CASES["filling the frame"](known))[1][0]
    assert (turned[..., 1] - turned[..., 0]).amax() < 0.1


def test_who_touches_someone_that_turns_stays_as_they_are(known):
    photo = known.photo.pixels
    left, _, right, _ = head_of(known)
    wide = round(right - left)
    head = (photo != torch.tensor([0.0, 1.0, 0.0])).any(-1, keepdim=True)
    apart = round(0.9 * wide)
    canvas = torch.tensor([0.0, 1.0, 0.0]).expand(photo.shape[0], photo.shape[1] + apart, 3).clone()
    canvas[:, apart:] = torch.where(head, photo, canvas[:, apart:])
    canvas[:, : photo.shape[1]] = torch.where(head, photo, canvas[:, : photo.shape[1]])
    face = known.faces[0]
    camera = replace(face.camera, size=(canvas.shape[0], canvas.shape[1]))
    face = replace(face, fit=replace(face.fit, camera=camera))
    wanted = edit(face.parameters, model=face.model, yaw=face.pose_degrees["yaw"] + YAW)
    turned = Rerenderer(face, Photo(canvas))(wanted)
    theirs = round(right) + round(0.4 * wide)
    assert torch.equal(turned[:, theirs:], canvas[:, theirs:])
    assert (turned - canvas)[:, : round(right)].abs().mean() > 0.005
