"""The map of gaze: openings of eyes and irises, to a part of a pixel."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import roma
import torch

from morphface.core.errors import ModelError, ParameterError
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera
from morphface.models import gaze_rotation, load_model
from morphface.parameters import FaceParameters
from morphface.render.maps import GAZE_STYLES, GazeStyle, kernels, lids, render_maps
from morphface.render.maps.gaze import iris_outlines
from morphface.render.maps.lids import lids_of
from morphface.render.maps.scene import posed, scene_of
from tests.jointed import articulated

CAMERA = Camera.facing((256, 256), focal=560.0)
WHOLE = GazeStyle(clipped=False)
BLUE = torch.tensor([-1.0, 0.0, 1.0])  # of a white, blue and black picture: how much is blue


@pytest.fixture(scope="module")
def head():
    return load_model("open-head")


def looking(head, frames=1, **named):
    """A neutral face with some expressions, which hold for all frames or are one a frame."""
    face = FaceParameters.neutral(frames=frames)
    for name, value in named.items():
        face.expression[:, head.expression.names.index(name)] = torch.as_tensor(value).float()
    return face


def shut(head, amount, sides=("Left", "Right")):
    amount = torch.as_tensor(amount).reshape(-1)
    return looking(head, len(amount), **{f"eyeBlink{side}": amount for side in sides})


def drawn(head, face, camera=CAMERA, style="dvp"):
    return render_maps(head, face, camera, ("gaze",), gaze_style=style)["gaze"]


def halves(picture):
    """The sides of the picture where the subject's left and right eye are."""
    middle = picture.shape[2] // 2
    right, left = picture.clone(), picture.clone()
    right[:, :, middle:], left[:, :, :middle] = 0, 0
    return left, right


def centroid(disc):
    """Of one channel, T H W, in pixels."""
    y, x = torch.meshgrid(*(torch.arange(n) + 0.5 for n in disc.shape[1:]), indexing="ij")
    weight = disc.sum((1, 2))
    return torch.stack([(disc * x).sum((1, 2)), (disc * y).sum((1, 2))], dim=-1) / weight[:, None]


def true_centres(head, face, camera=CAMERA):
    """Middles of the irises on the screen, from centre of rotation, gaze and radii: T 2 2."""
    neutral = head.identity.instance(face.identity)
    out = []
    for side, eye in enumerate(head.eyes):
        grown = (neutral[0, eye.vertices] - eye.centre(neutral)).norm(dim=-1).mean() / eye.radius
        ahead = torch.tensor([0, 0, (eye.radius**2 - eye.iris_radius**2) ** 0.5]) * grown
        iris = eye.centre(neutral) + gaze_rotation(face.gaze[:, side]) @ ahead
        matrix = roma.rotvec_to_rotmat(face.rotation)
        seen = camera.project(((matrix @ iris[..., None])[..., 0] + face.translation)[:, None])
        out.append(seen[:, 0, :2])
    return torch.stack(out, dim=1)


def anyone(count, seed=0):
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.rand(*shape, generator=rng) * 2 - 1

    angles = draw(count, 3) * torch.tensor([0.5, 0.35, 0.3])
    face = FaceParameters.neutral(frames=count)
    return replace(
        face,
        identity=torch.randn(1, 80, generator=rng),
        rotation=angles_to_rotvec(angles),
        translation=torch.tensor([0.0, 0, -600]) + draw(count, 3) * 15,
        gaze=draw(count, 2, 2) * 0.35,
    )


def test_the_middle_of_the_disc_is_the_projected_iris(head):
    """Far within half a pixel, over poses, people and gazes, where nothing hides a part of it."""
    for seed in range(3):
        face = anyone(12, seed)
        discs = halves(drawn(head, face, style=WHOLE) @ BLUE)
        for side in (0, 1):
            off = centroid(discs[side].clamp(min=0)) - true_centres(head, face)[:, side]
            whole = (off.norm(dim=-1) < 0.1).float().mean()
            assert whole > 0.9
            assert off.norm(dim=-1).max() < 2


