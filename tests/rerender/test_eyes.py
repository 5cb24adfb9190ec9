from dataclasses import replace
from math import pi

import pytest
import torch

from morphface.edit import edit
from morphface.fit.analysis.colour import LUMINANCE
from morphface.media.images import Photo
from morphface.rerender import Rerenderer
from morphface.rerender.eye_photo import WHITEST, EyePhoto
from morphface.rerender.eye_place import RINGS, from_lids
from morphface.rerender.eyes import Eyes
from morphface.rerender.lids import MovedLids
from morphface.rerender.looks import Look
from morphface.rerender.seen_head import SeenHead
from tests.rerender.heads import SIZE, draw, photographed, pixels

GAZES = [(-21.0, 0.0), (21.0, 0.0), (0.0, 20.0)]


@pytest.fixture(scope="module")
def case():
    return photographed({"eyeWideLeft": 0.5})


def eyes_of(face, photo):
    return Eyes(SeenHead(face, photo, Look.of(face.model, face.parameters)))


def over(eyes, face, photo, parameters):
    frame = photo.pixels.clone()
    eyes.over(frame, parameters, looks_of(eyes, face, parameters), face.camera)
    return frame


def looks_of(eyes, face, parameters):
    return tuple(Look.of(face.model, each) for each in (eyes.resting(parameters), parameters))


def opening(eyes, side, face, parameters):
    """The place of an eye in a look, and how far inside its lids each pixel is."""
    seen = eyes._seen[side]
    motion, base = eyes._moved(side, seen, looks_of(eyes, face, parameters), face.camera)
    after = eyes._after(side, seen, base[:16], parameters, face.camera)
    lids = seen.lids
    inside, _ = MovedLids(lids, motion.of(lids.lines), motion.closed).inside(
        lids.axes.flat(pixels())
    )
    return after, inside * after.width


@pytest.mark.parametrize("gaze", GAZES)
def test_nothing_is_left_of_the_old_iris(case, gaze):
    face, photo = case
    eyes, looking = eyes_of(face, photo), edit(face.parameters, model=face.model, gaze=gaze)
    found = Rerenderer(face, photo)(looking)
    for side in (0, 1):
        after, inside = opening(eyes, side, face, looking)
        where = (after.ball.iris_at(pixels()).norm(dim=-1) > 1.3) & (inside > 2)
        old = eyes._seen[side].shown.place.ball.iris_at(pixels()).norm(dim=-1) < 0.9
        green = found[..., 1] - found[..., [0, 2]].mean(-1)
        assert (where & old).sum() > 15
        assert green[where & old].max() < 0.08


@pytest.mark.parametrize("gaze", GAZES)
def test_the_iris_is_where_it_looks(case, gaze):
    face, photo = case
    eyes, looking = eyes_of(face, photo), edit(face.parameters, model=face.model, gaze=gaze)
    found = over(eyes, face, photo, looking)
    truth = draw(face.model, looking, face.camera)
    for side in (0, 1):
        _, inside = opening(eyes, side, face, looking)
        green, wanted = (
            ((image[..., 1] - image[..., 0] > 0.2) & (inside > 3)).float()
            for image in (found, truth)
        )
        both = (green * wanted).sum() / torch.maximum(green, wanted).sum()
        assert wanted.sum() > 60
        assert both > 0.7


def test_nothing_changes_beyond_the_eyes(case):
    face, photo = case
    eyes = eyes_of(face, photo)
    looking = edit(face.parameters, model=face.model, gaze=(12.0, 0.0))
    changed = (over(eyes, face, photo, looking) != photo.pixels).any(-1)
    near = torch.zeros_like(changed)
    for side in (0, 1):
        after, inside = opening(eyes, side, face, looking)
        near |= inside > -0.75 * after.width
    assert changed.any()
    assert not changed[~near].any()


def test_eyes_that_look_where_they_did_are_left_alone(case):
    face, photo = case
    opened = edit(face.parameters, model=face.model, expression={"jawOpen": 0.5}, yaw=5.0)
    assert torch.equal(over(eyes_of(face, photo), face, photo, opened), photo.pixels)


def test_a_photo_without_the_lids_of_a_mesh_is_left_alone(case):
    face, photo = case
    few = replace(face.fit.landmarks, scheme="68")
    other = replace(face, fit=replace(face.fit, landmarks=few))
    looking = edit(face.parameters, model=face.model, gaze=(10.0, 0.0))
    assert torch.equal(over(eyes_of(other, photo), other, photo, looking), photo.pixels)


