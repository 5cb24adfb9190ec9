from dataclasses import replace

import pytest
import torch

from morphface.fit import PhotometricResult
from morphface.pipelines.overlay import LINEAR_PANEL, PANEL, STRIP, draw_overlay
from morphface.pipelines.window import window_around


@pytest.fixture(scope="module")
def picture(known):
    return draw_overlay(known.faces[0], known.photo)


def panels(picture):
    return picture[:LINEAR_PANEL].split(LINEAR_PANEL, dim=1)


def is_green(image):
    return (image - torch.tensor([0.0, 1.0, 0.0])).abs().amax(-1) < 0.1


def test_three_panels_and_a_caption(picture):
    assert picture.shape == (LINEAR_PANEL + STRIP, 3 * LINEAR_PANEL, 3)
    assert len(panels(picture)) == 3
    assert picture[LINEAR_PANEL:].max() > 0.5


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
    assert not torch.equal(other[LINEAR_PANEL:], draw_overlay(face, known.photo)[LINEAR_PANEL:])


@pytest.fixture(scope="module")
def explained(known):
    """The eight panels of a fit that explains the photo, but for a square that it calls hidden."""
    face = known.faces[0]
    cover = torch.zeros(known.photo.size)
    cover[100:130, 160:190] = 1.0
    light = torch.zeros(1, 9, 3)
    light[:, 0] = 1 / 0.886227 - 0.7  # a white surface looks white from everywhere
    pixels = PhotometricResult(
        parameters=replace(face.parameters, illumination=light),
        cameras=(face.camera,),
        landmarks=(face.fit.landmarks,),
        predicted=(face.fit.predicted,),
        landmark_nme=(0.0,),
        photometric_rmse=(0.01,),
        energies={"photometric": 1.0},
        history=(2.0, 1.0),
        albedo=face.model.albedo(face.parameters.reflectance)[0],
        iterations=2,
        occlusion=(cover,),
        gain=torch.ones(1, 3),
        grey=(False,),
        converged=True,
        reason="",
    )
    picture = draw_overlay(replace(face, pixels=pixels), known.photo)
    assert picture.shape == (2 * PANEL + STRIP, 4 * PANEL, 3)
    rows = picture[: 2 * PANEL].split(PANEL, dim=0)
    return [panel for row in rows for panel in row.split(PANEL, dim=1)]


def test_what_the_fit_renders_looks_like_the_photo(explained):
    photo, _, rendered, *_ = explained
    assert (rendered - photo).abs()[40:].mean() < 0.01


def test_a_photo_that_is_explained_leaves_a_grey_difference(explained):
    difference = explained[4][40:]
    assert (difference - 0.5).abs().mean() < 0.02


def test_albedo_under_white_light_is_what_the_photo_shows(explained):
    photo, albedo = explained[0], explained[5]
    inside = ~is_green(photo) & (photo.sum(-1) > 0.5)
    inside[:40] = False
    assert (albedo - photo).abs()[inside].mean() < 0.02


def test_shading_under_white_light_is_the_same_everywhere(explained):
    shading = explained[6][40:]
    dark = (shading - torch.tensor([24, 26, 30]) / 255).abs().amax(-1) < 0.01
    covered = shading[~dark]
    assert covered.std() < 0.06


def test_what_hides_the_face_is_red(explained, known):
    hidden = explained[7]
    red = (hidden[..., 0] > 0.5) & (hidden[..., 1] < 0.4)
    window = window_around(known.faces[0].fit.landmarks.box, PANEL)
    (left, top), (right, bottom) = window.inside(torch.tensor([[160.0, 100.0], [190.0, 130.0]]))
    rows, columns = torch.nonzero(red, as_tuple=True)
    found = torch.stack([columns.min(), rows.min(), columns.max(), rows.max()]).float()
    want = torch.stack([left, top, right, bottom])
    torch.testing.assert_close(found, want, atol=6.0, rtol=0)
