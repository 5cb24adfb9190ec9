import math

import pytest
import torch

from morphface.geometry.camera import Camera, to_camera
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import LOST, PREDICTED, TRACKED
from morphface.pipelines.tracking.overlay import PANEL, OverlayPainter, Shown
from tests.pipelines.tracking.tracked import SIZE, camera, parameters

GREY = Photo(torch.full((*SIZE, 3), 128, dtype=torch.uint8))


@pytest.fixture(scope="module")
def painter():
    return OverlayPainter(load_model("open-head"), SIZE)


def changed(picture, half):
    """Where a panel differs from the grey frame."""
    panel = picture[:, : SIZE[1]] if half == "lines" else picture[:, SIZE[1] :]
    return (panel.int() - 128).abs().amax(dim=-1) > 3


def spots(face):
    """Where the 68 points are, by the model alone."""
    model = load_model("open-head")
    shape = model.vertices(face.identity, face.expression, face.gaze)[0]
    points = model.landmarks["68"].points(shape)
    return camera().project(to_camera(points, face.rotation[0], face.translation[0]))[:, :2]


def test_the_mesh_lies_where_the_face_is(painter):
    face = parameters(yaw=0.2, x=20.0)
    drawn = changed(painter.draw(GREY, [Shown(face, camera(), TRACKED)]), "mesh")
    rows, columns = torch.nonzero(drawn).unbind(1)
    marks = spots(face)
    assert rows.max() == pytest.approx(float(marks[8, 1]), abs=4)
    # Behind the line of the jaw, which is turned to the camera here, the mask fades out.
    assert columns.min() == pytest.approx(float(marks[:, 0].min()), abs=5)
    assert columns.max() == pytest.approx(float(marks[:, 0].max()), abs=4)
    assert drawn[int(marks[30, 1]), int(marks[30, 0])]


def test_the_lines_go_through_the_landmarks(painter):
    face = parameters()
    drawn = changed(painter.draw(GREY, [Shown(face, camera(), TRACKED)]), "lines")
    marks = spots(face)[48:60].round().long()
    near = torch.stack([drawn[y - 2 : y + 3, x - 2 : x + 3].any() for x, y in marks.tolist()])
    assert near.float().mean() > 0.9
    assert drawn.float().mean() < 0.15


@pytest.mark.parametrize(("gaze", "side"), [((0.5, 0.0), 1), ((-0.5, 0.0), -1)])
def test_the_lines_of_sight_point_where_the_eyes_look(painter, gaze, side):
    def yellow(gaze):
        panel = painter.draw(GREY, [Shown(parameters(gaze=gaze), camera(), TRACKED)])
        panel = panel[:, : SIZE[1]].int()
        return torch.nonzero((panel[..., 0] - panel[..., 2]) > 60)[:, 1].float()

    assert side * (yellow(gaze).mean() - yellow((0.0, 0.0)).mean()) > 3


def test_who_is_lost_is_not_drawn_and_who_is_guessed_has_another_colour(painter):
    face = parameters()
    lost = painter.draw(GREY, [Shown(face, camera(), LOST)])
    assert (lost == 128).all()
    tracked, guessed = (
        painter.draw(GREY, [Shown(face, camera(), state)])[:, SIZE[1] :].float()
        for state in (TRACKED, PREDICTED)
    )
    assert (tracked[..., 2] - tracked[..., 0]).sum() > 0 > (guessed[..., 2] - guessed[..., 0]).sum()


def test_two_people_are_both_drawn(painter):
    both = [Shown(parameters(x=160.0 * k - 80), camera(), TRACKED, k) for k in (0, 1)]
    alone = [changed(painter.draw(GREY, [one]), "mesh").sum() for one in both]
    assert changed(painter.draw(GREY, both), "mesh").sum() > 1.9 * min(alone)


@pytest.mark.parametrize("x", [150.0, 400.0, math.nan])
def test_a_face_at_the_border_or_beyond_is_no_obstacle(painter, x):
    face = parameters()
    face.translation[0, 0] = x
    painter.draw(GREY, [Shown(face, camera(), TRACKED)])


def test_large_videos_are_drawn_small():
    painter = OverlayPainter(load_model("open-head"), (960, 1280))
    large = Camera.facing((960, 1280), focal=2500.0)
    photo = Photo(torch.full((960, 1280, 3), 128, dtype=torch.uint8))
    drawn = painter.draw(photo, [Shown(parameters(), large, TRACKED)])
    assert drawn.shape == (480, 2 * PANEL, 3) == (*painter.size, 3)
    small = OverlayPainter(load_model("open-head"), SIZE)
    same = small.draw(GREY, [Shown(parameters(), camera(), TRACKED)])
    share = [(panel != 128).float().mean() for panel in (drawn[:, PANEL:], same[:, SIZE[1] :])]
    assert share[0] == pytest.approx(float(share[1]), rel=0.1)


def test_the_frame_itself_stays_as_it_was(painter):
    before = GREY.to_uint8().clone()
    painter.draw(GREY, [Shown(parameters(), camera(), TRACKED)])
    assert torch.equal(GREY.to_uint8(), before)
