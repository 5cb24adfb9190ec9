"""Edits by name."""

from dataclasses import replace

import pytest
import roma
import torch

from morphface.edit import ARKIT_NAMES, PRESETS, Light, edit, lamp, turned_to
from morphface.edit.pose import PIVOT
from morphface.edit.presets import group_of
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import to_camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from tests.edit.clips import clip, column, same


def angles(face):
    return torch.rad2deg(rotvec_to_angles(face.rotation))


def test_an_edit_of_nothing_changes_nothing():
    face = clip(5)
    out = edit(face)
    for name in vars(face):
        assert torch.equal(getattr(out, name), getattr(face, name))


def test_what_is_there_already_can_be_asked_for():
    face = clip(1)
    yaw, pitch, roll = angles(face)[0].tolist()
    named = dict(zip(load_model("open-head").expression.names, face.expression[0], strict=True))
    gaze = torch.rad2deg(face.gaze)
    light = face.illumination
    out = edit(face, expression=named, yaw=yaw, pitch=pitch, roll=roll, gaze=gaze, light=light)
    same(out, face)


def test_a_weight_is_set_or_added_and_only_this_one():
    face = clip(3)
    at = column("jawOpen")
    others = [k for k in range(52) if k != at]
    given = edit(face, expression={"jawOpen": 0.6})
    added = edit(face, expression={"jawOpen": 0.1}, additive=True)
    assert (given.expression[:, at] == 0.6).all()
    torch.testing.assert_close(added.expression[:, at], face.expression[:, at] + 0.1)
    for out in (given, added):
        assert torch.equal(out.expression[:, others], face.expression[:, others])
    assert (edit(face, expression={"jawOpen": 0.99}, additive=True).expression[:, at] == 1).all()
    assert (edit(face, expression={"jawOpen": -0.99}, additive=True).expression[:, at] == 0).all()


def test_missing_trailing_coefficients_count_as_zero():
    face = replace(clip(1), expression=torch.full((1, 3), 0.5))
    out = edit(face, expression={"tongueOut": 1.0})
    assert out.expression.shape == (1, 52)
    assert (out.expression[0, 3:-1] == 0).all()


def test_presets_can_be_mixed_and_overruled():
    face = clip(1)
    out = edit(face, preset={"smile": 0.5, "wink_left": 1.0}, expression={"eyeBlinkLeft": 0.2})
    was, now = face.expression[0], out.expression[0]
    assert now[column("eyeBlinkLeft")] == pytest.approx(0.2)
    for name, least in (("mouthSmileRight", 0.5 * 0.7), ("cheekSquintLeft", 0.5 * 0.4 + 0.7)):
        expected = was[column(name)].clamp(min=min(least, 1.0))
        torch.testing.assert_close(now[column(name)], expected)
    half = 0.5 * was[column("browInnerUp")]  # the smile's brows are at rest
    torch.testing.assert_close(now[column("browInnerUp")], half)


@pytest.mark.parametrize("name", ["sad", "angry", "disgust"])
def test_a_preset_wipes_a_smile_and_leaves_the_eyes(name):
    smiling = edit(FaceParameters.neutral(), expression=PRESETS["smile"] | {"eyeLookUpLeft": 0.4})
    over, alone = edit(smiling, preset=name), edit(FaceParameters.neutral(), preset=name)
    mouth = [column(n) for n in ARKIT_NAMES if group_of(n) != "eyes"]
    torch.testing.assert_close(over.expression[:, mouth], alone.expression[:, mouth])
    assert over.expression[0, column("eyeLookUpLeft")] == pytest.approx(0.4)
    squint = max(PRESETS[n].get("eyeSquintLeft", 0.0) for n in (name, "smile"))
    assert over.expression[0, column("eyeSquintLeft")] == pytest.approx(squint)


def test_a_preset_that_is_added_replaces_nothing():
    smiling = edit(FaceParameters.neutral(), preset="smile")
    both = edit(smiling, preset="sad", additive=True).expression
    sad = edit(FaceParameters.neutral(), preset="sad").expression
    torch.testing.assert_close(both, (smiling.expression + sad).clamp(0, 1))


def test_the_neutral_preset_takes_all_expression_away():
    assert not edit(clip(4), preset="neutral").expression.any()


def test_one_frame_becomes_as_many_as_there_are_values():
    turns = torch.linspace(-30, 30, 7)
    out = edit(clip(1), yaw=turns, expression={"jawOpen": [0.1] * 7}, roll=0.0, pitch=0.0)
    torch.testing.assert_close(angles(out)[:, 0], turns, atol=1e-4, rtol=0)
    assert out.frames == 7
    assert len(out.illumination) == 7


