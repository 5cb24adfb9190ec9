"""Mouths that move in a photo."""

from dataclasses import replace

import pytest
import torch

from morphface.edit import edit
from morphface.fit.analysis.colour import LUMINANCE
from morphface.landmarks.tables import INNER_LIPS
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.rerender import Rerenderer
from morphface.rerender.looks import Look, light_change
from morphface.rerender.mouth import opening
from morphface.rerender.mouth_inside import BESIDE, LIGHT, SHADE, SKIN, WARM, white_beside
from morphface.rerender.mouth_move import TOUCHING, MovedMouth, _openings
from morphface.rerender.mouth_photo import MouthPhoto
from morphface.rerender.ring_axes import BEYOND, RingAxes, sampled
from morphface.rerender.seen_head import EXPRESSED, SeenHead
from morphface.rerender.teeth import DEEP, TOOTH, WIDTHS, ArchLines, _crown, arches_of
from tests.rerender.heads import photographed, pixels

MOUTH = 70.0  # millimetres below the eyes
TEETH = torch.tensor([0.6, 0.9, 1.0])


def bluish(picture):
    """How far pixels have the colour of the teeth of these tests, which no skin has."""
    return picture[..., 2] - picture[..., 0]


@pytest.fixture(scope="module")
def smiling():
    """A head whose open mouth shows bright bluish teeth and nothing else, fitted perfectly."""
    weights = {"jawOpen": 0.25, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}
    face, photo = photographed(weights, MOUTH)
    seen = Rerenderer(face, photo)._mouth._parts[0].seen
    flat = seen.axes.flat(pixels())
    top, low = sampled(torch.stack([seen.upper, seen.lower], dim=-1), flat[..., 0]).unbind(-1)
    painted = photo.pixels.clone()
    painted[(flat[..., 1] < top) & (flat[..., 1] > low)] = TEETH
    return face, Photo(painted)


def moved(face, photo, **changes):
    wanted = edit(face.parameters, model=face.model, **changes)
    stage = Rerenderer(face, photo)
    look, seen = Look.of(face.model, wanted), stage._mouth._parts[0].seen
    return stage(wanted), MovedMouth.of(stage._head, seen, wanted, look, face.camera)


def height(mouth):
    """How far inside the lips each pixel is, in pixels."""
    flat = mouth.axes.flat(pixels())
    top, low = sampled(torch.stack([mouth.upper, mouth.lower], dim=-1), flat[..., 0]).unbind(-1)
    return torch.minimum(top - flat[..., 1], flat[..., 1] - low) * mouth.axes.width


def test_teeth_of_the_photo_stay_with_the_skull_and_nowhere_else(smiling):
    face, photo = smiling
    found, mouth = moved(face, photo, expression={"jawOpen": 0.6})
    assert mouth.share == 1
    was = bluish(photo.pixels) > 0.35
    kept = was & (height(mouth) > 3)
    seen = Rerenderer(face, photo)._mouth._parts[0].seen
    assert seen.cut
    within = seen.shows(seen.axes.flat(pixels()), 0.01, upper=True)[..., 0] > 0.99
    assert (kept & within).sum() > 200
    assert (found - photo.pixels)[kept & within].abs().max() < 0.02
    assert bluish(found)[height(mouth) < -1.5].max() < 0.1  # no tooth on a lip


def test_lips_that_close_show_no_tooth(smiling):
    face, photo = smiling
    found, mouth = moved(face, photo, preset="sad")
    assert (mouth.upper - mouth.lower).max() < 0.02
    assert bluish(photo.pixels).max() > 0.35
    assert (bluish(found) > 0.1).sum() <= 2