def test_a_disc_that_the_lids_do_not_touch_is_in_place_and_of_full_size(head):
    face = looking(head, 9, eyeWideLeft=1.0, eyeWideRight=1.0, browInnerUp=1.0)
    angles = torch.linspace(-0.1, 0.1, 9)
    face = replace(face, gaze=torch.stack([angles, angles * 0.2], -1)[:, None].repeat(1, 2, 1))
    clipped, whole = (halves(drawn(head, face, style=s) @ BLUE) for s in ("dvp", WHOLE))
    for side in (0, 1):
        free = (clipped[side].sum((1, 2)) / whole[side].sum((1, 2))) > 0.98
        assert free.sum() > 4
        off = centroid(clipped[side].clamp(min=0)) - true_centres(head, face)[:, side]
        assert off[free].norm(dim=-1).max() < 0.2


def test_the_area_of_the_disc_is_that_of_the_iris(head):
    discs = halves(drawn(head, looking(head), style=WHOLE) @ BLUE)
    eye = head.eyes[0]
    depth = 600 - (eye.radius**2 - eye.iris_radius**2) ** 0.5 - eye.centre(head.identity.mean)[2]
    wanted = torch.pi * (eye.iris_radius * 560 / depth) ** 2
    for disc in discs:
        torch.testing.assert_close(disc.clamp(min=0).sum(), wanted, rtol=0.01, atol=0)


def test_the_disc_moves_as_the_sine_of_gaze_and_nearly_in_proportion(head):
    angles = torch.linspace(-0.3, 0.3, 13)
    for axis, reach in ((0, 9.77), (1, -9.77)):
        face = looking(head, 13)
        face.gaze[:, :, axis] = angles[:, None]
        moved = centroid(halves(drawn(head, face, style=WHOLE) @ BLUE)[0].clamp(min=0))[:, axis]
        design = torch.stack([angles, torch.ones(13)], dim=-1)
        slope, start = torch.linalg.lstsq(design, moved[:, None]).solution[:, 0]
        assert (moved - design @ torch.stack([slope, start])).abs().max() < 0.15
        assert abs(slope / reach - 1) < 0.02
        sine = torch.stack([angles.sin(), torch.ones(13)], dim=-1)
        exact = torch.linalg.lstsq(sine, moved[:, None]).solution
        assert (moved - (sine @ exact)[:, 0]).abs().max() < 0.05


def test_a_twentieth_of_a_pixel_of_gaze_shows(head):
    face = looking(head, 2)
    face.gaze[1, :, 0] = 0.05 / 9.7
    step = centroid(halves(drawn(head, face) @ BLUE)[0].clamp(min=0)).diff(dim=0)[0]
    assert 0.03 < step[0] < 0.07
    assert abs(step[1]) < 0.01


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_what_is_open_shrinks_all_the_way_until_nothing_is_drawn(head, seed):
    face = shut(head, torch.linspace(0, 1, 21))
    if seed is not None:
        who = torch.randn(1, 80, generator=torch.Generator().manual_seed(seed))
        face = replace(face, identity=who)
    picture = drawn(head, face)
    for side in halves(picture[..., 2]):  # what is white or blue
        area = side.sum((1, 2))
        assert area[0] > 80
        assert (area.diff() <= 1e-3).all()
        assert area.diff().min() > -0.25 * area[0]  # and not at once
        assert area[-1] == 0
    disc = (picture @ BLUE).sum((1, 2))
    assert (disc.diff() <= 1e-3).all()


