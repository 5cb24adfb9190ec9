"""Gaze from the pixels between the lids: found from afar, whatever the eyes' colours."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from morphface.fit import fit_photometric
from morphface.fit.analysis.eyes import Expected, Glance, likely_gaze, parts_of
from morphface.fit.analysis.markers import detected, eyes_hidden, iris_gaze
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.models import gaze_rotation, load_model
from tests.fit.analysis.studio import Studio, perturbed, studio
from tests.toy import toy_model

EXPECTED = Expected(0.3, 0.08, 0.03)
PARTS = parts_of(load_model("open-head"))
AHEAD = torch.tensor([0.0, 0.0, 1.0])


def glance(gaze, *, iris=(0.3, 0.25, 0.2), ahead=AHEAD, landmarks=None, pixels=(24, 10)) -> Glance:
    """An eye between lids, seen from the front, each pixel the mean of sixteen."""
    across, up = pixels
    x, y = torch.arange(4 * across) / 4 + 0.125, torch.arange(4 * up) / 4 + 0.125
    x, y = torch.meshgrid((x - across / 2) * 1.2, (y - up / 2) * 1.2, indexing="xy")
    inside = torch.stack([x, y], dim=-1) / 16.7
    towards = torch.cat([inside, (1 - inside.square().sum(-1, keepdim=True)).sqrt()], dim=-1)
    away = (towards @ (gaze_rotation(torch.tensor(gaze)) @ ahead)).clamp(-1, 1).acos()[..., None]
    white, black = torch.tensor([0.85, 0.82, 0.8]), torch.tensor([0.03, 0.03, 0.03])
    colour = torch.where(away < PARTS.ends[1], torch.tensor(iris), white)
    colour = torch.where(away < PARTS.ends[0], black, colour) * 0.9

    def pooled(values):
        return values.reshape(up, 4, across, 4, 3).mean(dim=(1, 3)).flatten(0, 1)

    count = across * up
    return Glance(
        ahead=ahead,
        towards=normalize(pooled(towards), dim=-1),
        white=torch.full((count, 3), 0.9),
        seen=pooled(colour.expand(*away.shape[:2], 3)),
        worth=torch.full((count,), 1.44),
        blur=1.2 / 16.7,
        iris=landmarks,
    )


def off(found, wanted) -> float:
    return float((found - torch.tensor(wanted)).abs().max().rad2deg())


@pytest.mark.parametrize("gaze", [(0.0, 0.0), (0.32, 0.1), (-0.3, -0.12), (0.1, 0.2)])
@pytest.mark.parametrize("iris", [(0.3, 0.25, 0.2), (0.1, 0.06, 0.04), (0.35, 0.5, 0.6)])
def test_the_gaze_of_a_drawn_eye_is_found(gaze, iris):
    eyes = (glance(gaze, iris=iris), glance(gaze, iris=iris))
    assert off(likely_gaze(eyes, PARTS, EXPECTED), (gaze, gaze)) < 1.0


def test_an_eyeball_that_rests_askew_is_turned_back():
    askew = normalize(torch.tensor([0.08, -0.05, 1.0]), dim=0)
    eyes = (glance((0.2, 0.1), ahead=askew), glance((0.2, 0.1), ahead=askew))
    assert off(likely_gaze(eyes, PARTS, EXPECTED), ((0.2, 0.1), (0.2, 0.1))) < 1.0


def test_wrong_landmarks_of_the_iris_do_not_lead_astray():
    wrong = torch.tensor([-0.1, -0.05])
    eyes = tuple(glance((0.15, 0.08), landmarks=wrong) for _ in range(2))
    assert off(likely_gaze(eyes, PARTS, EXPECTED), ((0.15, 0.08), (0.15, 0.08))) < 1.0


def test_what_is_dark_far_from_the_landmarks_of_the_iris_is_none():
    marked = torch.tensor([0.35, 0.0])
    eyes = tuple(glance((-0.4, -0.1), landmarks=marked) for _ in range(2))
    found = likely_gaze(eyes, PARTS, EXPECTED)
    assert (found - marked).norm(dim=1).max() < 0.46


def test_shine_does_not_lead_astray():
    eye = glance((0.15, 0.05))
    seen = eye.seen.clone()
    seen[(eye.towards - torch.tensor([0.25, 0.1, 0.96])).norm(dim=1) < 0.09] = 1.0
    found = likely_gaze((replace(eye, seen=seen),) * 2, PARTS, EXPECTED)
    assert off(found, ((0.15, 0.05), (0.15, 0.05))) < 1.5


def test_a_closed_eye_looks_where_the_other_does_and_two_where_landmarks_say():
    eye = glance((0.2, -0.1))
    shut = replace(eye, **{n: getattr(eye, n)[:0] for n in ("towards", "white", "seen", "worth")})
    both = ((0.2, -0.1), (0.2, -0.1))
    assert off(likely_gaze((eye, shut), PARTS, EXPECTED), both) < 1.2
    shut = replace(shut, iris=torch.tensor([0.2, -0.1]))
    assert off(likely_gaze((shut, shut), PARTS, EXPECTED), both) < 1.2


def test_what_is_hidden_says_nothing():
    eye = replace(glance((0.3, 0.1)), iris=torch.zeros(2))
    hidden = replace(eye, worth=torch.zeros_like(eye.worth))
    assert off(likely_gaze((hidden, hidden), PARTS, EXPECTED), ((0.0, 0.0),) * 2) < 0.1


def test_only_a_model_that_shows_its_eyes_is_looked_into():
    model = load_model("open-head")
    assert parts_of(toy_model()) is None
    assert parts_of(replace(model, reflectance=None)) is None
    assert parts_of(replace(model, regions={})) is None
    assert 0.1 < PARTS.ends[0] < 0.2 < 0.48 < PARTS.ends[1] < 0.54
    assert (PARTS.mean.mean(dim=1).diff() > 0.1).all()


def looking() -> Studio:
    """An open head that looks aside."""
    place = studio(load_model("open-head"), seed=4, scheme="478")
    p = replace(place.parameters, gaze=torch.tensor([[[0.25, 0.1], [0.22, 0.1]]]))
    p = replace(p, identity=p.identity * 0.7, translation=torch.tensor([[0.0, 5.0, -520.0]]))
    lids = [k for k, name in enumerate(place.model.expression.names) if name.startswith("eye")]
    expression = p.expression.clone() * 0.5
    expression[0, lids] = 0.0
    return replace(place, parameters=replace(p, expression=expression))


def test_exact_landmarks_say_the_exact_gaze():
    place = looking()
    start = place.start(place.parameters)
    marks = detected(place.model, start, place.look, PhotometricSettings())
    found = torch.stack(iris_gaze(marks, place.look))
    torch.testing.assert_close(found, place.parameters.gaze[0], atol=2e-3, rtol=0)


@pytest.mark.slow
def test_the_gaze_of_a_picture_is_found_though_the_landmarks_look_elsewhere():
    place = looking()
    start = place.start(perturbed(place.parameters))
    points = start.landmarks.points.clone()
    points[468:478, 0] -= 2.0
    start = replace(start, landmarks=replace(start.landmarks, points=points))
    found = fit_photometric(place.model, [place.photo()], [start]).parameters.gaze
    assert off(found, place.parameters.gaze.tolist()) < 4.0


def test_eyes_that_are_hidden_look_ahead_whatever_their_landmarks_say():
    place = looking()
    start = place.start(place.parameters)
    confidence = start.landmarks.confidence.clone()
    confidence[468:478] = 0.01
    behind = replace(start, landmarks=replace(start.landmarks, confidence=confidence))
    for marks, hidden in ((start, False), (behind, True)):
        seen = detected(place.model, marks, place.look, PhotometricSettings())
        assert eyes_hidden(seen) == hidden
    found = fit_photometric(place.model, [place.photo()], [behind]).parameters.gaze
    assert not bool(found.any())
