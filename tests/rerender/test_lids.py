"""Lids that close and open in a photo."""

from dataclasses import replace

import pytest
import torch

from morphface.edit import edit
from morphface.fit.analysis.colour import LUMINANCE
from morphface.media.images import Photo
from morphface.rerender import Rerenderer
from morphface.rerender.blinks import shut
from morphface.rerender.eye_place import RINGS, EyePlace
from morphface.rerender.lid_cover import LidCover
from morphface.rerender.lid_lines import RISE, LidLines, LidMotion
from morphface.rerender.lid_skin import CLEAR, CORE, LASHES, REDDER, WITHIN, _lid_tint
from morphface.rerender.lids import LidPhoto, MovedLids, _carried
from morphface.rerender.looks import Look
from morphface.rerender.ring_axes import RingAxes
from tests.rerender.heads import photographed, pixels

SKIN, LASH = 0.7, 0.1
LIT, SHADE = (0.7, 0.5, 0.4), (0.3, 0.28, 0.3)
BOTH = "eyeBlinkLeft", "eyeBlinkRight"


def ring(gap):
    """Sixteen landmarks of an eye of width 100 at (150, 200), open so far."""
    x = torch.linspace(0, 1, 9)
    half = gap * 50 * (4 * x * (1 - x)).sqrt()
    lower = torch.stack([150 + 100 * x, 200 + half], dim=-1)
    upper = torch.stack([150 + 100 * x, 200 - half], dim=-1)
    return torch.cat([lower, upper[1:-1].flip(0)])


BROW = torch.tensor([[160.0, 130.0], [200.0, 125.0], [240.0, 130.0]])


def opened():
    """The axes and lids of an open eye; how far along and up pixels are, and both lids there."""
    points = ring(0.3)
    axes = RingAxes.of(points, BROW)
    lines = LidLines.of(points, axes)
    along, up = axes.flat(pixels()).unbind(-1)
    return axes, lines, (along, up, *lines.at(along))


@pytest.fixture(scope="module")
def lids():
    """Skin with a white eye, and lashes above its upper lid."""
    axes, lines, (along, up, upper, lower) = opened()
    picture = torch.full((*along.shape, 3), SKIN)
    picture[(up < upper) & (up > lower)] = 1.0
    picture[(up > upper - 0.01) & (up < upper + 0.05) & (along > 0) & (along < 1)] = LASH
    return LidPhoto.of(picture, axes, lines, BROW)


def closed(lids, share):
    return MovedLids(lids, LidMotion(share, 0.0, 0.0).of(lids.lines), share)


