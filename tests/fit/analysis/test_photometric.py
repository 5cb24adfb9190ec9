"""The fit as a whole: it finds what made a picture, and says so when it does not."""

from dataclasses import replace

import pytest
import roma
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.fit import PhotometricSettings, Stage, fit_photometric
from morphface.models import load_model
from tests.fit.analysis.studio import Studio, perturbed, studio

QUICK = PhotometricSettings(
    exposure=0.55,  # of the studio, whose light has a tint
    tint_spread=0.2,
    stages=(
        Stage(3.0, 400, 4, ("reflectance", "illumination", "rotation", "translation")),
        Stage(3.0, 800, 20),
    ),
    tolerance=1e-4,
)
FIXED_LENS = ("identity", "expression", "reflectance", "illumination", "rotation", "translation")


def fit(place: Studio, photo=None, free=FIXED_LENS, settings=QUICK):
    photo = place.photo() if photo is None else photo
    start = place.start(perturbed(place.parameters))
    return fit_photometric(place.model, [photo], [start], settings=settings, free=free)


def vertex_error(place: Studio, parameters) -> float:
    """Median distance on the front after the similarity that brings it nearest.

    What is left out, a camera does not tell: near and small looks like far and large.
    """
    p, q = parameters, place.parameters
    wanted = place.model.vertices(q.identity, q.expression)[0]
    front = wanted[:, 2] > -60
    found, wanted = place.model.vertices(p.identity, p.expression)[0][front], wanted[front]
    turn, shift, scale = roma.rigid_points_registration(found, wanted, compute_scaling=True)
    return float((scale * found @ turn.mT + shift - wanted).norm(dim=-1).median())


@pytest.fixture(scope="module")
def place():
    return studio()


@pytest.fixture(scope="module")
def result(place):
    return fit(place)


def test_the_parameters_that_made_a_picture_are_found(place, result):
    before = vertex_error(place, perturbed(place.parameters))
    assert vertex_error(place, result.parameters) < before / 3
    assert result.converged, result.reason
    assert result.photometric_rmse[0] < 0.02
    light = result.parameters.illumination - place.parameters.illumination
    assert light[0, 1:4].abs().max() < 0.12


def test_a_step_never_raises_the_energy_of_its_points(place, monkeypatch):
    from morphface.fit.analysis import solver

    steps, advance = [], solver._advance

    def spy(*arguments):
        out = advance(*arguments)
        steps.append((arguments[-1][0], out[1]))
        return out

    monkeypatch.setattr(solver, "_advance", spy)
    fit(place)
    assert len(steps) > 5
    assert all(after <= before for before, after in steps)
    assert sum(after < before for before, after in steps) > 3


def test_what_is_not_free_stays(place):
    start = perturbed(place.parameters)
    moved = fit(place, free=("expression", "illumination")).parameters
    for name in ("identity", "reflectance", "translation"):
        torch.testing.assert_close(getattr(moved, name), getattr(start, name))
    assert not torch.allclose(moved.expression, start.expression)


def test_an_occluder_is_found_and_hardly_moves_the_fit(place, result):
    photo = place.photo()
    photo[40:62, 50:70] = 0.02
    hidden = fit(place, photo)
    inside = hidden.occlusion[0][44:58, 54:66].mean()
    away = hidden.occlusion[0][30:60, 25:42].mean()
    assert inside > 0.5
    assert away < 0.1
    clean = vertex_error(place, result.parameters)
    assert vertex_error(place, hidden.parameters) < clean + 1.5


def test_what_is_known_to_be_hidden_has_no_say(place):
    start = perturbed(place.parameters)
    photo, other = place.photo(), place.photo()
    cover = torch.zeros(photo.shape[:2])
    cover[50:80] = 1.0
    other[55:75] = torch.tensor([0.2, 0.5, 0.9])
    one, two = (
        fit_photometric(place.model, [image], [place.start(start)], settings=QUICK, covers=[cover])
        for image in (photo, other)
    )
    torch.testing.assert_close(one.parameters.to_vector(), two.parameters.to_vector())
    assert float(one.occlusion[0][52:78, 40:56].min()) > 0.9


def test_two_photos_of_one_person_share_identity(place):
    other = replace(
        place,
        parameters=replace(
            place.parameters,
            expression=place.parameters.expression.flip(1),
            rotation=torch.tensor([[-0.05, -0.35, 0.0]]),
        ),
    )
    starts = [
        scene.start(perturbed(scene.parameters, seed)) for seed, scene in enumerate((place, other))
    ]
    photos = [place.photo(), other.photo()]
    both = fit_photometric(place.model, photos, starts, settings=QUICK, free=FIXED_LENS)
    assert both.parameters.identity.shape[0] == 1
    assert both.parameters.frames == 2
    assert len(both.photometric_rmse) == len(both.cameras) == 2
    wanted = place.parameters.identity
    start = torch.stack([s.parameters.identity for s in starts]).mean(dim=0)
    assert (both.parameters.identity - wanted).norm() < 0.5 * (start - wanted).norm()


