"""Measures by closed forms and laws; what verdicts make of them."""

import math
from dataclasses import replace

import pytest
import roma
import torch
from torch.nn.functional import conv2d

from morphface.core.errors import ParameterError, VerdictError
from morphface.fit.verdict import (
    WARNINGS,
    Measures,
    Warned,
    check_frame_kinds,
    check_kinds,
    frame_warnings,
    judge,
    judge_track,
    measure,
    refuse_frames,
    warned_frames,
)
from morphface.fit.verdict.measures import turn_of
from morphface.fit.verdict.pose import pose_apart
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import to_camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.landmarks.schemes import scheme
from morphface.media.images import Photo
from morphface.parameters import LOST, TRACKED, Reason, Track
from morphface.pipelines.verdicts import refuse_tracked, refuse_warned

MOVING = ("expression", "illumination", "rotation", "translation", "gaze")


def measured(known, photo=None, **wishes):
    face = known.faces[0]
    return measure(face.model, face.fit, None, photo or known.photo, **wishes)


def test_a_perfect_fit_has_no_warning_but_that_of_the_focal_length(known):
    found = measured(known)
    verdict = judge(found, known.faces[0].fit, None)
    assert [one.name for one in verdict.warnings] == ["focal"]
    assert verdict.converged
    assert verdict.reason == ""
    assert [
        one.name
        for one in judge(measured(known, lens_known=True), known.faces[0].fit, None).warnings
    ] == []


def test_every_warning_has_a_measure_and_words_with_its_number():
    assert set(WARNINGS) <= set(Measures().record())
    for kind in WARNINGS.values():
        number = kind.words[kind.words.index("{") : kind.words.index("}") + 1].format(0.25)
        assert number in Warned(kind.name, 0.25).words


def test_what_was_not_measured_warns_of_nothing(known):
    assert judge(Measures(), known.faces[0].fit, None).warnings == ()


@pytest.mark.parametrize("yaw", [0.0, 30.0, -75.0])
def test_a_turn_is_the_angle_between_the_face_and_the_camera(yaw):
    rotation = angles_to_rotvec(torch.tensor([[yaw, 0.0, 0.0]]).deg2rad())
    ahead, aside = torch.tensor([[0.0, 0.0, -700.0]]), torch.tensor([[-700.0, 0.0, -700.0]])
    assert float(turn_of(rotation, ahead)) == pytest.approx(abs(yaw), abs=1e-2)
    assert float(turn_of(rotation, aside)) == pytest.approx(abs(yaw - 45.0), abs=1e-2)


def test_blur_is_measured_in_sizes_of_the_face(known):
    face = known.faces[0].fit.landmarks
    size = max(face.box[2] - face.box[0], face.box[3] - face.box[1])
    sharp = measured(known).blurred
    for sigma in (3.0, 6.0):
        x = torch.arange(-20, 21) / sigma
        row = torch.exp(-0.5 * x**2)
        row = (row / row.sum()).view(1, 1, 1, -1)
        planes = known.photo.pixels.permute(2, 0, 1)[:, None]
        planes = conv2d(conv2d(planes, row, padding="same"), row.transpose(2, 3), padding="same")
        blurred = measured(known, Photo(planes[:, 0].permute(1, 2, 0))).blurred
        assert blurred > sharp
        assert blurred == pytest.approx(sigma / size, rel=0.5)


def test_darkness_and_saturation_are_those_of_the_pixels(known):
    half = measured(known, Photo(known.photo.pixels * 0.5))
    assert half.dark == pytest.approx(0.5 * measured(known).dark, rel=0.02)
    assert half.saturated == 0.0
    assert measured(known, Photo(torch.ones_like(known.photo.pixels))).saturated == 1.0


def test_what_lies_outside_the_picture_is_cut(known):
    left, _, right, _ = known.faces[0].fit.landmarks.box
    half = Photo(known.photo.pixels[:, : round((left + right) / 2)].contiguous())
    assert measured(known).cut == 0.0
    assert 0.3 < measured(known, half).cut < 0.7


def test_exchanged_sides_lie_on_what_faces_away(known):
    from morphface.fit import fit_linear

    face = known.faces[0]
    points = face.fit.predicted[list(scheme("478").mirror)]
    marks = Landmarks(points, "478", torch.ones(len(points)), box_of(points))
    fit = fit_linear(face.model, marks, size=known.photo.size)
    found = measure(face.model, fit, None, known.photo)
    assert found.facing > 0.5
    verdict = judge(found, fit, None)
    assert not verdict.converged
    assert "facing" in {one.name for one in verdict.warnings}


def test_landmarks_that_the_detector_sees_elsewhere_are_not_believed(known):
    fit = known.faces[0].fit
    other = replace(fit.landmarks, points=fit.landmarks.points + 40.0)
    verdict = judge(measured(known, witness=other), fit, None)
    assert not verdict.converged
    assert verdict.reason.startswith("the detector sees the face elsewhere, by ")
    assert judge(measured(known, witness=fit.landmarks), fit, None).converged


@pytest.mark.parametrize("yaw", [0.0, 20.0, -40.0])
def test_a_pose_is_as_far_off_as_the_detector_sees_it_turned_in_depth(known, yaw):
    model, p = known.faces[0].model, known.faces[0].parameters
    points = to_camera(model.vertices(p.identity, p.expression)[0], p.rotation[0], p.translation[0])
    points = points + points.new_tensor([0.0, 0.0, -700.0]) - points.mean(dim=0)
    turn = roma.rotvec_to_rotmat(angles_to_rotvec(torch.tensor([yaw, 0.0, 0.0]).deg2rad()))
    x, y, z = (0.5 * model.landmarks["478"].points(points) @ turn.T).unbind(dim=1)
    spots = torch.stack([x, -y], dim=1)
    seen = Landmarks(spots, "478", torch.ones(478), box_of(spots), -z)
    assert pose_apart(model, points, seen) == pytest.approx(abs(yaw), abs=1.0)
    assert math.isnan(pose_apart(model, points, replace(seen, depth=None)))


