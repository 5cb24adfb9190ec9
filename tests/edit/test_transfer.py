"""Laws of transfer: what must come back comes back, and what must stay stays."""

from dataclasses import replace

import pytest
import roma
import torch

from morphface.edit import MODES, Rule, TransferSettings, neutral, transfer
from morphface.edit.openings import openings_of
from morphface.edit.pose import head_centre
from morphface.edit.rest import resting_gaps
from morphface.edit.spaces import Directions, Places, Rotations, mean
from morphface.models import load_model
from tests.edit.clips import clip, column, same, smooth, weights

ALL = {"rotation", "translation", "expression", "gaze"}


def every(how, **options):
    return TransferSettings(**{name: Rule(how, **options) for name in ALL}, match_eyes=False)


def head():
    return load_model("open-head")


@pytest.mark.parametrize("mode", MODES)
def test_a_clip_transferred_to_itself_is_itself(mode):
    a = clip()
    same(transfer(a, a, mode), a)


@pytest.mark.parametrize("how", ["keep", "absolute", "relative", "standardised"])
@pytest.mark.parametrize("eyes", [False, True])
def test_whatever_the_rule_a_clip_transferred_to_itself_is_itself(how, eyes):
    a = clip()
    same(transfer(a, a, replace(every(how), match_eyes=eyes)), a)


@pytest.mark.parametrize("reference", ["neutral", "first", "closest"])
def test_whatever_the_reference_a_clip_transferred_to_itself_is_itself(reference):
    a = clip()
    same(transfer(a, a, replace(every("relative"), reference=reference, match_eyes=True)), a)


@pytest.mark.parametrize("reference", ["neutral", "first"])
@pytest.mark.parametrize("eyes", [False, True])
def test_there_and_back_is_where_it_began(reference, eyes):
    a, b = clip(seed=0), clip(seed=1, frames=45)
    settings = replace(every("relative"), reference=reference, match_eyes=eyes)
    there = transfer(a, b, settings)
    back = transfer(there, a, settings)
    same(back, a, atol=2e-3 if eyes else 2e-4)
    assert (there.rotation - a.rotation).abs().max() > 0.05


def test_there_and_back_holds_for_the_parts_that_a_mode_moves():
    a, b = clip(seed=0), clip(seed=1)
    same(transfer(transfer(a, b, "dub"), a, "dub"), a)


