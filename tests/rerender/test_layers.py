"""Heads that turn: what is behind them, their outline, and how a neck shares the motion."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import label
from torch.nn.functional import max_pool2d

from morphface.edit import edit
from morphface.edit.pose import turned_to
from morphface.geometry.camera import to_camera
from morphface.media.images import Photo
from morphface.render.warp import look_up
from morphface.rerender import Rerenderer
from morphface.rerender.body import Body
from morphface.rerender.hair import DIMMER, NEAR, _mirrored, hair_colours
from morphface.rerender.outline import HANGING, TEMPLE, TEMPLES, Outline
from morphface.rerender.remainder import ANGLE, Remainder
from morphface.rerender.turn import Turn
from morphface.rerender.turned import Turned


def striped(known):
    """The head before a wall with vertical lines, which any bend would show."""
    photo = known.photo
    green = (photo.pixels == torch.tensor([0.0, 1.0, 0.0])).all(-1, keepdim=True)
    lines = (torch.arange(photo.size[1]) % 12 < 3).float()[None, :, None] * 0.5 + 0.2
    return Photo(torch.where(green, lines.expand(*photo.size, 3), photo.pixels)), ~green[..., 0]


@pytest.fixture(scope="module")
def scene(known):
    """The face, its photo before lines, and where the head is."""
    photo, head = striped(known)
    face = known.faces[0]
    return face, photo, head, Rerenderer(face, photo)


@pytest.fixture(scope="module")
def turned(scene):
    face, _, _, stage = scene
    return stage.with_confidence(edit(face.parameters, model=face.model, yaw=-5.0))


def widened(mask, reach):
    return max_pool2d(mask[None, None].float(), 2 * reach + 1, 1, reach)[0, 0] > 0


def test_the_background_never_bends(scene, turned):
    face, photo, head, _ = scene
    after = edit(face.parameters, model=face.model, yaw=-5.0)
    vertices = to_camera(face.vertices(), after.rotation[0], after.translation[0])
    screen = face.camera.project(vertices)[:, :2]
    left, top = screen.amin(0).int().tolist()
    right, bottom = screen.amax(0).int().tolist()
    person = head.clone()
    person[max(top, 0) : bottom, max(left, 0) : right] = True
    outside = ~widened(person, 12)
    assert outside.sum() > 3000
    assert torch.equal(turned[0][outside], photo.pixels[outside])


def test_what_a_turn_uncovers_continues_the_lines(scene, turned):
    face, photo, head, _ = scene
    uncovered = head & (turned[0] != photo.pixels).any(-1) & (turned[1][..., 0] < 0.05)
    lines = (torch.arange(photo.size[1]) % 12 < 3).float()[None, :, None] * 0.5 + 0.2
    wall = lines.expand(*photo.size, 3)
    assert uncovered.sum() > 50
    assert (turned[0] - wall).abs()[uncovered].median() < 0.08


def test_confidence_is_that_of_the_photo_where_it_is_kept(scene, turned):
    _, photo, head, _ = scene
    picture, sure = turned
    kept = ~widened(head, 60)
    assert torch.equal(picture[kept], photo.pixels[kept])
    assert bool((sure[kept] == 1).all())
    assert sure.min() >= 0
    assert sure.max() <= 1
    assert (sure < 0.9).float().mean() > 0.005


def test_nothing_is_doubtful_where_nothing_turns(scene):
    face, photo, _, stage = scene
    picture, sure = stage.with_confidence(face.parameters)
    assert torch.equal(picture, photo.pixels)
    assert (sure > 0.99).float().mean() > 0.9


def test_the_front_seen_from_the_photo_has_the_outline_of_the_matte(scene):
    face, _, head, stage = scene
    layers = stage._layers
    still = Turn.between(face.parameters, face.parameters)
    green = torch.tensor([0.0, 9.0, 0.0]).expand(*head.shape, 3)
    drawn = layers.draw(still, replace(face.camera), (green, green)).frame
    shell = drawn[..., 1] < 4.5
    matte = stage._head.matte[..., 0] > 0.5
    assert (shell & matte).sum() / (shell | matte).sum() > 0.97


def test_a_whole_share_of_a_turn_is_the_rigid_motion_and_none_is_rest(scene):
    face = scene[0]
    before = face.parameters
    after = edit(before, model=face.model, yaw=-20.0, pitch=10.0)
    turn = Turn.between(before, after)
    rigid = to_camera(face.vertices(), after.rotation[0], after.translation[0])
    now = face.vertices_in_camera()
    whole = turn.apply(now, torch.ones(len(now)))
    torch.testing.assert_close(whole, rigid, atol=2e-3, rtol=0)
    torch.testing.assert_close(turn.apply(now, torch.zeros(len(now))), now, atol=1e-3, rtol=0)
    assert turn.moves
    assert not Turn.between(before, before).moves


def test_two_halves_of_a_turn_about_a_joint_are_the_whole(scene):
    face = scene[0]
    turn = Turn.between(face.parameters, edit(face.parameters, model=face.model, yaw=-30.0))
    points = face.vertices_in_camera()[::50]
    half = torch.full((len(points),), 0.5)
    twice = turn.apply(turn.apply(points, half), half)
    torch.testing.assert_close(twice, turn.apply(points, 2 * half), atol=5e-3, rtol=0)


def test_the_back_of_hair_has_the_colour_of_hair():
    rng = np.random.default_rng(0)
    brown = np.float32([0.4, 0.25, 0.15])
    colours = brown + 0.02 * rng.standard_normal((120, 120, 3)).astype(np.float32)
    y, x = np.mgrid[:120, :120]
    depth = (50 - np.hypot(x - 60, y - 60)) / 100
    hair = np.float32(depth > 0)
    colours[depth <= 0] = (0.1, 0.9, 0.1)
    found = hair_colours(
        np.float32(colours), hair, hair, np.float32(depth), seen=hair > -1, size=100.0
    )
    inside = depth > 0.02
    assert np.abs(found[inside].mean(0) - 0.92 * brown).max() < 0.03
    assert found[inside].std() > 0.005


def test_what_goes_round_a_head_is_as_high_behind_as_beside_it():
    y, x = np.mgrid[:120, :120]
    brim = (y > 50) & (y < 70)
    colours = np.where(brim[..., None], np.float32(0.1), np.float32(0.9)) * np.ones(3, np.float32)
    disc = np.single(np.hypot(x - 60, y - 60) < 50)
    depth = np.single(50 - np.hypot(x - 60, y - 60)) / 100
    seen = np.ones((120, 120), bool)
    found = hair_colours(colours, disc, disc, depth, seen=seen, size=100.0)
    assert found[60, 40:80].max() < 0.35
    assert found[25, 50:70].min() > 0.6


def test_flowers_at_one_side_are_not_continued_behind_the_head():
    y, x = np.mgrid[:120, :120]
    flowers = (y > 35) & (y < 60) & (x < 30)
    colours = np.where(flowers[..., None], np.float32(0.9), np.float32(0.1)) * np.ones(3, np.single)
    disc = np.single(np.hypot(x - 60, y - 60) < 50)
    depth = np.single(50 - np.hypot(x - 60, y - 60)) / 100
    seen = np.ones((120, 120), bool)
    found = hair_colours(colours, disc, disc, depth, seen=seen, size=100.0)
    assert found[disc > 0].max() < 0.3


def test_broad_strands_go_on_behind_a_head_as_well_as_grain():
    y, x = np.mgrid[:240, :240]
    depth = np.float32((100 - np.hypot(x - 120, y - 120)) / 200)
    hair = np.float32(depth > 0)
    strands = 0.4 + 0.08 * np.sin(2 * np.pi * y / 40)
    strands = strands + 0.02 * np.random.default_rng(0).standard_normal(strands.shape)
    colours = np.repeat(np.float32(strands)[..., None], 3, -1)
    found = hair_colours(colours, hair, hair, depth, seen=hair > -1, size=200.0)
    assert found[depth > 0.1].std() > 0.8 * 0.08 / np.sqrt(2)


def test_the_back_of_hair_is_its_front_and_goes_on_behind_a_face_as_in_a_mirror():
    y, x = np.mgrid[:200, :200]
    colours = np.single(0.4 + 0.03 * np.sin(x / 3))[..., None] * np.ones(3, np.single)
    depth = np.single(np.minimum(x - 20, 180 - x)) / 100
    hair = np.single((depth > 0) & (np.abs(x - 100) > 40))  # two curtains of 40 pixels
    found = hair_colours(colours, hair, hair, depth, seen=hair > -1, size=100.0)
    dimmer = 1 - (1 - DIMMER) * np.clip(depth / NEAR, 0, 1)[..., None]
    front = (colours * dimmer)[100, :, 0]
    np.testing.assert_allclose(found[100, 30:54, 0], front[30:54], atol=0.01)
    behind = found[100, 62:70, 0]
    away = [np.abs(behind - front[2 * e - 62 : 2 * e - 70 : -1]).max() for e in range(56, 60)]
    assert min(away) < 0.005 < 0.03 < max(away)


def test_a_strip_of_short_hair_has_detail_for_all_of_the_back():
    rng = np.random.default_rng(0)
    colours = np.float32(0.3 + 0.03 * rng.standard_normal((120, 120, 1))) * np.ones(3, np.single)
    y, x = np.mgrid[:120, :120]
    depth = np.single(50 - np.hypot(x - 60, y - 60)) / 100
    strip = np.single((depth > 0) & (depth < 0.12) & (y < 60))
    found = hair_colours(colours, strip, strip, depth, seen=strip > -1, size=100.0)
    assert found[25:50, 45:75].std() > 0.005


@pytest.mark.parametrize(("deep", "striped"), [(6, False), (40, True)])
def test_a_strip_of_hair_is_not_mirrored_again_and_again(deep, striped):
    x = np.mgrid[:200, :200][1]
    colours = np.single(0.4 + 0.05 * np.sin(x))[..., None] * np.ones(3, np.single)
    depth = np.single(np.minimum(x - 20, 180 - x)) / 100
    hair = np.single((depth > 0) & (depth < deep / 100))
    _, share = _mirrored(colours, np.ones_like(hair), hair, 100.0)
    assert bool(share[100, 20 : 20 + deep].max() > 0.9) is striped
    assert striped or share.max() == 0


def test_the_rear_ends_along_the_outline(scene):
    body = scene[3]._layers.body
    step = body.step * body.pixel
    beyond = (body.within <= 0) & (body.within > -step)
    moved = body.rear_places * body.person.work.scale + body.person.room
    at = look_up(
        torch.from_numpy(body.person.depth_within)[None, ..., None], moved[None], "bilinear"
    )[0, ..., 0]
    left = (at * body.pixel)[beyond].abs()
    assert beyond.sum() > 20
    assert left.median() < 0.15 * step
    inside = body.within > 0
    assert torch.equal(body.rear_places[inside], body.places[inside])


def test_the_smallest_turn_changes_next_to_nothing(scene):
    face, photo, head, stage = scene
    turn = torch.tensor([[0.0, 3e-4, 0.0]])
    found = stage(turned_to(face.parameters, turn + face.parameters.rotation))
    change = (found - photo.pixels).abs().amax(-1)
    rim = widened(head, 3) & widened(~head, 3)
    assert change.max() > 0
    assert change.mean() < 2e-3
    assert change[rim].mean() < 8e-3


def test_what_layers_miss_goes_with_the_person_and_not_to_what_they_uncover():
    person = torch.zeros(1, 6, 1)
    person[0, 1:4] = 1.0
    missing = torch.arange(1.0, 7.0)[None, :, None].expand(1, 6, 3) / 10
    missing = missing.contiguous()
    left = Remainder(missing, missing, person, torch.zeros_like(missing))
    place = torch.stack([torch.arange(6) + 0.5, torch.full((6,), 0.5)], -1)[None]
    after = person.roll(1, 1)  # the person is a pixel further on, and has uncovered the second
    moved = place - torch.tensor([1.0, 0.0]) * after
    made = Turned(torch.zeros(1, 6, 3), torch.ones(1, 6, 1), moved, after)
    left.add(made, still(0.0))
    expected = torch.tensor([0.1, 0.0, 0.2, 0.3, 0.4, 0.6])
    torch.testing.assert_close(made.frame[0, :, 0], expected)
    far = Turned(torch.zeros(1, 6, 3), torch.ones(1, 6, 1), moved, after)
    left.add(far, still(ANGLE[1]))
    assert not far.frame.any()
    assert 0 < Remainder.share(still(sum(ANGLE) / 2)) < 1


def still(angle):
    return Turn(torch.zeros(3), torch.tensor([0.0, angle, 0.0]), torch.zeros(3))


def test_what_all_turns_share_is_worked_out_beside_something_else(scene):
    face, photo, _, _ = scene
    layers = Rerenderer(face, photo)._layers
    with layers.prepared():
        pass
    assert "background" in vars(layers)


def test_the_rim_of_a_face_that_turns_to_the_camera_is_left_to_the_mesh(scene):
    face, _, _, stage = scene
    body = stage._layers.body
    near = (body.within > 0) & (body.within < 3) & (body._on_face > 0.9)
    assert near.sum() > 10
    turn = Turn.between(face.parameters, edit(face.parameters, model=face.model, yaw=-25.0))
    opens = near & (body._towards(turn.rotation) > 0.2)
    shuts = near & (body._towards(turn.rotation) < -0.05)
    assert opens.sum() > 2
    for faded in (body.rim(turn.rotation), body.fringe(turn.rotation)):
        assert faded[opens].min() > 0.8
    assert shuts.sum() > 2
    assert body.rim(turn.rotation)[shuts].max() < 0.05
    still = Turn.between(face.parameters, face.parameters)
    assert body.rim(still.rotation).max() < 0.01


def test_ears_of_a_relief_are_left_to_the_mesh_once_they_would_be_stretched(scene):
    face, photo, _, _ = scene
    person = Rerenderer(face, photo)._head.person
    labels = replace(person.labels, skin=np.ones_like(person.matte))
    vars(person).update(labels=labels, ears=face.model.regions["ears"])
    body, without = Body(person), Body(person)
    vars(without)["_on_ears"] = torch.zeros_like(body.within)
    turns = [edit(face.parameters, model=face.model, yaw=yaw) for yaw in (10.0, 40.0)]
    slight, far = (Turn.between(face.parameters, turned).rotation for turned in turns)
    assert torch.equal(body.rim(slight), without.rim(slight))
    gone = body.rim(far) - without.rim(far)
    assert gone.min() >= 0
    assert gone[body._on_ears == 0].max() == 0
    assert gone.max() > 0.2


@pytest.fixture(scope="module")
def haired(scene):
    """The head with dark hair down to its brows, before magenta."""
    face, photo, head, _ = scene
    top = int(head.any(1).nonzero()[0, 0])
    brows = int(face.fit.landmarks.points[[105, 334], 1].min()) - 12
    y, x = torch.meshgrid(*(torch.arange(n) for n in photo.size), indexing="ij")
    dark = (0.2 + 0.05 * torch.sin(0.9 * x) * torch.sin(0.7 * y))[..., None].expand(-1, -1, 3)
    hair = head & (y < (top + brows) / 2)
    pixels = torch.where(hair[..., None], dark, photo.pixels)
    magenta = torch.tensor([1.0, 0.0, 1.0]).expand(*photo.size, 3).contiguous()
    return Rerenderer(face, Photo(pixels), magenta)


def test_a_relief_goes_on_under_the_mesh_where_hair_begins(haired):
    person = haired._head.person
    hair = torch.from_numpy(person.labels.hair * person.matte > 0.5)
    ring = widened(hair, max(round(0.02 * person.work.size), 1)).numpy() & (
        person.labels.skin > 0.9
    )
    ring &= (person.drawn_by_mesh > 0.9) & (person.matte > 0.99)
    assert ring.sum() > 50
    assert np.quantile(person.seen_front[ring], 0.1) > 0.8
    deep = (person.drawn_by_mesh > 0.99) & ~widened(hair, person.work.pixels.shape[0] // 5).numpy()
    assert np.median(person.seen_front[deep]) < 0.2


@pytest.mark.parametrize("yaw", [-20.0, 20.0])
def test_nothing_behind_a_head_is_seen_through_it_when_it_turns(haired, yaw):
    stage = haired
    found = stage(edit(stage.face.parameters, model=stage.face.model, yaw=yaw))
    behind = (found[..., 0] > 0.8) & (found[..., 1] < 0.3) & (found[..., 2] > 0.8)
    islands, count = label(behind.numpy())
    border = np.concatenate([islands[0], islands[-1], islands[:, 0], islands[:, -1]])
    sizes = np.bincount(islands.ravel(), minlength=count + 1)
    assert not [n for n in range(1, count + 1) if n not in border and sizes[n] > 2]


def test_hair_that_turns_to_the_camera_ends_as_sharply_as_in_the_photo(haired):
    stage = haired
    found = stage(edit(stage.face.parameters, model=stage.face.model, yaw=-25.0))
    magenta = (found[..., 0] - found[..., 1]).clamp(0, 1)
    rows = (stage._head.person.labels.hair * stage._head.person.matte > 0.9).any(1).nonzero()[0]
    scale, coarse = stage._head.person.work.scale, stage._layers._coarse(False)
    low, high = (int(row / scale) for row in np.quantile(rows, (0.3, 1.0)))
    soft = ((magenta > 0.1) & (magenta < 0.9)).float()
    last = (magenta < 0.1).float().cumsum(1).argmax(1)
    width = [soft[row, last[row] :].sum() for row in range(low, high)]
    assert len(width) > 5
    assert float(torch.stack(width).median()) <= 2.5 * coarse


def test_hair_that_turns_to_the_camera_covers_the_outline_with_the_rear_s_colours(haired):
    stage = haired
    body, face = stage._layers.body, stage.face
    turn = Turn.between(face.parameters, edit(face.parameters, model=face.model, yaw=-60.0))
    other = body.opening(turn.rotation)
    beside = (body.within > -0.5 * body.step * body.pixel) & (body.within < 3)
    opens = beside & (body._towards(turn.rotation) > 0.4) & (body._alike > 0.9)
    opens &= (body.hair > 0.5) & (body.clothes < 0.05)
    assert opens.sum() > 2
    assert other[opens].min() > 0.9
    assert other[body.within < -0.85 * body.step * body.pixel].max() == 0
    still = Turn.between(face.parameters, face.parameters)
    assert body.opening(still.rotation).max() < 0.01


def test_hair_ends_before_the_ears_above_them_and_all_the_way_down_where_it_covers_them(haired):
    person = haired._head.person
    outline = Outline(person)
    flat = outline.to_model(outline.points(torch.full(outline.within.shape, outline.plane)))
    high, low = flat[..., 1] > TEMPLE[1], flat[..., 1] < TEMPLE[0]
    assert outline.hanging < 0.01
    torch.testing.assert_close(outline._forward[high], torch.full_like(flat[high][:, 0], TEMPLES))
    assert outline._forward[low].abs().max() == 0
    hung = Outline(person)
    vars(hung)["hanging"] = torch.ones(())
    assert bool((hung._forward == HANGING).all())
    rim = (outline.within.abs() < 1) & (flat[..., 1] > TEMPLE[1] + 20)
    rim &= outline.at_nodes(person.padded(person.labels.hair)) > 0.9
    assert rim.sum() > 10
    assert (outline.base[rim] - TEMPLES).abs().median() < 5