def test_a_pose_that_the_detector_does_not_see_is_not_believed(known):
    fit = known.faces[0].fit
    verdict = judge(replace(measured(known), detector_pose=50.0), fit, None)
    assert verdict.reason == "the detector sees the head turned by 50 degrees more"
    assert not verdict.converged


def test_worse_measures_give_no_better_quality(known):
    fit = known.faces[0].fit
    good = measured(known)
    best = judge(good, fit, None).quality
    for name, bad in {"contradictory": 0.07, "turned": 75.0, "small": 30.0}.items():
        assert judge(replace(good, **{name: bad}), fit, None).quality <= best


@pytest.mark.parametrize("names", [("turned", "cut"), ("all",)])
def test_chosen_warnings_are_refusals(known, names):
    verdict = judge(replace(measured(known), turned=60.0), known.faces[0].fit, None)
    faces = [replace(known.faces[0], verdict=verdict)]
    with pytest.raises(VerdictError, match="face 0 is refused.*turned away by 60 degrees"):
        refuse_warned(faces, names)
    refuse_warned(faces, ("dark",))
    refuse_warned(faces, ())


@pytest.mark.refusal
def test_a_warning_that_does_not_exist_is_named():
    with pytest.raises(ParameterError, match="there is no warning 'dim': known are all, small"):
        check_kinds(("turned", "dim"))


@pytest.fixture
def track(known):
    """Frame 1 is cut, contradictory and odd, frame 2 lost, frame 3 small."""
    face = known.faces[0].parameters
    frames = 4
    return Track(
        parameters=replace(
            face, **{name: getattr(face, name).repeat_interleave(frames, 0) for name in MOVING}
        ),
        camera=known.faces[0].camera,
        states=torch.tensor([TRACKED, TRACKED, LOST, TRACKED]),
        times=torch.arange(frames).double() / 25,
        indices=torch.arange(frames),
        landmark_nme=torch.tensor([0.01, 0.06, math.nan, 0.01]),
        boxes=torch.tensor(
            [[50.0, 50, 150, 150], [-50, 50, 50, 150], [math.nan] * 4, [5, 5, 35, 35]]
        ),
        reasons=torch.tensor([Reason.NOTHING, Reason.COLOURS, Reason.NO_FACE, Reason.NOTHING]),
    )


def test_frames_of_a_track_have_warnings_of_their_own(track):
    names = [{one.name for one in found} for found in frame_warnings(track)]
    assert names == [set(), {"cut", "contradictory", "colours"}, set(), {"small"}]
    assert warned_frames(track) == {"colours": 1, "contradictory": 1, "cut": 1, "small": 1}
    assert track.why(LOST) == {"no face was found there": 1}


def test_a_judged_track_says_the_number_of_each_warning(track):
    found = judge_track(track)
    assert set(found.warnings) == {"colours", "contradictory", "cut", "small"}
    cut = found.warnings["cut"].tolist()
    assert cut[1] == pytest.approx(0.5)
    assert all(math.isnan(cut[k]) for k in (0, 2, 3))


def test_refused_frames_are_lost_and_say_so(track):
    found = refuse_frames(track, ("cut", "turned"))
    assert found.states.tolist() == [TRACKED, LOST, LOST, TRACKED]
    assert bool(found.boxes[1].isnan().all())
    assert found.why(LOST)["it has a warning that is refused"] == 1
    assert refuse_frames(track, ("turned",)) is track


@pytest.mark.refusal
def test_what_is_not_measured_in_frames_cannot_be_refused_there():
    assert check_frame_kinds(("all",)) == ("small", "cut", "turned", "contradictory", "colours")
    with pytest.raises(ParameterError, match="'blurred' is measured in photos, not in the frames"):
        check_frame_kinds(("turned", "blurred"))


@pytest.mark.refusal
def test_tracks_in_which_every_frame_is_refused_are_refused(track):
    tracks = {0: track[1:2], 1: track[3:4]}
    assert set(refuse_tracked(tracks, ("cut",))) == {1}
    assert refuse_tracked(tracks, ()) is tracks
    with pytest.raises(VerdictError, match="every frame is refused, as --strict asks: each has"):
        refuse_tracked(tracks, ("cut", "small"))


def test_noise_is_measured_in_full_brightness_whatever_the_picture_shows(known):
    assert measured(known).noisy < 0.005
    rng = torch.Generator().manual_seed(0)
    for sigma in (0.02, 0.06):
        noise = sigma * torch.randn(known.photo.pixels.shape, generator=rng)
        noisy = Photo((0.2 + 0.6 * known.photo.pixels + noise).clamp(0, 1))
        assert measured(known, noisy).noisy == pytest.approx(sigma, rel=0.15)


def test_what_is_covered_is_a_share_of_the_face_that_is_seen(known):
    nothing = torch.zeros(known.photo.size)
    assert math.isnan(measured(known).occluded)
    assert measured(known, cover=nothing).occluded == 0.0
    assert measured(known, cover=nothing + 1).occluded == pytest.approx(1.0)
    points = known.faces[0].fit.landmarks.points
    left = nothing.clone()
    left[:, int(points[:, 0].median()) :] = 1.0
    assert 0.3 < measured(known, cover=left).occluded < 0.7