def test_lips_keep_their_own_skin():
    face, photo = photographed({}, MOUTH)
    striped = photo.pixels.clone()
    x, y = pixels().unbind(-1)
    striped[..., 0] += 0.1 * torch.sin(x)
    striped[..., 1] += 0.1 * torch.sin(y)
    photo = Photo(striped.clamp(0, 1))
    found, mouth = moved(face, photo, expression={"jawOpen": 0.4})
    lower = torch.tensor([17, 84, 314, 405, 181])  # the outer edge of the lower lip
    places = [points[lower].round().long() for points in (mouth.points, face.fit.landmarks.points)]
    assert (places[0] - places[1])[:, 1].min() > 5
    now, was = (
        torch.stack([image[y - 2 : y + 2, x - 2 : x + 2].mean((0, 1)) for x, y in each.tolist()])
        for image, each in zip((found, photo.pixels), places, strict=True)
    )
    assert (now - was).abs().mean() < 0.05


def test_an_opened_mouth_has_teeth_below_the_upper_lip_and_is_dark_behind():
    face, photo = photographed({}, MOUTH)
    found, mouth = moved(face, photo, expression={"jawOpen": 0.6})
    flat = mouth.axes.flat(pixels())
    top, low = sampled(torch.stack([mouth.upper, mouth.lower], dim=-1), flat[..., 0]).unbind(-1)
    middle, light = (flat[..., 0] - 0.5).abs() < 0.1, found.mean(-1)
    below = top - flat[..., 1]
    teeth = light[middle & (below > 0.012) & (below < 0.03)].mean()
    behind = light[
        middle & (flat[..., 1] < (top + low) / 2 + 0.02) & (flat[..., 1] > (top + low) / 2)
    ]
    assert teeth > 2 * behind.mean()
    assert 0.02 < behind.mean() < 0.25


def test_a_closed_mouth_that_only_turns_is_left_to_the_mesh():
    face, photo = photographed({}, MOUTH)
    points, ring = face.fit.landmarks.points, list(INNER_LIPS)  # lips of the mesh rest apart
    for number in range(1, 10):
        pair = [ring[number], ring[-number]]
        points[pair] = points[pair].mean(0)
    wanted = edit(face.parameters, model=face.model, yaw=8.0)
    stage, look = Rerenderer(face, photo), Look.of(face.model, wanted)
    frame = photo.pixels.clone()
    stage._mouth.over(frame, wanted, look, face.camera)
    assert torch.equal(frame, photo.pixels)


def test_teeth_turn_with_the_skull_and_are_not_torn(smiling):
    face, photo = smiling
    found, mouth = moved(face, photo, yaw=12.0)
    inside = height(mouth) > 0.03 * mouth.axes.width
    shown = bluish(found)[inside]
    assert inside.sum() > 500
    assert (shown > 0.3).float().mean() > 0.9
    assert bluish(found)[height(mouth) < -1.5].max() < 0.1


def test_photos_without_the_landmarks_of_lips_are_left_to_the_mesh():
    face, photo = photographed({}, MOUTH)
    few = replace(face.fit.landmarks, scheme="68")
    other = replace(face, fit=replace(face.fit, landmarks=few))
    assert Rerenderer(other, photo)._mouth._parts is None


def test_lips_open_as_far_as_those_of_the_mesh_and_touch_when_it_nearly_does():
    def ring(gap):
        points = torch.zeros(20, 3)
        points[11:, 1] = gap
        return points

    seen = torch.full((9,), 7.0)
    assert torch.equal(_openings(seen, [ring(2.0), ring(2.0)], 3.0), seen)
    torch.testing.assert_close(_openings(seen, [ring(2.0), ring(5.0)], 3.0), seen + 9.0)
    assert not _openings(seen, [ring(2.0), ring(2.0 * TOUCHING[0])], 3.0).any()
    wide = [ring(40.0), ring(40.0 * TOUCHING[0])]  # whose jaw is still low
    assert _openings(seen, wide, 3.0).max() > 0.2 * seen.max()
    assert not _openings(seen, [wide[0], ring(TOUCHING[1])], 3.0).any()
    half = _openings(seen, [ring(2.0), ring(1.0 + TOUCHING[0])], 3.0)
    torch.testing.assert_close(half, seen / 2)