def test_of_two_photos_the_bad_one_alone_is_not_trusted(place):
    starts = [place.start(place.parameters)] * 2
    photos = [place.photo(), torch.rand(place.photo().shape)]
    both = fit_photometric(place.model, photos, starts, settings=QUICK, free=FIXED_LENS)
    good, bad = both.of_photo(0), both.of_photo(1)
    assert good.converged, good.reason
    assert not bad.converged
    assert not both.converged
    assert both.reason == f"photo 1: {bad.reason}"
    assert torch.equal(good.parameters.identity, bad.parameters.identity)
    assert bad.photometric_rmse == both.photometric_rmse[1:]
    assert torch.equal(bad.parameters.rotation, both.parameters.rotation[1:])


def test_a_picture_of_noise_gives_no_monster(place):
    photo = torch.rand(place.photo().shape, generator=torch.Generator().manual_seed(3))
    found = fit(place, photo)
    assert found.parameters.identity.norm() <= QUICK.ellipsoid(6) * 1.001
    assert found.parameters.reflectance.norm() <= QUICK.ellipsoid(3) * 1.001
    assert found.parameters.expression.min() >= 0
    assert found.parameters.expression.max() <= 1
    assert not found.converged
    assert "colours are" in found.reason or "hidden" in found.reason or "bound" in found.reason


def test_a_face_at_the_bound_of_its_ellipsoid_is_one_only_where_extremes_are_allowed(place):
    tight = replace(QUICK, radius=0.2, largest_rmse=1.0, largest_nme=1.0)
    strict, kind = (fit(place, settings=replace(tight, extremes=wish)) for wish in (False, True))
    assert "at the bound of its ellipsoid" in strict.reason
    assert (strict.converged, kind.converged, kind.reason) == (False, True, "")


def test_a_grey_photo_is_compared_by_its_luminance(place):
    luminance = place.photo() @ torch.tensor([0.299, 0.587, 0.114])
    found = fit(place, luminance[..., None].expand(-1, -1, 3).contiguous())
    assert found.grey == (True,)
    before = vertex_error(place, perturbed(place.parameters))
    assert vertex_error(place, found.parameters) < before / 2


def test_a_model_without_reflectance_is_fitted_with_one_albedo(place):
    bare = replace(place.model, reflectance=None)
    start = place.start(perturbed(place.parameters))
    start = replace(start, parameters=replace(start.parameters, reflectance=torch.zeros(1, 0)))
    found = fit_photometric(bare, [place.photo()], [start], settings=QUICK, free=FIXED_LENS)
    assert found.parameters.reflectance.shape == (1, 0)
    before = vertex_error(place, perturbed(place.parameters))
    assert vertex_error(place, found.parameters) < before


def test_the_light_explains_brightness_and_the_gain_stays_one(result):
    torch.testing.assert_close(result.gain, torch.ones(1, 3))


def test_energies_have_a_term_for_each_prior(result):
    terms = {"photometric", "landmarks", "identity", "reflectance", "expression", "gaze"}
    assert set(result.energies) == terms | {"illumination", "focal"}
    assert result.iterations == len(result.history) > 4


@pytest.mark.slow
def test_the_open_head_is_found_with_its_gaze():
    place = studio(load_model("open-head"), seed=4, scheme="478")
    gaze = torch.tensor([[[0.2, 0.1], [0.2, 0.1]]])
    still = replace(place.parameters, gaze=gaze, identity=place.parameters.identity * 0.7)
    still = replace(still, translation=torch.tensor([[0.0, 5.0, -640.0]]))
    place = replace(place, parameters=still)
    found = fit(place, free=None, settings=PhotometricSettings())
    before = vertex_error(place, perturbed(place.parameters))
    assert vertex_error(place, found.parameters) < before / 2
    assert (found.parameters.gaze - gaze).abs().mean() < 0.1


@pytest.mark.refusal
def test_refusals_name_what_is_wrong(place):
    start, photo = place.start(place.parameters), place.photo()
    with pytest.raises(ParameterError, match="photos must have at least one photo, got none"):
        fit_photometric(place.model, [], [])
    with pytest.raises(ParameterError, match="got 2 for 1 photos"):
        fit_photometric(place.model, [photo], [start, start])
    with pytest.raises(ShapeError, match=r"photos must have shape \(..., 96, 96, 3\)"):
        fit_photometric(place.model, [photo[:40]], [start])
    with pytest.raises(ParameterError, match="free must be of identity, .*, got 'beard'"):
        fit_photometric(place.model, [photo], [start], free=["beard"])
    broken = photo.clone()
    broken[0, 0, 0] = float("nan")
    with pytest.raises(ParameterError, match="photos must be finite, but 1 of"):
        fit_photometric(place.model, [broken], [start])


@pytest.mark.refusal
def test_settings_refuse_what_makes_no_sense():
    with pytest.raises(ParameterError, match="stages must have at least one stage, got none"):
        PhotometricSettings(stages=())
    with pytest.raises(ParameterError, match="camera_noise must be positive, got 0.0"):
        PhotometricSettings(camera_noise=0.0)
    with pytest.raises(ParameterError, match="light_spread must be positive"):
        PhotometricSettings(light_spread=(0.3, 0.0, 0.1))
    with pytest.raises(ParameterError, match="pixels and steps of a stage must be positive"):
        Stage(1.0, 0, 3)
    with pytest.raises(ParameterError, match="free must be of"):
        Stage(1.0, 10, 3, ("hair",))