# --- pose ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll"])
def test_an_angle_is_set_and_the_others_stay(name):
    face = clip(4)
    which = ("yaw", "pitch", "roll").index(name)
    out = angles(edit(face, **{name: 17.0}))
    want = angles(face)
    want[:, which] = 17.0
    torch.testing.assert_close(out, want, atol=1e-3, rtol=0)


def test_the_head_turns_about_its_pivot():
    face = clip(4)
    out = edit(face, yaw=40.0, pitch=-10.0)
    pivot = torch.tensor(PIVOT)[None, None].expand(4, 1, 3)
    places = [to_camera(pivot, f.rotation, f.translation) for f in (face, out)]
    torch.testing.assert_close(*places, atol=1e-3, rtol=0)


def test_turning_keeps_the_head_where_it_was_better_than_about_the_eyes():
    # The centre of the whole head must move less than if it turned between its eyes.
    model = load_model("open-head")
    face = FaceParameters.neutral()
    mean = model.identity.mean[model.regions["skin"] > 0.5]
    mean = mean[mean[:, 1] > -90]
    for yaw in (-45.0, 45.0):
        out = edit(face, yaw=yaw)
        about_eyes = replace(out, translation=face.translation)
        centre = [
            to_camera(mean[None], f.rotation, f.translation)[0, :, 0].aminmax()
            for f in (face, out, about_eyes)
        ]
        middle = [float(c.min + c.max) / 2 for c in centre]
        assert abs(middle[1] - middle[0]) < 0.5 * abs(middle[2] - middle[0])


def test_added_rotations_are_composed():
    face = clip(4)
    out = edit(edit(face, yaw=20.0, pitch=5.0, additive=True), roll=-30.0, additive=True)
    turn = roma.rotvec_to_rotmat
    y, p, r = (torch.tensor(a).deg2rad() for a in (20.0, 5.0, -30.0))
    about_y = turn(torch.tensor([0.0, 1.0, 0.0]) * y)
    about_x = turn(torch.tensor([-1.0, 0.0, 0.0]) * p)
    about_z = turn(torch.tensor([0.0, 0.0, 1.0]) * r)
    want = about_z @ about_y @ about_x @ turn(face.rotation)
    torch.testing.assert_close(turn(out.rotation), want, atol=1e-5, rtol=0)


def test_turning_back_restores_the_face():
    face = clip(4)
    same(turned_to(edit(face, yaw=30.0, roll=10.0), face.rotation), face)


def test_positive_yaw_turns_the_face_to_image_right_and_positive_pitch_up():
    nose = torch.tensor([[[0.0, -40.0, 45.0]]])
    still = FaceParameters.neutral()
    right, up = edit(still, yaw=20.0), edit(still, pitch=20.0)
    x, y = (
        to_camera(nose, f.rotation, f.translation)[0, 0] - to_camera(nose, *start(still))[0, 0]
        for f in (right, up)
    )
    assert x[0] > 20
    assert y[1] > 20


def start(face):
    return face.rotation, face.translation


# --- gaze ----------------------------------------------------------------------------------


def test_gaze_is_in_degrees_and_the_lids_follow_it():
    face = FaceParameters.neutral()
    out = edit(face, gaze=(10.0, -15.0))
    torch.testing.assert_close(torch.rad2deg(out.gaze), torch.tensor([[[10.0, -15.0]] * 2]))
    got = {n: float(out.expression[0, column(n)]) for n in ARKIT_NAMES if n.startswith("eyeLook")}
    want = dict.fromkeys(got, 0.0)
    want |= {"eyeLookOutLeft": 1 / 3, "eyeLookInRight": 1 / 3}
    want |= {"eyeLookDownLeft": 0.5, "eyeLookDownRight": 0.5}
    assert got == pytest.approx(want, abs=1e-6)


def test_gaze_back_and_forth_restores_the_lids():
    face = FaceParameters.neutral()
    same(edit(edit(face, gaze=(12.0, -8.0)), gaze=(0.0, 0.0)), face)


def test_each_eye_may_look_elsewhere_and_each_frame():
    face = FaceParameters.neutral()
    crossed = edit(face, gaze=[[[-8.0, 0.0], [8.0, 0.0]]])
    assert torch.rad2deg(crossed.gaze[0, :, 0]).tolist() == pytest.approx([-8.0, 8.0])
    moving = edit(face, gaze=[[0.0, 0.0], [5.0, 1.0], [10.0, 2.0]])
    assert torch.rad2deg(moving.gaze[:, 1, 0]).tolist() == pytest.approx([0.0, 5.0, 10.0])