def test_standardised_motion_has_the_statistics_of_the_target():
    a, b = clip(seed=0), clip(seed=1, frames=45)
    out = transfer(a, b, every("standardised"))
    for space, group in (
        (Rotations(), lambda face: face.rotation),
        (Places(), head_centre),
        (Directions(), lambda face: face.gaze),
    ):
        here, there = mean(space, group(out)), mean(space, group(b))
        torch.testing.assert_close(here, there, atol=1e-3, rtol=1e-5)
        spreads = [
            space.away(group(f), m).std(0, correction=0) for f, m in ((out, here), (b, there))
        ]
        torch.testing.assert_close(*spreads, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(out.expression.mean(0), b.expression.mean(0))
    torch.testing.assert_close(
        out.expression.std(0, correction=0), b.expression.std(0, correction=0)
    )


def test_what_never_moves_in_the_source_rests_at_the_targets_mean():
    a, b = clip(seed=0), clip(seed=1)
    still = replace(a, expression=a.expression[:1].repeat(60, 1))
    out = transfer(still, b, every("standardised"))
    torch.testing.assert_close(out.expression, b.expression.mean(0).expand(60, 52))


@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_clamps_hold_the_target_s_range(how):
    a, b = clip(seed=0), clip(seed=1)
    wild = replace(a, rotation=3 * a.rotation, translation=a.translation * 2)
    out = transfer(wild, b, every(how, clamp=1.5))
    for space, group in (
        (Rotations(), lambda face: face.rotation),
        (Places(), head_centre),
        (Directions(), lambda face: face.gaze),
    ):
        centre = mean(space, group(b))
        reach = 1.5 * space.away(group(b), centre).std(0, correction=0)
        offsets = space.away(group(out), centre).abs()
        assert (offsets <= reach + 1e-3).all()
        assert (offsets > reach * 0.999).any()
    away = (out.expression - b.expression.mean(0)).abs()
    assert (away <= 1.5 * b.expression.std(0, correction=0) + 1e-5).all()


def test_rotations_are_composed():
    a, b = clip(seed=0), clip(seed=1)
    turn = roma.rotvec_to_rotmat
    settings = replace(every("relative"), reference="first")
    out = transfer(a, b, settings)
    want = turn(a.rotation) @ turn(a.rotation[0]).T @ turn(b.rotation[0])
    torch.testing.assert_close(turn(out.rotation), want, atol=1e-5, rtol=0)


def test_depth_is_a_ratio_and_sideways_moves_are_millimetres():
    a, b = clip(seed=0), clip(seed=1)
    out = transfer(a, b, replace(every("relative"), reference="first"))
    p, q, r = head_centre(a), head_centre(b), head_centre(out)
    torch.testing.assert_close(r[:, 2] / r[0, 2], p[:, 2] / p[0, 2])
    torch.testing.assert_close(r[0], q[0])
    torch.testing.assert_close((r - r[0])[:, :2], (p - p[0])[:, :2], atol=1e-3, rtol=0)


def test_identity_reflectance_and_light_stay_the_target_s():
    a, b = clip(seed=0), clip(seed=1)
    out = transfer(a, b)
    for name in ("identity", "reflectance", "illumination"):
        torch.testing.assert_close(getattr(out, name), getattr(b, name))
    shorter = transfer(a, b[:45])
    assert shorter.frames == 60
    torch.testing.assert_close(shorter.illumination[7], b.illumination[:45].mean(0))


# --- modes ---------------------------------------------------------------------------------


def moved(out, target):
    """The names of the expressions that differ."""
    columns = (out.expression - target.expression).abs().amax(0) > 1e-5
    return {name for name, differs in zip(head().expression.names, columns, strict=True) if differs}


def test_dubbing_changes_the_mouth_and_nothing_else():
    a, b = clip(seed=0), clip(seed=1)
    out = transfer(a, b, "dub")
    for name in ("rotation", "translation", "gaze"):
        assert torch.equal(getattr(out, name), getattr(b, name))
    mouth = {n for n in head().expression.names if n.startswith(("jaw", "mouth"))}
    assert moved(out, b) == mouth | {"cheekPuff", "tongueOut"}


def test_a_statistical_model_is_dubbed_by_the_motion_of_its_lower_face():
    # Mixed directions: what the mouth does comes over, what the brows do stays.
    model = mixed(head())
    a, b = clip(seed=0), clip(seed=1)
    own = {"source_model": model, "target_model": model}
    out = transfer(a, b, replace(MODES["dub"], expression=Rule("absolute")), **own)
    shapes = [model.vertices(torch.zeros(1, 80), f.expression) for f in (a, b, out)]
    lips, brows = model.regions["lips"] > 0.5, model.regions["brows"] > 0.5
    for region, right, wrong in ((lips, shapes[0], shapes[1]), (brows, shapes[1], shapes[0])):
        close = (shapes[2] - right)[:, region].norm(dim=-1).mean()
        far = (shapes[2] - wrong)[:, region].norm(dim=-1).mean()
        assert close < 0.15 * far


def mixed(model):
    """The same faces from 52 mixtures of the expressions, without names and bounds."""
    mixture = torch.linalg.qr(torch.randn(52, 52, generator=torch.Generator().manual_seed(3)))[0]
    directions = torch.einsum("ij,jvc->ivc", mixture, model.expression.directions)
    bounds = torch.tensor([[-torch.inf, torch.inf]]).repeat(52, 1)
    names = tuple(f"expression{k}" for k in range(52))
    expression = replace(model.expression, directions=directions, bounds=bounds, names=names)
    return replace(model, expression=expression)


def test_pose_alone_and_gaze_alone():
    a, b = clip(seed=0), clip(seed=1)
    posed, looking = transfer(a, b, "pose_only"), transfer(a, b, "gaze_only")
    assert torch.equal(posed.expression, b.expression)
    assert torch.equal(posed.gaze, b.gaze)
    torch.testing.assert_close(posed.rotation, a.rotation)
    assert torch.equal(looking.rotation, b.rotation)
    torch.testing.assert_close(looking.gaze, a.gaze)
    assert all(name.startswith("eyeLook") for name in moved(looking, b))


def test_the_upper_face_alone_is_the_rest_of_the_face():
    a, b = clip(seed=0), clip(seed=1)
    whole = TransferSettings(match_eyes=False)
    parts = [moved(transfer(a, b, replace(whole, part=part)), b) for part in ("mouth", "upper")]
    assert parts[0] | parts[1] == moved(transfer(a, b, whole), b)
    assert all(name.startswith("eyeLook") for name in parts[0] & parts[1])


# --- eyes ----------------------------------------------------------------------------------


def lids(face):
    """Gaps of the left and the right eye in millimetres."""
    whole = openings_of(face, head())
    return whole.gaps[:, :2]


def blinking(blink, identity, frames=60, rest=0.0, **other):
    """A person who blinks at frames 20 to 22."""
    curve = torch.full((frames,), rest)
    curve[20:23] = blink
    face = clip(frames=frames)
    expression = weights(frames, eyeBlinkLeft=curve, eyeBlinkRight=curve, **other)
    return replace(face, identity=identity, expression=expression)


def shut(identity):
    """The weight of a blink at which lids meet, the mean of both eyes; gaps are linear in it."""
    opened, closed = (lids(blinking(weight, identity))[21] for weight in (0.0, 1.0))
    return float((opened / (opened - closed)).mean())


def eyes_of(size):
    """An identity whose eyes are wide or narrow by so many standard deviations."""
    basis = head().identity
    up = head().landmarks["68"]
    rows = (basis.directions[:, up.triangles, 1] * up.barycentric).sum(-1)
    wide = rows[:, 43] + rows[:, 44] - rows[:, 46] - rows[:, 47]
    return (size * wide / wide.norm())[None]


@pytest.mark.parametrize(("source", "target"), [(0.5, -2.5), (-2.5, 0.5)])
@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_a_blink_closes_eyes_of_any_width_which_rest_at_their_own_opening(source, target, how):
    # The fit of the source stops where its lids meet, for narrow eyes before a full weight.
    a = blinking(shut(eyes_of(source)), eyes_of(source))
    b = blinking(0.0, eyes_of(target), rest=0.1)
    assert lids(a)[21].abs().max() < 0.1
    out = transfer(a, b, TransferSettings(expression=Rule(how)))
    torch.testing.assert_close(lids(out)[21], torch.zeros(2), atol=0.15, rtol=0)
    torch.testing.assert_close(lids(out)[0], lids(b)[0], atol=1e-3, rtol=0)
    without = transfer(a, b, TransferSettings(expression=Rule("absolute"), match_eyes=False))
    assert lids(without)[21].abs().max() > 0.5


@pytest.mark.parametrize("frames", [60, 1])
@pytest.mark.parametrize(("side", "other"), [("Left", 1), ("Right", 0)])
def test_a_wink_stays_a_wink(side, other, frames):
    a = replace(clip(frames), identity=eyes_of(-0.5))
    start = weights(frames)
    start[frames // 2] = weights(1, **{f"eyeBlink{side}": 1.0})
    rest = weights(frames, eyeBlinkLeft=0.2, eyeBlinkRight=0.2)
    b = replace(clip(frames, seed=1), identity=eyes_of(0.0), expression=rest)
    out = lids(transfer(replace(a, expression=start), b))[frames // 2]
    assert out[1 - other] <= 0.1
    torch.testing.assert_close(out[other], lids(b)[0, other], atol=0.05, rtol=0)


def test_eyes_of_a_statistical_model_close_too():
    model = mixed(head())
    a = blinking(shut(eyes_of(0.0)), eyes_of(0.0))
    b = blinking(0.0, eyes_of(2.5), rest=0.1)
    turn = model.expression.directions.flatten(1) @ head().expression.directions.flatten(1).T
    gram = head().expression.directions.flatten(1)
    mixture = turn @ torch.linalg.inv((gram @ gram.T).double()).float()
    faces = [replace(f, expression=f.expression @ mixture.T) for f in (a, b)]
    out = transfer(*faces, source_model=model, target_model=model)
    gaps = openings_of(out, model).gaps
    assert (gaps[21, :2] < 0.1).all()
    torch.testing.assert_close(
        gaps[0, :2], openings_of(faces[1], model).gaps[0, :2], atol=0.05, rtol=0
    )


def test_an_eye_that_winks_rests_as_the_other_one():
    face = replace(clip(1), expression=weights(1, eyeBlinkLeft=0.6, eyeBlinkRight=0.1))
    rest = resting_gaps(openings_of(face, head()))
    torch.testing.assert_close(rest[0], rest[1])


def test_lids_that_are_shut_all_the_time_rest_where_the_identity_has_them():
    face = replace(clip(1), expression=weights(1, eyeBlinkLeft=0.8, eyeBlinkRight=0.8))
    found = openings_of(face, head())
    torch.testing.assert_close(resting_gaps(found), found.neutral[:2])


# --- neutral -------------------------------------------------------------------------------


def test_the_neutral_of_speech_is_found_in_spite_of_it():
    rng = torch.Generator().manual_seed(2)
    frames = 400
    rest = 0.3 * torch.rand(52, generator=rng) * (torch.rand(52, generator=rng) < 0.4)
    opening = smooth(frames, 52, rng, period=8).abs() * 0.35
    noise = 0.01 * torch.randn(frames, 52, generator=rng)
    pause = (torch.arange(frames) % 100 < 30)[:, None]
    expression = (rest + opening * ~pause + noise).clamp(0, 1)
    found = neutral(replace(clip(frames), expression=expression)).expression[0]
    assert (found - rest).abs().max() < 0.03
    assert (expression.mean(0) - rest).abs().mean() > 5 * (found - rest).abs().mean()


def test_a_mouth_that_is_held_open_for_long_still_rests_closed():
    rng = torch.Generator().manual_seed(0)
    opening = torch.rand(100, generator=rng)
    opening[:28] = 0.05 + 0.02 * torch.rand(28, generator=rng)
    opening[28:60] = 0.6
    face = neutral(replace(clip(100), expression=weights(100, jawOpen=opening)))
    assert face.expression[0, column("jawOpen")] == pytest.approx(0.06, abs=0.02)


def test_a_mouth_that_hardly_ever_rests_does_not_rest_where_it_is_mostly():
    level = torch.linspace(0, 1, 200)
    opening = 0.4 + 0.4 * (2 * level - 1).abs().pow(1.3) * (2 * level - 1).sign()
    middle = (opening - 0.4).abs().sort().values[len(opening) // 4]
    assert middle < 0.085  # a quarter of the frames is closer together there than anywhere else
    face = neutral(replace(clip(200), expression=weights(200, jawOpen=opening)))
    assert face.expression[0, column("jawOpen")] < 0.15


def test_a_photo_cannot_tell_rest_from_expression():
    face = replace(clip(1), expression=weights(1, mouthSmileLeft=0.8, mouthSmileRight=0.7))
    assert not neutral(face).expression.any()


def test_a_smile_in_a_photo_comes_over_to_another_photo():
    a = replace(clip(1), expression=weights(1, mouthSmileLeft=0.8, mouthSmileRight=0.7))
    b = replace(clip(1, seed=1), expression=weights(1, mouthFrownLeft=0.5))
    out = transfer(a, b)
    smile = out.expression[0, [column("mouthSmileLeft"), column("mouthSmileRight")]]
    torch.testing.assert_close(smile, torch.tensor([0.8, 0.7]))
    assert out.expression[0, column("mouthFrownLeft")] == 0
    torch.testing.assert_close(out.rotation, a.rotation)
    torch.testing.assert_close(head_centre(out), head_centre(b))


def test_a_resting_face_that_leaks_into_the_expression_does_not_come_over():
    a, b = clip(seed=0), clip(seed=1)
    still = replace(a, expression=a.expression[:1].repeat(60, 1))
    out = transfer(still, b, replace(every("relative")))
    torch.testing.assert_close(out.expression, neutral(b).expression.expand(60, 52))


# --- references ----------------------------------------------------------------------------


def test_motion_can_start_from_frames_that_are_named():
    a, b = clip(seed=0), clip(seed=1)
    out = transfer(a, b, every("relative"), source_reference=a[3], target_reference=b[7])
    torch.testing.assert_close(out[3].expression, b[7].expression)
    torch.testing.assert_close(out[3].rotation, b[7].rotation, atol=1e-5, rtol=0)


def test_a_photo_starts_from_the_most_similar_frame():
    a = clip(seed=0)
    photo = replace(clip(1, seed=1), rotation=a.rotation[33:34], expression=a.expression[33:34])
    photo = replace(photo, identity=a.identity)
    out = transfer(a, photo, replace(every("relative"), reference="closest"))
    torch.testing.assert_close(out[33].rotation, photo.rotation, atol=1e-5, rtol=0)
    torch.testing.assert_close(out[33].expression, photo.expression)
    assert out.frames == 60


# --- smoothing -----------------------------------------------------------------------------


def test_smoothing_keeps_what_is_constant():
    a, b = clip(1), clip(seed=1)
    settings = every("absolute", smooth=15)
    out = transfer(replace(a), b, settings)
    same(out, transfer(a, b, every("absolute")), atol=1e-5)


def test_smoothing_is_the_mean_over_the_window_with_edges_replicated():
    a, b = clip(seed=0), clip(seed=1)
    out = transfer(a, b, every("absolute", smooth=5))
    inner = a.expression[18:23].mean(0)
    torch.testing.assert_close(out.expression[20], inner)
    edge = (3 * a.expression[0] + a.expression[1] + a.expression[2]) / 5
    torch.testing.assert_close(out.expression[0], edge)
    middle = mean(Rotations(), a.rotation[18:23])
    torch.testing.assert_close(out.rotation[20], middle[0], atol=1e-3, rtol=0)


def test_smoothing_does_not_care_where_a_rotation_vector_jumps():
    turn = torch.linspace(torch.pi - 0.2, torch.pi + 0.2, 41)
    jumping = torch.stack(
        [0 * turn, torch.where(turn > torch.pi, turn - 2 * torch.pi, turn), 0 * turn], 1
    )
    smooth_turn = Rotations().box(jumping, 5)
    matrices = [roma.rotvec_to_rotmat(r)[10:30] for r in (smooth_turn, jumping)]
    torch.testing.assert_close(*matrices, atol=1e-5, rtol=0)


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.refusal
def test_an_unknown_mode_is_refused_with_what_was_meant():
    with pytest.raises(
        ValueError, match="no mode of transfer is called 'renact': did you mean reenact"
    ):
        transfer(clip(), clip(), "renact")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rule("copy"), "no way of transfer is called 'copy'; there are keep, absolute"),
        (lambda: Rule(smooth=4), "smooth must be an odd number of frames from 1 up, got 4"),
        (lambda: Rule(clamp=-1.0), "clamp must be a number of standard deviations .* got -1"),
        (lambda: TransferSettings(part="lips"), "no part of the face is called 'lips'"),
        (lambda: TransferSettings(reference="mean"), "no reference is called 'mean'"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.refusal
def test_clips_of_different_length_are_refused_where_something_is_kept():
    with pytest.raises(ValueError, match=r"source has 60 frames and target 45, .*\[:45\]"):
        transfer(clip(), clip(45), "dub")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (every("standardised"), "can only be standardised between sequences"),
        (TransferSettings(expression=Rule(clamp=2.0)), "expression can only be clamped to the"),
    ],
)
def test_statistics_of_a_photo_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        transfer(clip(), clip(1), settings)


@pytest.mark.refusal
def test_a_pose_relative_to_itself_is_refused():
    with pytest.raises(ValueError, match="rotation cannot be relative: source has 1 frame"):
        transfer(clip(1), clip(), TransferSettings(rotation=Rule("relative")))


@pytest.mark.refusal
def test_a_reference_of_several_frames_is_refused():
    with pytest.raises(ValueError, match="source_reference must have 1 frame, got 60"):
        transfer(clip(), clip(), source_reference=clip())


@pytest.mark.refusal
def test_parameters_of_another_model_are_refused_with_the_way_out(toy):
    other = replace(clip(), expression=torch.zeros(60, 100))
    with pytest.raises(
        ValueError, match="source has 80 identity and 100 expression .* source_model="
    ):
        transfer(other, clip())


@pytest.mark.refusal
def test_models_that_cannot_be_converted_are_refused(toy):
    from morphface.parameters import FaceParameters

    face = FaceParameters.neutral(identity=6, expression=4, reflectance=3)
    with pytest.raises(ValueError, match="source is of model 'toy' and target of 'open-head'"):
        transfer(face, clip(1), source_model=toy, target_model=head())


@pytest.mark.refusal
def test_a_head_behind_the_camera_is_refused():
    behind = replace(clip(), translation=clip().translation * torch.tensor([1.0, 1.0, -1.0]))
    with pytest.raises(ValueError, match="must be in front of the camera"):
        transfer(behind, clip())