@pytest.mark.parametrize("style", GAZE_STYLES)
def test_a_closed_eye_has_no_disc_and_the_other_one_stays(head, style):
    both, wink = (drawn(head, shut(head, amount, ("Left",)), style=style) for amount in (0.0, 1.0))
    colour = torch.tensor(GAZE_STYLES[style].iris)
    is_disc = partial(torch.isclose, colour, atol=0.5)
    closed, opened = halves(wink)
    assert not is_disc(closed).all(-1).any()
    assert is_disc(opened).all(-1).any()
    assert torch.equal(opened, halves(both)[1])
    assert style == "head2head" or (closed == 0).all()


def test_the_opening_is_where_the_eyeball_is_seen(head):
    """The parts of the head that are seen, drawn without any lids, know nothing of the outline."""
    face = replace(anyone(8, 5), identity=torch.zeros(1, 80))
    face = replace(face, rotation=face.rotation * 0.7)
    maps = render_maps(head, face, replace(CAMERA, focal=CAMERA.focal * 1.5), ("gaze", "parsing"))
    ball = maps.labels() >= 12
    opening = maps["gaze"][..., 2] > 0.5
    shared, either = (ball & opening).sum((1, 2)), (ball | opening).sum((1, 2))
    assert (shared / either).min() > 0.7
    assert (shared / either).mean() > 0.78  # the corners show no eyeball


def test_eyes_that_face_away_or_that_the_nose_hides_are_not_drawn(head):
    angles = torch.deg2rad(torch.tensor([[180.0, 0, 0], [130.0, 0, 0], [-75.0, 0, 0]]))
    face = replace(looking(head, 3), rotation=angles_to_rotvec(angles))
    behind, aside, profile = drawn(head, face)[..., 2]
    assert behind.sum() == aside.sum() == 0
    across = torch.nonzero(profile)[:, 1]
    near, far = true_centres(head, face)[2, :, 0]
    assert (across > (near + far) / 2).all() or (across < (near + far) / 2).all()


def test_landmarks_of_478_or_68_points_say_where_lids_are_if_no_eyeball_shows(head, monkeypatch):
    seen = drawn(head, looking(head))[..., 2] > 0.5
    monkeypatch.setattr(lids, "_margins", lambda model, side: None)
    for scheme in ("478", "68"):
        blind = replace(head, landmarks={scheme: head.landmarks[scheme]})
        found = lids_of(blind)
        torch.testing.assert_close(found.weights.sum(-1), torch.ones(2, 2, lids.STEPS + 1))
        opening = drawn(blind, looking(head))[..., 2] > 0.5
        assert (opening & seen).sum() / (opening | seen).sum() > 0.55
        ends = head.landmarks[scheme].points(head.identity.mean)[list(lids.LANDMARKS[scheme][0][0])]
        points = found.points(head.identity.mean[None])[0, 0]
        torch.testing.assert_close(points[:, 0], ends[:1].expand(2, 3))
        torch.testing.assert_close(points[:, -1], ends[-1:].expand(2, 3))


def test_a_model_with_joints_looks_where_its_eyeballs_turn():
    model = articulated().map(lambda t: t.float() if t.is_floating_point() else t)
    model = replace(model, rig=replace(model.rig, correctives=model.rig.correctives * 0))
    face = FaceParameters.neutral(identity=5, expression=10, reflectance=0, frames=3)
    face.gaze[1:, :, 0] = 0.4
    face.expression[2, 5] = 0.5  # the neck turns, too
    outlines = iris_outlines(scene_of(model, face, CAMERA, None, "auto")).mean(2)
    ahead = torch.tensor([np.sin(0.4), 0, np.cos(0.4)]).float() * (12**2 - 6**2) ** 0.5
    wanted = model.rig.joints.mean[3:] + ahead
    seen = CAMERA.project(wanted[None] + face.translation[1])[0, :, :2]
    torch.testing.assert_close(outlines[1], seen, atol=0.2, rtol=0)
    assert (outlines[2] - outlines[1]).norm(dim=-1).min() > 5


