"""An eye that shows its iris is seen, in any shade; one that does not may be hidden."""

from dataclasses import replace

import pytest
import torch

from morphface.fit.covered import find_cover
from morphface.fit.covered.eyes import eyes_seen
from morphface.fit.covered.raster import face_raster
from morphface.landmarks import SCHEMES, to_scheme
from morphface.media.images import Photo

LIDS = {side: list(SCHEMES["478"].groups[f"{side}_eye"]) for side in ("left", "right")}
IRISES = {side: list(SCHEMES["478"].groups[f"{side}_iris"]) for side in ("left", "right")}


@pytest.fixture(scope="module")
def looked(known):
    """The known face; in its photo eyes as dark as 0.1 with whites of 0.6 are painted."""
    face, pixels = known.faces[0], known.photo.pixels.clone()
    marks = face.fit.landmarks
    y, x = (torch.arange(n) + 0.5 for n in known.photo.size)
    for side in LIDS:
        lids, iris = marks.points[LIDS[side]], marks.points[IRISES[side]]
        (left, top), (right, bottom) = lids.amin(0), lids.amax(0)
        inside = ((x > left) & (x < right))[None] & ((y > top) & (y < bottom))[:, None]
        away = ((x - iris[0, 0]).square()[None] + (y - iris[0, 1]).square()[:, None]).sqrt()
        pixels[inside] = 0.6
        pixels[inside & (away < (iris[1:] - iris[0]).norm(dim=1).mean())] = 0.1
    return face, pixels


@pytest.mark.parametrize("exposure", [1.0, 0.3])
def test_irises_darker_than_white_are_seen_in_any_exposure(looked, exposure):
    face, pixels = looked
    assert eyes_seen(face.fit.landmarks, Photo(pixels * exposure)) == (True, True)


def test_an_eye_in_one_colour_is_not_seen(looked):
    face, pixels = looked
    (left, top), (right, bottom) = (
        f(face.fit.landmarks.points[LIDS["left"]], 0).int().tolist()
        for f in (torch.amin, torch.amax)
    )
    hidden = pixels.clone()
    hidden[top : bottom + 1, left : right + 1] = 0.3
    assert eyes_seen(face.fit.landmarks, Photo(hidden)) == (False, True)


def test_landmarks_without_irises_or_beyond_the_picture_do_not_tell(looked):
    face, pixels = looked
    marks = face.fit.landmarks
    assert eyes_seen(to_scheme(marks, "68"), Photo(pixels)) == (False, False)
    beyond = replace(marks, points=marks.points - torch.tensor([1e4, 0.0]))
    assert eyes_seen(beyond, Photo(pixels)) == (False, False)
    unsure = replace(marks, confidence=torch.zeros_like(marks.confidence))
    assert eyes_seen(unsure, Photo(pixels)) == (False, False)


def test_eyes_in_the_deep_shade_of_a_peak_are_not_covered_and_the_brow_above_them_is(looked):
    face, pixels = looked
    raster = face_raster(face.model, face.fit, Photo(pixels))
    eyes = face.fit.landmarks.points[LIDS["left"] + LIDS["right"]]
    shade = torch.ones(len(pixels), 1, 1)
    shade[: int(eyes[:, 1].max()) + 6] = 0.12
    cover = find_cover(face.model, face.fit, Photo(pixels * shade))
    high = raster.spread(1.0 * raster.skin, pixels.shape[:2]) > 0.5
    high[int(eyes[:, 1].min()) - 25 :] = False
    assert float(cover[high].mean()) > 0.9
    for side in IRISES:
        x, y = face.fit.landmarks.points[IRISES[side][0]].int().tolist()
        assert float(cover[y, x]) < 0.1