def test_added_gaze_stops_where_eyes_stop():
    face = edit(FaceParameters.neutral(), gaze=(45.0, 0.0))
    out = edit(face, gaze=(20.0, 0.0), additive=True)
    assert torch.rad2deg(out.gaze[0, 0, 0]) == pytest.approx(50.0)


# --- identity and light --------------------------------------------------------------------


def test_identity_by_index_and_whole():
    face = clip(2)
    one = edit(face, identity={3: 1.5})
    assert one.identity[0, 3] == 1.5
    assert torch.equal(one.identity[0, 4:], face.identity[0, 4:])
    whole = edit(face, identity=torch.zeros(80))
    assert not whole.identity.any()
    more = edit(face, identity={3: 0.5}, additive=True)
    torch.testing.assert_close(more.identity[0, 3], face.identity[0, 3] + 0.5)


def test_light_by_factor_by_words_and_by_coefficients():
    face = clip(2)
    bright = edit(face, light=2.0)
    same(bright, edit(face, light=Light(brightness=2.0)))
    assert not torch.equal(bright.illumination, face.illumination)
    out = edit(face, light=lamp(90, 0))
    assert torch.equal(out.illumination, lamp(90, 0).expand(2, 9, 3))
    added = edit(face, light=torch.ones(9, 3), additive=True)
    torch.testing.assert_close(added.illumination, face.illumination + 1)


# --- refusals ------------------------------------------------------------------------------

REFUSED = [
    ({"expression": {"jawopen": 0.5}}, "called 'jawopen': did you mean jawOpen"),
    ({"expression": {"eyeBlink": 1.0}}, "did you mean eyeBlinkLeft or eyeBlinkRight"),
    ({"expression": {"": 1.0}}, "no expression is called ''; there are"),
    ({"expression": {"jawOpen": 1.6}}, r"jawOpen must be from 0 to 1, got 1\.6"),
    ({"expression": {"jawOpen": -0.1}}, r"jawOpen must be from 0 to 1, got -0\.1"),
    ({"expression": {"jawOpen": 60}, "additive": True}, "jawOpen must be from -1 to 1, got 60"),
    ({"expression": {"jawOpen": float("nan")}}, "jawOpen must be finite"),
    ({"expression": {"jawOpen": "wide"}}, "jawOpen must be numbers, got 'wide'"),
    ({"expression": {"jawOpen": [0.1, 0.2]}}, "jawOpen has 2 values, but there are 3 frames"),
    ({"expression": {"jawOpen": [[0.1]]}}, r"jawOpen must be a number or one for each frame"),
    ({"preset": "smirk"}, "no preset is called 'smirk'"),
    ({"preset": {"smile": 2.0}}, "strength of a preset must be from 0 to 1, got 2"),
    ({"yaw": 270.0}, "yaw must be from -180 to 180 degrees, got 270"),
    ({"pitch": -95.0}, "pitch must be from -90 to 90 degrees, got -95"),
    ({"gaze": (60.0, 0.0)}, "gaze yaw must be from -50 to 50 degrees, got 60"),
    ({"gaze": (0.0, 45.0)}, "gaze pitch must be from -40 to 40 degrees, got 45"),
    ({"gaze": 10.0}, "gaze must be 2, T 2 or T 2 2 numbers"),
    ({"identity": {99: 1.0}}, "no identity coefficient 99: they are numbered 0 to 79"),
    ({"identity": {3: 9.0}}, "identity 3 must be within 5 standard deviations, got 9"),
    ({"identity": [0.0, 1.0]}, "identity must have 80 coefficients, got 2"),
    ({"light": -1.0}, "brightness must be from 0 to 10, got -1"),
    ({"light": torch.zeros(27)}, r"light must have shape \(..., 9, 3\)"),
    ({"light": "bright"}, "light must be numbers, got 'bright'"),
]


@pytest.mark.refusal
@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_its_name(change, message):
    with pytest.raises(ValueError, match=message):
        edit(clip(3), **change)


@pytest.mark.refusal
def test_parameters_of_another_model_are_refused():
    other = FaceParameters.neutral(identity=199, expression=100)
    with pytest.raises(ValueError, match="199 identity and 100 expression .* pass the model"):
        edit(other, yaw=3.0)
