"""What is painted before a known face is found, and nothing else is."""

from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
import torch

from morphface.fit.covered import find_cover, fit_seen, fit_uncovered, less_sure
from morphface.fit.covered.glasses import closed_path
from morphface.fit.covered.raster import face_raster
from morphface.fit.covered.sunglasses import sunglasses_before
from morphface.media.images import Photo

CLOTH = torch.tensor([0.62, 0.76, 0.85])
HAIR = torch.tensor([0.16, 0.11, 0.08])


@pytest.fixture(scope="module")
def bare(known):
    """The known photo, its fit, and where its face is seen."""
    face = known.faces[0]
    raster = face_raster(face.model, face.fit, known.photo)
    seen = raster.spread(1.0 * raster.seen, known.photo.size) > 0.5
    return face.model, face.fit, known.photo.pixels, seen


def rows_beyond(bare, share):
    """The part of the face below a share of its height."""
    *_, seen = bare
    rows = torch.nonzero(seen.any(dim=1))[:, 0]
    first = int(rows[0] + share * (rows[-1] - rows[0]))
    below = torch.zeros_like(seen)
    below[first:] = True
    return below


def found(bare, pixels):
    model, fit, _, _ = bare
    return find_cover(model, fit, Photo(pixels))


def painted(bare, where, colour):
    return torch.where(where[..., None], colour, bare[2])


def agreement(cover, where, seen):
    """Intersection over union, within the face."""
    said, true = (cover > 0.5) & seen, where & seen
    return float((said & true).sum() / (said | true).sum())


def test_nothing_is_before_a_bare_face(bare):
    assert float(found(bare, bare[2]).max()) == 0.0