def test_the_edge_of_the_lids_is_mixed(case):
    face, _ = case
    black = Photo(torch.zeros(*SIZE, 3))
    eyes = eyes_of(face, black)
    white = []
    for seen in eyes_of(*case)._seen:
        clean, iris = torch.ones_like(seen.shown.clean), torch.ones_like(seen.shown.iris)
        glint = torch.zeros_like(seen.shown.glint)
        shown = replace(seen.shown, clean=clean, iris=iris, glint=glint)
        white.append(replace(seen, shown=shown, lids=replace(seen.lids, pixels=black.pixels)))
    vars(eyes)["_seen"] = white
    looking = edit(face.parameters, model=face.model, gaze=(0.0, 6.0))
    found = over(eyes, face, black, looking)[..., 0]
    inside = torch.stack([opening(eyes, side, face, looking)[1] for side in (0, 1)]).amax(0)
    edge = inside.abs() < 0.3
    assert found[inside < -3].max() == 0
    assert found[edge].mean() == pytest.approx(0.4, abs=0.2)
    assert ((found > 0.1) & (found < 0.9))[edge].float().mean() > 0.8


def test_an_iris_is_found_beside_its_landmarks(case):
    face, photo = case
    for side, seen in enumerate(eyes_of(face, photo)._seen):
        ball = seen.place.ball
        radius = ball.radius * ball.iris
        missed = replace(ball, centre=ball.centre + radius * torch.tensor([0.2, -0.15]))
        again = EyePhoto.of(photo.pixels, replace(seen.place, ball=missed))
        away = (again.place.ball.screen_of(torch.zeros(2)) - ball.screen_of(torch.zeros(2)))[:2]
        assert away.norm() < 0.12 * radius, RINGS[side]


def test_places_on_an_iris_are_found_again(case):
    ball = eyes_of(*case)._seen[0].place.ball
    iris = torch.rand(50, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    assert torch.allclose(ball.iris_at(ball.screen_of(iris)[:, :2]), iris, atol=1e-3)


def test_lids_that_are_round_are_a_radius_away():
    angle = torch.arange(16) * (2 * pi / 16)
    ring = 50 * torch.stack([angle.cos(), angle.sin()], dim=-1) + 60
    place = torch.rand(200, 2, generator=torch.Generator().manual_seed(0)) * 120
    depth, upper = from_lids(ring, place).unbind(-1)
    assert torch.allclose(depth, 50 - (place - 60).norm(dim=-1), atol=0.2)
    assert (upper >= depth.abs() - 1e-4).all()
    above = place[:, 1] < 55
    assert torch.allclose(upper[above], depth[above].abs(), atol=1e-4)


def test_an_eye_whose_white_lids_hide_has_one_that_is_not_far_darker_than_skin(case):
    face, photo = case
    eye = EyePhoto.of(photo.pixels, eyes_of(face, photo)._seen[1].place)
    around = from_lids(eye.place.ring, pixels().reshape(-1, 2)).reshape(*SIZE, 2)
    inside, upper = (around / eye.place.width).unbind(-1)
    brown = photo.pixels.clone()
    brown[inside > 0] *= torch.tensor([0.5, 0.4, 0.36])
    clean = EyePhoto.of(brown, eye.place).clean
    height, width = clean.shape[:2]
    box = slice(eye.corner[1], eye.corner[1] + height), slice(eye.corner[0], eye.corner[0] + width)
    weights, below = torch.tensor(LUMINANCE), (inside < -0.1) & (inside > -0.25) & (upper > 0.3)
    white, was = (each[inside[box] > 0.08].mean(0) for each in (clean, brown[box]))
    assert white @ weights > 0.9 * WHITEST[0] * (brown[below] @ weights).median()
    assert white @ weights > 1.15 * (was @ weights)
    assert white[0] / white[2] < was[0] / was[2]


def test_white_that_is_seen_stays_as_bright_as_it_is(case):
    face, photo = case
    eye = EyePhoto.of(photo.pixels, eyes_of(face, photo)._seen[1].place)
    here = pixels()[eye.corner[1] :, eye.corner[0] :][: eye.clean.shape[0], : eye.clean.shape[1]]
    away = eye.place.ball.iris_at(here).norm(dim=-1)
    far = from_lids(eye.place.ring, here.reshape(-1, 2))[:, 0].reshape(here.shape[:2])
    seen = (away > 1.5) & (far > 0.04 * eye.place.width)
    own = photo.pixels[eye.corner[1] :, eye.corner[0] :][: len(here), : here.shape[1]]
    assert seen.sum() > 10
    assert torch.equal(eye.clean[seen], own[seen])
