"""What skin shows beyond the components of its reflectance is found where it is seen."""

from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.fit import PhotometricSettings, fit_photometric
from morphface.fit.analysis.correctives import corrective, show
from morphface.fit.analysis.sampling import seen_weight
from morphface.models import load_model
from tests.fit.analysis.studio import Studio, studio, whole_view

SETTINGS = PhotometricSettings(corrective_reach=1000.0)


@pytest.fixture(scope="module")
def place() -> Studio:
    return studio(load_model())


def found(place, photo, settings=SETTINGS, hidden=None):
    view = whole_view(photo, place.lens)
    view = view if hidden is None else replace(view, open=1 - hidden)
    return corrected(place, view, settings)[place.scene.surface.place >= 0]


def corrected(place, view, settings=SETTINGS):
    shown = (show(place.scene, view, settings.corrective_limit),)
    return corrective((place.scene,), shown, settings, place.model.regions["skin"])


def well_seen(place):
    ball = torch.zeros_like(place.scene.surface.weight)
    for eye in place.scene.surface.eyes:
        ball[eye.vertices] = 1.0
    return (seen_weight(place.scene) > 0.9) & (ball == 0)


def test_a_face_that_is_explained_is_not_corrected(place):
    more = found(place, place.photo())
    assert (more[well_seen(place)] - 1).abs().mean() < 0.02


@pytest.mark.parametrize("ratio", [0.8, 1.2])
def test_skin_that_is_darker_or_paler_all_over_is_that_much_so(place, ratio):
    inside = place.photo() * torch.tensor([ratio, 1.0, ratio])
    seen = well_seen(place)
    more, plain = found(place, inside)[seen], found(place, place.photo())[seen]
    change = (more / plain).median(dim=0).values
    torch.testing.assert_close(change, torch.tensor([ratio, 1.0, ratio]), atol=0.02, rtol=0)


def test_skin_that_no_photo_shows_is_what_most_of_the_seen_skin_is_and_eyes_and_mouth_stay(place):
    model, view = place.model, whole_view(place.photo() * 0.8, place.lens)
    more = corrected(place, view)
    back = (model.identity.mean[:, 2] < -60) & (model.regions["skin"] == 1)
    assert more[back].std(dim=0).max() < 0.005
    usual = more[place.scene.surface.place >= 0][well_seen(place)].median(dim=0).values
    torch.testing.assert_close(more[back].mean(dim=0), usual, atol=0.01, rtol=0)
    assert usual.mean() == pytest.approx(0.8, abs=0.03)
    for eye in model.eyes:
        assert (more[eye.vertices.long()] == 1).all()
    assert (more[model.regions["teeth"] > 0.5] == 1).all()


def test_a_mark_on_the_face_changes_no_other_skin(place):
    photo = place.photo()
    high, wide = photo.shape[0] // 2, photo.shape[1] // 2
    marked = photo.clone()
    marked[high : high + 8, wide - 20 : wide - 8] *= 0.6
    plain, more = (corrected(place, whole_view(one, place.lens)) for one in (photo, marked))
    back = (place.model.identity.mean[:, 2] < -60) & (place.model.regions["skin"] == 1)
    torch.testing.assert_close(more[back], plain[back], atol=0.01, rtol=0)


def test_what_hides_the_face_has_no_say(place):
    photo = place.photo()
    hand = torch.zeros(photo.shape[:2])
    hand[50:, :] = 1.0
    covered = torch.where(hand[..., None] > 0, torch.tensor([0.1, 0.6, 0.1]), photo)
    torch.testing.assert_close(
        found(place, covered, hidden=hand), found(place, photo, hidden=hand), atol=1e-4, rtol=0
    )


def test_an_island_amid_what_hides_the_face_has_no_say_unless_an_eye_is_on_it(place):
    photo, model = place.photo(), place.model
    seen = place.camera.project(place.scene.points[None])[0, :, :2]
    laid = place.scene.surface.place
    brow = seen[laid[model.landmarks["478"].triangles[10].long()]].mean(dim=0)
    eye = seen[place.scene.surface.eyes[0].vertices].mean(dim=0)

    def apart(middle):
        """A green island within a ring that hides the face."""
        high, wide = torch.meshgrid(
            *(torch.arange(n) + 0.5 for n in photo.shape[:2]), indexing="ij"
        )
        away = ((wide - middle[0]) ** 2 + (high - middle[1]) ** 2).sqrt()
        ring = ((away > 6) & (away < 9)).float()
        green = torch.where(away[..., None] < 9, torch.tensor([0.1, 0.6, 0.1]), photo)
        return found(place, green, hidden=ring) / found(place, photo, hidden=ring)

    assert (apart(brow) - 1).abs().max() < 0.1
    assert (apart(eye) - 1).abs().max() > 0.5


def test_a_difference_beyond_the_limit_is_the_limit(place):
    more = found(place, place.photo() * 0.1, replace(SETTINGS, corrective_limit=0.2))
    seen = well_seen(place)
    assert more[seen].median() == pytest.approx(torch.tensor(-0.2).exp().item(), abs=0.02)
    assert more.min() > 0.75


def test_a_birthmark_ends_up_in_the_albedo_of_a_fit(place):
    """It is a spot that no component has."""
    model = place.model
    cheek = model.landmarks["478"].points(model.identity.mean)[280]
    mark = (model.identity.mean - cheek).norm(dim=1) < 14
    spotted = torch.where(mark[:, None], 0.7 * model.reflectance.mean, model.reflectance.mean)
    marked = replace(model, reflectance=replace(model.reflectance, mean=spotted))
    start = replace(place, scheme="478").start(place.parameters)

    def told(person, limit):
        wishes = PhotometricSettings(corrective_limit=limit, occlusion_scale=50.0)
        photo = replace(place, model=person).photo()
        return fit_photometric(model, [photo], [start], settings=wishes, free=["reflectance"])

    change = told(marked, 0.7).albedo / told(model, 0.7).albedo
    assert change[mark].mean() == pytest.approx(0.7, abs=0.05)
    assert change[~mark].mean() == pytest.approx(1.0, abs=0.05)
    plain = told(marked, 0.0)
    torch.testing.assert_close(plain.albedo, model.albedo(plain.parameters.reflectance)[0])
    assert plain.fine is None


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["corrective_limit", "fine_grain", "identity_trust"])
def test_less_than_nothing_is_refused(name):
    with pytest.raises(ParameterError, match=f"{name} must not be negative, got -1"):
        PhotometricSettings(**{name: -1.0})