@pytest.mark.parametrize("rigid", [True, False])
@pytest.mark.parametrize("now", [0.3, 0.5, 0.9])
def test_the_map_of_a_lid_is_monotone_and_ends_where_skin_is_still(rigid, now):
    far = torch.linspace(0, 1.2, 1201)
    was, end = torch.full_like(far, 0.4), torch.full_like(far, now)
    there = _carried(far, end, was, rigid=rigid)
    slope = there.diff() / far.diff()
    assert (slope > 0).all()
    assert there[0] == 0
    torch.testing.assert_close(there[far > now], (far - now + 0.4)[far > now])
    torch.testing.assert_close(
        slope[far[1:] > now - 2e-3].mean(), torch.tensor(1.0), atol=0.02, rtol=0
    )
    if rigid:
        assert slope[0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_no_lash_is_stretched_over_a_lid(lids, share):
    moved, flat = closed(lids, share), lids.axes.flat(pixels())
    upper, lower = moved.lines.at(flat[..., 0])
    middle = (flat[..., 0] - 0.5).abs() < 0.3
    above = middle & (flat[..., 1] > upper + 0.01) & (flat[..., 1] < upper + 0.6)
    colours = moved.colours(flat)
    assert above.sum() > 1000
    assert (colours[above] - SKIN).abs().max() < 0.06
    line = middle & ((flat[..., 1] - upper).abs() < CORE / 2)
    assert moved.lashes(flat)[line].min() > 0.6
    assert moved.lashes(flat)[middle & (flat[..., 1] > upper + 0.15)].max() < 0.01


def test_lashes_grow_from_the_edge_of_the_lid_though_landmarks_lie_below_it():
    axes, lines, (along, up, upper, lower) = opened()
    picture = torch.full((*along.shape, 3), SKIN)
    picture[(up < upper + 0.025) & (up > lower)] = 1.0
    picture[(up > upper + 0.025) & (up < upper + 0.055) & (along > 0) & (along < 1)] = LASH
    seen = LidPhoto.of(picture, axes, lines, BROW).lashes[..., 0]
    far = (torch.arange(len(seen)) + 0.5) / len(seen) * (LASHES + WITHIN) - WITHIN
    middle = seen[:, seen.shape[1] // 3 : -seen.shape[1] // 3]
    assert middle[(far > 0.012) & (far < 0.035)].min() > 0.8
    assert middle[far > 0.09].max() < 0.1


def test_lashes_of_a_closed_eye_hang_down(lids):
    flat = lids.axes.flat(pixels())
    for share, side in ((0.1, 1), (1.0, -1)):
        moved = closed(lids, share)
        away = (flat[..., 1] - moved.lines.at(flat[..., 0])[0]) * side
        there = ((away - 0.03).abs() < 0.01) & ((flat[..., 0] - 0.5).abs() < 0.3)
        other = ((away + 0.06).abs() < 0.01) & ((flat[..., 0] - 0.5).abs() < 0.3)
        found = moved.lashes(flat)[..., 0]
        assert found[there].mean() > found[other].mean() + 0.1


def test_a_mesh_that_closes_closes_the_eye_of_the_photo():
    axes = RingAxes.of(ring(0.3), BROW)
    motions = [LidMotion.between(ring(0.2), ring(now), axes, 0.3) for now in (0.2, 0.1, 0.0, 0.25)]
    assert motions[0].still
    assert 0.4 < motions[1].closed < 0.65
    assert motions[2].closed == 1.0
    assert motions[3].closed == 0.0 < motions[3].wider
    lines = LidLines.of(ring(0.3), axes)
    shut = motions[2].of(lines)
    assert (shut.upper - shut.lower).max() < 1e-4
    upper = LidMotion(1.0, 0.0, 0.0).of(lines)  # the upper one alone, which the lower one meets
    assert (upper.lower - lines.lower)[60] == pytest.approx(RISE * 0.3, abs=0.002)


def test_a_blink_hides_the_eye_and_moves_nothing_else():
    face, photo = photographed({})
    blinking = edit(face.parameters, model=face.model, expression=dict.fromkeys(BOTH, 1.0))
    stage = Rerenderer(face, photo)
    found = stage(blinking)
    green = found[..., 1] - found[..., [0, 2]].mean(-1)
    assert (photo.pixels[..., 1] - photo.pixels[..., [0, 2]].mean(-1)).max() > 0.3
    assert green.max() < 0.1
    seen = stage._eyes._seen[0]
    mouth = pixels()[..., 1] > seen.place.ring[:, 1].max() + 1.2 * seen.place.width
    assert torch.equal(found[mouth], photo.pixels[mouth])


def test_a_narrow_eye_closes_when_its_blink_is_whole_and_not_before():
    face, photo = photographed({"eyeSquintLeft": 0.9, "eyeSquintRight": 0.9})
    stage, model = Rerenderer(face, photo), face.model
    shares = []
    for weight in (0.25, 0.5, 0.75, 1.0):
        wanted = edit(face.parameters, model=model, expression=dict.fromkeys(BOTH, weight))
        looks = tuple(Look.of(model, p) for p in (stage._eyes.resting(wanted), wanted))
        motion, _ = stage._eyes._moved(0, stage._eyes._seen[0], looks, face.camera)
        shares.append(motion.closed)
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.12)
    assert shares[-1] == pytest.approx(1.0, abs=1e-3)


def test_closed_eyes_that_look_elsewhere_stay_as_they_are():
    face, photo = photographed(dict.fromkeys(BOTH, 0.8))
    stage = Rerenderer(face, photo)
    assert all(seen.shut for seen in stage._eyes._seen)
    looking = edit(face.parameters, model=face.model, gaze=(10.0, 10.0))
    assert torch.equal(stage(looking), photo.pixels)


def test_an_eye_that_the_detector_takes_for_closed_is_closed_where_lids_are_near():
    face, photo = photographed(dict.fromkeys(BOTH, 0.5))
    head = Rerenderer(face, photo)._head
    ring = face.fit.landmarks.points[list(RINGS[0][0])]
    place = EyePlace(ring.clone(), None)
    place.ring[9:, 1] = place.ring[1:8, 1].flip(0) - 0.11 * place.width
    assert not shut(head, place, 0)
    sure = replace(face.fit.landmarks, scores={BOTH[0]: 0.5})
    told = replace(head, face=replace(face, fit=replace(face.fit, landmarks=sure)))
    assert shut(told, place, 0)


def test_a_lid_that_hardly_moves_hardly_changes_the_photo():
    face, photo = photographed({})
    weights = dict.fromkeys(BOTH, 0.004)
    found = Rerenderer(face, photo)(edit(face.parameters, model=face.model, expression=weights))
    change = (found - photo.pixels).abs().amax(-1)
    assert 0 < change.max() < 0.35  # an edge that moves by a part of a pixel
    assert (change > 0.05).float().mean() < 0.005


def test_closed_eyes_open_to_irises():
    face, photo = photographed(dict.fromkeys(BOTH, 0.65))
    opened = edit(face.parameters, model=face.model, expression=dict.fromkeys(BOTH, 0.0))
    stage = Rerenderer(face, photo)
    found = stage(opened)
    for seen in stage._eyes._seen:
        iris = seen.place.ball.iris_at(pixels()).norm(dim=-1)
        inside = (seen.lids.axes.flat(pixels())[..., 1] - 0.12).abs() < 0.05
        light = found.mean(-1)
        assert light[(iris < 0.25) & inside].mean() < 0.25  # the pupil
        assert light[(iris > 1.2) & (iris < 1.6) & inside].mean() > 0.35  # sclera


def test_eyes_behind_dark_glasses_are_left_alone():
    face, photo = photographed({})
    points = face.fit.landmarks.points
    x, y = pixels().unbind(-1)
    dark = photo.pixels.clone()
    dark[(y > points[105, 1]) & (y < points[50, 1] - 12) & (x > 0)] *= 0.1
    weights = dict.fromkeys(BOTH, 1.0)
    blinking = edit(face.parameters, model=face.model, expression=weights, gaze=(10.0, 0.0))
    stage = Rerenderer(face, Photo(dark))
    assert all(seen.behind for seen in stage._eyes._seen)
    assert torch.equal(stage(blinking), dark)


def test_an_eye_behind_the_nose_does_not_blink_before_it_is_turned_into_sight():
    face, photo = photographed({}, yaw=58.0)
    eyes, names = Rerenderer(face, photo)._eyes, face.model.expression.names
    assert eyes._hidden == [True, False]
    blinking = edit(face.parameters, model=face.model, expression=dict.fromkeys(BOTH, 1.0))
    assert eyes.resting(blinking).expression[0, names.index(BOTH[0])] == 0
    turned = edit(blinking, model=face.model, yaw=0.0)
    assert eyes.resting(turned).expression[0, names.index(BOTH[0])] == 1
    found = Rerenderer(face, photo)(blinking)
    hidden = pixels()[..., 0] > face.fit.landmarks.points[168, 0] + 8
    assert torch.equal(found[hidden], photo.pixels[hidden])


def test_a_face_at_rest_is_the_same_parameters():
    face, photo = photographed({})
    eyes = Rerenderer(face, photo)._eyes
    smiling = edit(face.parameters, model=face.model, preset="frown")
    assert eyes.resting(smiling) is smiling
    looking = edit(smiling, model=face.model, gaze=(10.0, 5.0))
    assert torch.equal(eyes.resting(looking).gaze, face.parameters.gaze)
    assert torch.equal(replace(looking, gaze=smiling.gaze).identity, smiling.identity)


@pytest.fixture(scope="module")
def painted():
    """Skin that is darker below a white eye than above it, and grey paint on the upper lid."""
    axes, lines, (along, up, upper, lower) = opened()
    picture = torch.tensor([0.8, 0.6, 0.5]).expand(*along.shape, 3).clone()
    picture[up < (upper + lower) / 2] = torch.tensor([0.7, 0.5, 0.4])
    picture[(up > upper) & (up < upper + 0.3)] = torch.tensor([0.3, 0.28, 0.3])
    picture[(up < upper) & (up > lower)] = 1.0
    return LidPhoto.of(picture, axes, lines, BROW)


def test_a_closed_lid_is_as_the_skin_around_the_eye_whatever_is_painted_on_it(painted):
    moved, flat = closed(painted, 1.0), painted.axes.flat(pixels())
    upper, _ = moved.lines.at(flat[..., 0])
    lid = ((flat[..., 0] - 0.5).abs() < 0.1) & (flat[..., 1] > upper + 0.02)
    lid &= flat[..., 1] < upper + 0.25
    found = moved.colours(flat)[lid]
    assert len(found) > 300
    assert (found > CLEAR[0] * torch.tensor([0.7, 0.5, 0.4]) - 0.03).all()
    assert (found < CLEAR[1] * torch.tensor([0.8, 0.6, 0.5]) + 0.02).all()


def test_a_lid_that_closes_comes_out_of_the_shade_of_its_socket():
    axes, lines, (_, up, upper, lower) = opened()
    picture = torch.tensor(LIT).expand(*up.shape, 3).clone()
    picture[up > (upper + lower) / 2] = torch.tensor(SHADE)
    picture[(up < upper) & (up > lower)] = 1.0
    dark = LidPhoto.of(picture, axes, lines, BROW)
    moved, flat = closed(dark, 1.0), axes.flat(pixels())
    lid = ((flat[..., 0] - 0.5).abs() < 0.1) & (flat[..., 1] > moved.lines.at(flat[..., 0])[0])
    found = moved.colours(flat)[lid & (flat[..., 1] < 0.1)]
    assert len(found) > 100
    shade, lit = (torch.tensor(each) @ torch.tensor(LUMINANCE) for each in (SHADE, LIT))
    halfway = (shade * CLEAR[0] * lit).sqrt()
    assert (found @ torch.tensor(LUMINANCE) - halfway).abs().max() < 0.03
    assert (found[:, 0] / found[:, 2]).min() > 1.5  # of the skin in light 1.75, of the shade 1


def test_coloured_paint_stays_on_a_closed_lid():
    axes, lines, (_, up, upper, lower) = opened()
    picture = torch.tensor(LIT).expand(*up.shape, 3).clone()
    picture[up > upper] = torch.tensor([0.3, 0.4, 0.6])
    picture[(up < upper) & (up > lower)] = 1.0
    moved, flat = closed(LidPhoto.of(picture, axes, lines, BROW), 1.0), axes.flat(pixels())
    lid = ((flat[..., 0] - 0.5).abs() < 0.1) & (flat[..., 1] > moved.lines.at(flat[..., 0])[0])
    found = moved.colours(flat)[lid & (flat[..., 1] < 0.1)]
    torch.testing.assert_close(
        found[:, 2] / found[:, 0], torch.full_like(found[:, 0], 2.0), atol=0.2, rtol=0
    )


def test_the_red_of_a_shade_goes_as_far_as_the_shade_goes():
    skin, red = torch.tensor([[1.2, 0.92, 0.88]]), torch.tensor([[[1.4, 0.84, 0.8]]])
    dark, half, light = (
        (_lid_tint(red, skin, torch.full((1, 1, 1), share)) - skin)[0, 0, 0]
        for share in (0.25, 0.5, 1.0)
    )
    assert 0 < dark < 0.6 * half < 0.5 * light
    assert light < REDDER[0] * 0.2 + 1e-6


def test_lashes_beyond_the_outer_corner_leave_it_when_the_eye_closes():
    axes, lines, (along, up, upper, lower) = opened()
    picture = torch.full((*along.shape, 3), SKIN)
    picture[(up < upper) & (up > lower)] = 1.0
    picture[(up > 0.02) & (up < 0.1) & (along > -0.08) & (along < 0.0)] = LASH
    moved, flat = closed(LidPhoto.of(picture, axes, lines, BROW), 1.0), axes.flat(pixels())
    there = (along > -0.06) & (along < -0.02) & (up > 0.04) & (up < 0.09)
    assert (moved.colours(flat)[there] - SKIN).abs().max() < 0.1
    assert moved.lashes(flat)[there].max() < 0.1


def test_a_fringe_stays_before_a_lid_that_moves_behind_it():
    axes, lines, (along, up, upper, lower) = opened()
    picture = torch.full((*along.shape, 3), SKIN)
    picture[(up < upper) & (up > lower)] = 1.0
    hair = up > 0.4 - 0.6 * along
    picture[hair] = LASH
    cover = LidCover.of(picture, hair.float(), axes)
    moved, flat = closed(LidPhoto.of(picture, axes, lines, BROW, cover), 1.0), axes.flat(pixels())
    near = (along - 0.4).abs() < 0.2
    shown = near & (up > moved.lines.at(along)[0] + 0.02) & (up < 0.3 - 0.6 * along)
    assert shown.sum() > 50
    assert (moved.colours(flat)[shown] - SKIN).abs().max() < 0.12
    assert moved.weight(flat)[near & (up > 0.5 - 0.6 * along)].max() < 0.05


def test_lashes_beside_hair_are_no_fringe():
    axes, _, (along, _, _, _) = opened()
    picture = torch.full((*along.shape, 3), SKIN)
    assert LidCover.of(picture, (along < 0.1).float(), axes) is None
    assert LidCover.of(picture, torch.zeros_like(along), axes) is None


def test_paint_stays_on_a_lid_that_hardly_closes(painted):
    moved, flat = closed(painted, 0.02), painted.axes.flat(pixels())
    upper, _ = moved.lines.at(flat[..., 0])
    middle = (flat[..., 0] - 0.5).abs() < 0.3
    lid = middle & (flat[..., 1] > upper + 0.15) & (flat[..., 1] < upper + 0.25)
    assert (moved.colours(flat)[lid] - torch.tensor([0.3, 0.28, 0.3])).abs().max() < 0.05
