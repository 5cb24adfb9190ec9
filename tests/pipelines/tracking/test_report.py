import math

import pytest
import torch

from morphface.models import load_model
from morphface.parameters import LOST, TRACKED, FaceParameters, Track
from morphface.pipelines.tracking.report import blink_rate, describe_track, still_jitter
from tests.pipelines.tracking.tracked import FOCAL, camera, parameters

MODEL = "open-head"


def track(faces, states=None, rate=25.0):
    count = len(faces)
    first = faces[0]
    groups = ("expression", "illumination", "rotation", "translation", "gaze")
    joined = {name: torch.cat([getattr(face, name) for face in faces]) for name in groups}
    return Track(
        parameters=FaceParameters(identity=first.identity, reflectance=first.reflectance, **joined),
        camera=camera(),
        states=torch.tensor([TRACKED] * count if states is None else states),
        times=torch.arange(count).double() / rate,
        indices=torch.arange(count),
        landmark_nme=torch.full((count,), 0.01),
        boxes=torch.tensor([[40.0, 20.0, 80.0, 70.0]]).repeat(count, 1),
    )


def test_blinks_are_counted_once_each_by_the_minute_that_was_seen():
    weights = [0.0, 0.7, 0.9, 0.7, 0.4, 0.6, 0.1, 0.0, 0.8, 0.0, 0.2, 0.0]
    seen = track([parameters(blink=weight) for weight in weights])
    assert blink_rate(seen, load_model(MODEL)) == pytest.approx(2 / (11 / 25 / 60))


def test_eyes_that_were_shut_when_the_face_appeared_are_no_blink():
    weights = [0.9, 0.9, 0.0, 0.9, 0.0, 0.9]
    states = [TRACKED, TRACKED, TRACKED, TRACKED, LOST, TRACKED]
    seen = track([parameters(blink=weight) for weight in weights], states)
    assert blink_rate(seen, load_model(MODEL)) == pytest.approx(1 / (4 / 25 / 60))


def test_jitter_of_a_still_head_is_the_second_difference_of_its_points():
    shaken = [parameters(x=0.5 * (k % 2)) for k in range(30)]
    pixels = 0.5 * FOCAL / 900
    got = still_jitter(track(shaken), load_model(MODEL))
    assert got == pytest.approx(2 * pixels / 2, rel=0.1)  # in x alone, of x and y


def test_frames_in_which_the_head_moves_do_not_count_as_jitter():
    moving = [parameters(x=3.0 * k + 0.5 * (k % 2)) for k in range(30)]
    assert still_jitter(track(moving), load_model(MODEL)) is None
    turning = [parameters(yaw=0.01 * k) for k in range(30)]
    assert still_jitter(track(turning), load_model(MODEL)) is None
    assert still_jitter(track([parameters()] * 2), load_model(MODEL)) is None


def test_what_was_never_seen_is_described_by_nothing():
    lost = track([parameters()] * 4, [LOST] * 4)
    lost.boxes[:], lost.landmark_nme[:] = math.nan, math.nan
    found = describe_track(lost, load_model(MODEL))
    assert found["frames_lost"] == 4
    nothing = ("landmark_error", "jitter_pixels", "box_drift", "blinks_per_minute")
    assert [found[name] for name in nothing] == [None] * 4