def test_eyes_and_brows_behind_dark_glasses_are_covered_with_the_skin_around_them(bare):
    model, fit, pixels, seen = bare
    marks = fit.landmarks.points
    eyes = marks[torch.tensor([33, 133, 263, 362])]
    wide = float((eyes[0] - eyes[2]).norm())
    low, high = eyes.amin(dim=0) - 0.4 * wide, eyes.amax(dim=0) + 0.3 * wide
    glasses = torch.zeros_like(seen)
    glasses[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = True
    cover = found(bare, painted(bare, glasses, HAIR))
    irises = marks[torch.tensor([468, 473])].long()
    brows = marks[torch.tensor([105, 334])].long()
    assert cover[irises[:, 1], irises[:, 0]].min() > 0.9
    assert glasses[brows[:, 1], brows[:, 0]].all()
    assert cover[brows[:, 1], brows[:, 0]].min() > 0.9


def rims(bare, *, eyes, arc, gain=0.2):
    """The photo with dark ovals around eyes, or with their lower arcs alone, and where."""
    model, fit, pixels, seen = bare
    raster = face_raster(model, fit, Photo(pixels))
    middles = raster.corner + raster.middles / raster.ratio
    unit = float(np.linalg.norm(middles[0] - middles[1])) / 62
    drawn = np.zeros(pixels.shape[:2], np.float32)
    for middle in middles[list(eyes)]:
        size = tuple(round(reach * unit) for reach in (25, 19))
        centre = tuple(int(value) for value in middle)
        cv2.ellipse(drawn, centre, size, 0.0, *arc, 1.0, max(1, round(2.5 * unit)), cv2.LINE_AA)
    share = torch.from_numpy(drawn)[..., None]
    return pixels * (1 - share) + gain * pixels.mean() * share, (share[..., 0] > 0.5) & seen


def test_the_frame_of_glasses_is_found_and_what_is_seen_through_it_is_not_covered(bare):
    shown, frame = rims(bare, eyes=(0, 1), arc=(0, 360))
    cover = found(bare, shown) > 0.5
    assert float((cover & frame).sum() / frame.sum()) > 0.8
    assert float(cover.sum() / frame.sum()) < 3.0
    irises = bare[1].landmarks.points[torch.tensor([468, 473])].long()
    assert not cover[irises[:, 1], irises[:, 0]].any()


def lenses(bare, eyes, mirrored=0.0):
    """The photo with dark lenses before eyes, whose upper part mirrors the sky, and where."""
    model, fit, pixels, seen = bare
    raster = face_raster(model, fit, Photo(pixels))
    middles = raster.corner + raster.middles / raster.ratio
    unit = float(np.linalg.norm(middles[0] - middles[1])) / 62
    rows, columns = torch.meshgrid(*map(torch.arange, seen.shape), indexing="ij")
    out, where = pixels.clone(), torch.zeros_like(seen)
    for middle in middles[list(eyes)]:
        across, down = (columns - middle[0]) / (26 * unit), (rows - middle[1]) / (19 * unit)
        lens = across.abs().maximum(down.abs()) < 1
        out[lens] = 0.05
        out[lens & (down < -0.2)] += mirrored
        where |= lens
    return out, where & seen


@pytest.mark.parametrize("mirrored", [0.0, 0.25])
def test_dark_glasses_are_covered_as_a_whole_whatever_they_mirror(bare, mirrored):
    pixels, where = lenses(bare, (0, 1), mirrored)
    cover = found(bare, pixels)
    assert (cover[where] > 0.5).float().mean() > 0.97
    assert agreement(cover, where, bare[3]) > 0.6


def test_one_dark_lens_or_paint_above_both_eyes_are_no_glasses(bare):
    model, fit, pixels, _ = bare
    photos = [lenses(bare, (0,))[0], pixels.clone()]
    marks = fit.landmarks.points
    low, high = marks[[105, 334], 1].min(), marks[[159, 386], 1].mean()
    rows = torch.arange(len(pixels))
    photos[1][(rows > low) & (rows < high)] *= 0.3
    for photo in photos:
        assert sunglasses_before(face_raster(model, fit, Photo(photo))).max() == 0


@pytest.mark.parametrize(
    "drawn", [{"eyes": (0,), "arc": (0, 360)}, {"eyes": (0, 1), "arc": (30, 150), "gain": 0.5}]
)
def test_one_rim_alone_or_bags_below_eyes_are_no_glasses(bare, drawn):
    assert float(found(bare, rims(bare, **drawn)[0]).max()) == 0.0


def test_landmarks_count_as_before_behind_glasses(bare):
    model, fit, pixels, _ = bare
    shown, _ = rims(bare, eyes=(0, 1), arc=(0, 360))
    told, cover = fit_seen(model, Photo(shown), fit.landmarks, size=pixels.shape[:2])
    assert float(cover.max()) == 1.0
    assert told.landmarks is fit.landmarks


def test_the_best_closed_path_is_found():
    gain = np.random.default_rng(3).random((6, 4))
    best = max(
        sum(gain[k, path[k]] - 0.02 * abs(path[k] - path[k - 1]) for k in range(6))
        for path in product(range(4), repeat=6)
        if all(abs(path[k] - path[k - 1]) <= 3 for k in range(6))
    )
    path = closed_path(gain)
    told = sum(gain[k, path[k]] - 0.02 * abs(path[k] - path[k - 1]) for k in range(6))
    assert told == pytest.approx(best)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_a_mask_over_the_lower_face_is_found_in_any_exposure(bare, gain):
    mask = rows_beyond(bare, 0.55)
    cover = found(bare, gain * painted(bare, mask, CLOTH))
    assert agreement(cover, mask, bare[3]) > 0.85


def test_dark_hair_over_the_upper_face_is_found(bare):
    fringe = ~rows_beyond(bare, 0.35)
    cover = found(bare, painted(bare, fringe, HAIR))
    assert agreement(cover, fringe, bare[3]) > 0.8


@pytest.mark.parametrize("share", [0.3, 0.4])
def test_hair_of_the_hue_of_skin_is_not_taken_for_shade(bare, share):
    fringe = ~rows_beyond(bare, share)
    cover = found(bare, torch.where(fringe[..., None], 0.45 * bare[2], bare[2]))
    assert agreement(cover, fringe, bare[3]) > 0.8


def test_a_beard_hides_nothing(bare):
    model, fit, pixels, seen = bare
    raster = face_raster(model, fit, Photo(pixels))
    beard = raster.spread(1.0 * (raster.beard & raster.skin), seen.shape) > 0.5
    assert float(found(bare, painted(bare, beard, HAIR)).max()) == 0.0
    assert float(found(bare, painted(bare, beard, CLOTH)).max()) > 0.9


def test_a_smooth_shade_hides_nothing(bare):
    columns = torch.linspace(1.0, 0.45, bare[2].shape[1])
    assert float(found(bare, bare[2] * columns[None, :, None]).max()) == 0.0


def test_skin_where_a_mouth_should_be_is_a_hand_up_to_its_outline(bare):
    model, fit, pixels, seen = bare
    raster = face_raster(model, fit, Photo(pixels))
    hand, inner = (
        raster.spread(1.0 * (raster.distance < reach), seen.shape) > 0.5 for reach in (55, 50)
    )
    tone = pixels[seen].median(dim=0).values
    dark = torch.nonzero(raster.spread(1.0 * raster.eyes, seen.shape) > 0.5)
    shown = torch.where(inner[..., None], tone, painted(bare, hand, 0.5 * tone))
    dark = dark[: len(dark) // 2]
    shown[dark[:, 0], dark[:, 1]] = 0.1  # brows; a picture that shows them would show lips, too
    cover = found(bare, shown)
    assert agreement(cover, hand, seen) > 0.75
    assert float(cover[raster.spread(1.0 * raster.eyes, seen.shape) > 0.5].max()) < 0.1


def test_hidden_landmarks_count_little_and_all_others_as_before(bare):
    fit = bare[1]
    below = rows_beyond(bare, 0.55)
    wiser = less_sure(fit.landmarks, below.float())
    spots = fit.landmarks.points.long()
    hidden = below[spots[:, 1], spots[:, 0]]
    assert torch.equal(wiser.confidence[~hidden], fit.landmarks.confidence[~hidden])
    assert float(wiser.confidence[hidden].max()) == pytest.approx(0.01)
    assert less_sure(fit.landmarks, torch.zeros(below.shape)) is fit.landmarks


def test_a_fit_is_made_anew_only_where_landmarks_are_hidden(bare):
    fit = bare[1]
    below = rows_beyond(bare, 0.55)
    assert fit_uncovered(lambda _: pytest.fail("asked"), fit, torch.zeros(below.shape)) is fit
    again = fit_uncovered(lambda marks: replace(fit, landmarks=marks), fit, below.float())
    assert float(again.landmarks.confidence.min()) < 0.1


def test_a_face_that_is_nowhere_is_not_covered(bare):
    model, fit, pixels, _ = bare
    lost = torch.tensor([[0.0, 0.0, -1e12]])
    nowhere = replace(fit, parameters=replace(fit.parameters, translation=lost))
    assert float(find_cover(model, nowhere, Photo(pixels)).max()) == 0.0