def test_covered_areas_are_those_of_brute_force():
    """A star that crosses itself, and a disc: points 64 x 64 a pixel against spans."""
    angle = np.arange(5) * 4 * np.pi / 5
    outline = 10 + np.stack([np.cos(angle), np.sin(angle)], -1) * [8.3, 7.1]
    around = np.arange(40) * np.pi / 20
    circle = [11.3, 9.2] + 3.3 * np.stack([np.cos(around), np.sin(around)], -1)
    opening, disc = np.zeros((2, 1, 20, 20), np.float32)
    depth, limit = np.full((1, 20, 20), 5, np.float32), np.zeros((1, 1))
    shapes = outline[None, None], circle[None, None], limit, depth
    kernels.cover(0, 1, *shapes, True, opening, disc)
    fine = (np.arange(20 * 64) + 0.5) / 64
    x, y = np.meshgrid(fine, fine)
    winding = sum(
        ((a[1] <= y) != (b[1] <= y))
        * (x > a[0] + (y - a[1]) / (b[1] - a[1] or 1) * (b[0] - a[0]))
        * (1 if b[1] < a[1] else -1)
        for a, b in zip(np.roll(outline, 1, 0), outline, strict=True)
    )
    inside = np.hypot(x - 11.3, y - 9.2) < 3.3

    def share(mask):
        return mask.reshape(20, 64, 20, 64).mean((1, 3))

    np.testing.assert_allclose(disc[0], share((winding > 0) & inside), atol=0.03)
    np.testing.assert_allclose(opening[0], share((winding > 0) & ~inside), atol=0.03)


def test_weak_perspective_and_a_face_half_outside_the_picture_are_drawn(head):
    weak = replace(CAMERA, weak_depth=torch.tensor(600.0))
    face = looking(head)
    assert (drawn(head, face, weak) - drawn(head, face)).abs().mean() < 0.01
    aside = replace(face, translation=torch.tensor([[137.0, 0, -600]]))
    left, right = halves(drawn(head, aside))
    assert right.sum() == 0
    assert left[..., 2].sum() > 100
    behind = replace(face, translation=torch.tensor([[0.0, 0, 10]]))
    assert drawn(head, behind).sum() == 0


def test_colours_width_and_background_are_those_asked_for(head):
    style = GazeStyle(opening=(0.0, 0.5, 0.0), iris=(1.0, 1.0, 0.0))
    face = looking(head)
    plain = drawn(head, face)
    tinted = render_maps(head, face, CAMERA, ("gaze",), gaze_style=style, background=0.2)["gaze"]
    for was, now in (
        ((1, 1, 1), (0, 0.5, 0)),
        ((0, 0, 1), (1, 1, 0)),
        ((0, 0, 0), (0.2, 0.2, 0.2)),
    ):
        there = (plain == torch.tensor(was)).all(-1)
        assert there.any()
        torch.testing.assert_close(tinted[there], torch.tensor(now).float().expand(there.sum(), 3))
    thin, thick = (
        drawn(head, face, style=GazeStyle(stroke=width))[..., 0].sum() for width in (1.0, 2.0)
    )
    assert 1.7 < thick / thin < 2.2


@pytest.mark.refusal
def test_models_without_eyeballs_or_lids_and_unknown_styles_are_refused(toy, head, monkeypatch):
    face = FaceParameters.neutral(identity=6, expression=4, reflectance=3)
    with pytest.raises(ModelError, match="'gaze' needs eyeballs, and model 'toy' has none"):
        drawn(toy, face)
    with pytest.raises(ParameterError, match="gaze_style must be one of dvp, head2head.*got 'red'"):
        drawn(head, looking(head), style="red")
    monkeypatch.setattr(lids, "_margins", lambda model, side: None)
    with pytest.raises(ModelError, match="shows no eyeball between them and has no landmarks"):
        drawn(replace(head, landmarks={}), looking(head))
    assert posed(toy, face).shape == (1, toy.size, 3)