NOSE = torch.tensor([[200.0, 120.0], [190.0, 125.0], [210.0, 125.0]])


def opened_ring():
    """Twenty landmarks of lips 100 wide and open by 60."""
    points = torch.zeros(20, 2)
    x = torch.linspace(0, 1, 11)
    half = 30 * (4 * x * (1 - x)).sqrt()
    points[:11] = torch.stack([150 + 100 * x, 200 + half], dim=-1)
    points[11:] = torch.stack([150 + 100 * x, 200 - half], dim=-1)[1:-1].flip(0)
    return points


def test_upper_teeth_end_at_what_is_dark_below_them():
    points, nose = opened_ring(), NOSE
    picture = torch.full((360, 400, 3), 0.6)
    y = pixels()[..., 1]
    picture[(y > 170) & (y < 190)] = 0.9
    picture[(y >= 190) & (y < 230)] = 0.05
    seen = MouthPhoto.of(picture, points, nose)
    middle = seen.ends[len(seen.ends) // 2 - 10 : len(seen.ends) // 2 + 10]
    torch.testing.assert_close(middle, torch.full_like(middle, 0.1), atol=0.03, rtol=0)
    assert not seen.cut
    assert seen.teeth is not None
    torch.testing.assert_close(seen.teeth, torch.full((3,), 0.9), atol=0.05, rtol=0)
    shut = MouthPhoto.of(picture, torch.cat([points[:11], points[1:10].flip(0)]), nose)
    assert shut.teeth is None


def test_a_slit_is_as_dark_wherever_it_lies_between_pixels():
    rows = torch.arange(12) + 0.5
    shares = []
    for middle in torch.linspace(5.0, 6.0, 9):
        upper, lower = (torch.full_like(rows, float(middle + side)) for side in (0.4, -0.4))
        shares.append(opening(rows, upper, lower, 1.0))
    sums, peaks = torch.stack(shares).sum(1), torch.stack(shares).amax(1)
    torch.testing.assert_close(sums, sums[:1].expand(9), atol=0.03, rtol=0)
    assert peaks.max() < 1.4 * peaks.min()
    shut = torch.full_like(rows, 5.3)
    assert not opening(rows, shut, shut, 1.0).any()
    wide = opening(rows, shut + 4, shut - 4, 1.0)
    assert torch.equal(wide[(rows - 5.3).abs() < 3], torch.ones(6))


def test_the_shade_between_crowns_fades_in_coarser_pixels_and_keeps_its_sum():
    at = torch.linspace(-BEYOND, 1 + BEYOND, 121)
    table = torch.stack([50 * (at - 0.5), torch.full_like(at, -0.3), torch.full_like(at, 0.3)], -1)
    along = torch.linspace(0.42, 0.58, 400)
    place = torch.stack([along, torch.zeros_like(along)], -1)[None]
    found = [ArchLines(table, True).drawn(place, torch.ones(3), soft)[0][0, :, 0] for soft in SOFTS]
    shades = [1 - row / row.max() for row in found]
    assert shades[0].max() > 0.25
    assert shades[1].max() < 0.6 * shades[0].max()
    torch.testing.assert_close(shades[1].mean(), shades[0].mean(), atol=0.0, rtol=0.15)


SOFTS = 0.0005, 0.015


def test_crowns_lie_side_by_side():
    for widths in WIDTHS:
        ends = torch.tensor(widths).cumsum(0)
        across, *_ = _crown(torch.cat([torch.zeros(1), ends[:-1] - 1e-3, ends[:-1] + 1e-3]), widths)
        count = len(ends) - 1
        torch.testing.assert_close(
            across[: count + 1].abs(), torch.ones(count + 1), atol=1e-3, rtol=0
        )
        torch.testing.assert_close(across[count + 1 :], -torch.ones(count), atol=1e-3, rtol=0)
        middle = (ends - torch.tensor(widths) / 2)[1:]
        torch.testing.assert_close(
            _crown(-middle, widths)[0], torch.zeros(len(middle)), atol=1e-5, rtol=0
        )


def test_teeth_are_behind_the_lips_of_any_model():
    model = load_model()
    neutral = model.identity.mean
    lips = model.landmark_embedding("478").points(neutral)[[13, 14]]
    for head in (model, replace(model, regions={})):
        upper, lower = arches_of(head, neutral, lips)
        for arch, side in ((upper, 1), (lower, -1)):
            middle = arch.edges[len(arch.edges) // 2]
            assert 1.0 < lips[0, 2] - middle[2] < 8.0
            assert ((arch.gums - arch.edges)[:, 1] * side > 5).all()
            steps = arch.edges.diff(dim=0).norm(dim=-1).sum()
            torch.testing.assert_close(steps, arch.along[-1] - arch.along[0])
        assert 0.5 < lips[0, 1] - upper.edges[48, 1] < 6.0


def test_a_row_of_teeth_is_drawn_where_it_is():
    model = load_model()
    neutral = model.identity.mean
    points = model.landmark_embedding("478").points(neutral)
    upper, _ = arches_of(model, neutral, points[[13, 14]])
    flip = torch.tensor([1.0, -1.0])
    ring, above = points[list(INNER_LIPS), :2] * flip, points[[164, 2], :2] * flip
    axes = RingAxes.of(ring, above)
    row = ArchLines.of(upper, upper.edges[:, :2] * flip, upper.gums[:, :2] * flip, axes)
    colour = torch.tensor([0.8, 0.75, 0.7])
    crown = upper.edges[48] + torch.tensor(
        [[[4.25, 5.0, 0.0], [4.25, -3.0, 0.0], [4.25, 12.0, 0.0]]]
    )
    found, shown = row.drawn(axes.flat(crown[..., :2] * flip), colour, 0.006)
    assert shown.flatten().tolist() == [1.0, 0.0, 1.0]
    torch.testing.assert_close(found[0, 0], colour, atol=0.06, rtol=0)
    assert found[0, 2, 0] > 1.4 * found[0, 2, 1]  # gum


def test_expressions_change_the_light_on_a_photo_less_than_on_the_mesh():
    face, photo = photographed({}, MOUTH)
    head = SeenHead(face, photo, Look.of(face.model, face.parameters))
    smiling = edit(face.parameters, model=face.model, preset="smile")
    look, faces = Look.of(face.model, smiling), face.model.faces
    turn = light_change(faces, head.look, look)[1] * head.bare * head.shown
    torch.testing.assert_close(head.shades(look), EXPRESSED * turn)
    turned = Look.of(face.model, edit(face.parameters, model=face.model, yaw=15.0))
    whole = light_change(faces, head.look, turned)[1] * head.bare * head.shown
    torch.testing.assert_close(head.shades(turned), whole, atol=2e-3, rtol=0)


@pytest.mark.parametrize(("seen", "known"), [((0.85, 0.8, 0.75), True), ((0.7, 0.35, 0.35), False)])
def test_what_is_as_red_as_lips_is_no_tooth(seen, known):
    for opened, told in ((1.0, True), (0.3, known)):
        points, picture = opened_ring(), torch.tensor([0.7, 0.5, 0.4]).expand(360, 400, 3).clone()
        points[:, 1] = 200 + opened * (points[:, 1] - 200)
        y = pixels()[..., 1]
        picture[(y > 200 - 30 * opened) & (y < 200 + 30 * opened)] = torch.tensor(seen)
        found = MouthPhoto.of(picture, points, NOSE)
        flat = found.axes.flat(pixels())
        shown = [(found.shows(flat, 0.01, upper=upper) > 0.9).any() for upper in (True, False)]
        assert (found.teeth is not None) == known
        assert found.clear == told  # what nothing is told of stays as seen until it opens further
        assert shown == [known or not told, not known and told]  # with the skull, or with the jaw


def test_a_slit_in_which_nothing_is_told_apart_stays_as_seen_until_it_opens_further():
    face, photo = photographed({"jawOpen": 0.12}, MOUTH)
    seen = Rerenderer(face, photo)._mouth._parts[0].seen
    flat = seen.axes.flat(pixels())
    top, low = sampled(torch.stack([seen.upper, seen.lower], dim=-1), flat[..., 0]).unbind(-1)
    painted, slit = photo.pixels.clone(), torch.tensor([0.7, 0.3, 0.3])
    painted[(flat[..., 1] < top) & (flat[..., 1] > low)] = slit
    found = {}
    for name, change in {
        "turned": {"yaw": 6.0},
        "opened": {"expression": {"jawOpen": 0.5}},
    }.items():
        picture, mouth = moved(face, Photo(painted), **change)
        inside = height(mouth) > 0.02 * mouth.axes.width
        found[name] = (picture[inside] - slit).abs().amax(-1)
    assert found["turned"].median() < 0.06
    assert (found["opened"] > 0.15).float().mean() > 0.9


def test_between_lips_that_nearly_touch_there_is_a_dark_line_and_nothing_grey():
    face, photo = photographed({}, MOUTH)
    stage = Rerenderer(face, photo)
    inside = stage._mouth._parts[1]
    line = inside.slit(stage._now)
    assert line.mean() < 0.15
    assert line[0] > 1.5 * line[1]


def test_teeth_are_as_bright_beside_skin_as_those_of_smiles_whatever_the_light_is():
    face, photo = photographed({}, MOUTH)
    weights = torch.tensor(LUMINANCE)
    for share in (0.3, 1.0):
        dim = Photo(photo.pixels * share)
        white = Rerenderer(face, dim)._mouth._parts[1].white
        x, y = face.fit.landmarks.points[SKIN].long().unbind(-1)
        light = (dim.pixels[y, x] @ weights).sort().values
        skin = light[len(light) // 2 :].mean()
        ratio = float(SHADE * (torch.tensor(TOOTH) * white) @ weights / skin)
        assert 0.95 * BESIDE[0] < ratio < 1.05 * BESIDE[1]
        assert white.max() < LIGHT[1]


def test_teeth_are_as_warm_as_the_skin_beside_them_makes_expect():
    light = torch.tensor([0.8, 0.8, 0.8])
    skins = [torch.tensor(each) for each in ((0.75, 0.5, 0.4), (0.6, 0.6, 0.6))]
    warm, grey = (torch.tensor(TOOTH) * white_beside(skin, light) for skin in skins)
    assert warm[0] / warm[2] > 1.15 * grey[0] / grey[2]
    tooth = torch.tensor(TOOTH)
    expected = torch.lerp(tooth / (tooth @ torch.tensor(LUMINANCE)), torch.ones(3), WARM)
    torch.testing.assert_close(grey / grey[1], expected / expected[1], atol=1e-3, rtol=0)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_a_tongue_reaches_as_far_to_either_side_of_its_arch_also_when_the_head_is_turned(yaw):
    inside = Rerenderer(*photographed({"jawOpen": 0.7}, MOUTH, yaw=yaw))._mouth._parts[1]
    table = inside._rows[1].table
    at = torch.linspace(-BEYOND, 1 + BEYOND, len(table))
    for far in (4.0, 8.0, 12.0):
        along = torch.stack([at[(table[:, 0] - side * far).abs().argmin()] for side in (-1, 1)])
        flat = torch.stack([along, sampled(table, along)[:, 1] + 0.03], dim=-1)[None]
        left, right = inside._behind(flat, torch.ones(3))[0]
        torch.testing.assert_close(left, right, atol=0.03, rtol=0)
        assert left[0] > 1.2 * DEEP[0]
