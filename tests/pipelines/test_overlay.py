from dataclasses import replace

import pytest
import torch

from morphface.pipelines.overlay import PANEL, STRIP, draw_overlay


@pytest.fixture(scope="module")
def picture(known):
    return draw_overlay(known.faces[0], known.photo)


def panels(picture):
    return picture[:PANEL].split(PANEL, dim=1)


def is_green(image):
    return (image - torch.tensor([0.0, 1.0, 0.0])).abs().amax(-1) < 0.1


def test_three_panels_and_a_caption(picture):
    assert picture.shape == (PANEL + STRIP, 3 * PANEL, 3)
    assert len(panels(picture)) == 3
    assert picture[PANEL:].max() > 0.5


def test_the_mesh_covers_the_head_and_nothing_else(picture):
    photo, overlay, mesh = panels(picture)
    wall = is_green(photo)
    assert 0.2 < wall.float().mean() < 0.8
    assert (is_green(overlay) == wall).float().mean() > 0.985
    dark = (mesh - torch.tensor([24, 26, 30]) / 255).abs().amax(-1) < 0.01
    inside_photo = photo.sum(-1) > 0.5
    assert (dark == wall)[inside_photo].float().mean() > 0.985


def test_a_residual_is_drawn_from_the_detected_to_the_fitted_landmark(known):
    face = known.faces[0]
    moved = replace(face.fit, predicted=face.fit.predicted + torch.tensor([8.0, 0.0]))
    still = panels(draw_overlay(face, known.photo))[1]
    drawn = panels(draw_overlay(replace(face, fit=moved), known.photo))[1]
    changed = (drawn - still).abs().amax(-1) > 0.1
    red = drawn[changed]
    assert changed.sum() > 1000
    assert (red[:, 0] > red[:, 1]).float().mean() > 0.9


def test_a_face_at_the_border_is_drawn_too(known):
    face = known.faces[0]
    left = replace(known.photo, pixels=known.photo.pixels[:, 150:])
    shift = torch.tensor([-150.0, 0.0])
    marks = face.fit.landmarks
    box = (marks.box[0] - 150, marks.box[1], marks.box[2] - 150, marks.box[3])
    fit = replace(
        face.fit,
        camera=replace(face.camera, principal=face.camera.principal + shift, size=(240, 170)),
        landmarks=replace(marks, points=marks.points + shift, box=box),
        predicted=face.fit.predicted + shift,
    )
    picture = draw_overlay(replace(face, fit=fit), left)
    there = draw_overlay(face, known.photo)
    torch.testing.assert_close(panels(picture)[2], panels(there)[2], atol=0.02, rtol=0)


def test_a_face_that_did_not_converge_says_so(known):
    face = known.faces[0]
    fit = replace(face.fit, converged=False, reason="the landmarks contradict each other")
    other = draw_overlay(replace(face, fit=fit), known.photo)
    assert not torch.equal(other[PANEL:], draw_overlay(face, known.photo)[PANEL:])
