"""What is painted before a known face is found, and nothing else is."""

from dataclasses import replace

import pytest
import torch

from morphface.fit.covered import find_cover, fit_uncovered, less_sure
from morphface.fit.covered.raster import face_raster
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
