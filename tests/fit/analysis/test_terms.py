"""Terms that are asked for: each has the slope it says, and each improves what it is for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.fit import PhotometricSettings, fit_photometric
from morphface.fit.analysis.energies import Markers, prior_energy, prior_terms
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.priors import anchor, symmetry
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.sampling import see
from morphface.fit.analysis.scene import scene_of
from morphface.fit.analysis.silhouette import rim_of, silhouette_energy, silhouette_terms
from morphface.fit.analysis.state import Columns
from morphface.fit.analysis.surface import face_weight, surface_of
from morphface.models import LinearBasis, MorphableModel, load_model
from tests.fit.analysis.studio import Studio, perturbed, studio, whole_view
from tests.fit.analysis.test_photometric import FIXED_LENS, QUICK, vertex_error
from tests.toy import toy_model


def mirrored(model: MorphableModel) -> MorphableModel:
    """The toy with a mirror, its first three identities even and the others odd."""
    mean = model.identity.mean
    flip = torch.tensor([-1.0, 1.0, 1.0])
    mirror = torch.cdist(mean, mean * flip).argmin(dim=1)
    moves = model.identity.directions
    sign = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])[:, None, None]
    even = (moves + sign * moves[:, mirror] * flip) / 2
    even = even * 4 / even.square().sum(-1).mean(-1).sqrt()[:, None, None]
    return replace(model, mirror=mirror, identity=LinearBasis(mean, even))


@pytest.fixture(scope="module")
def place() -> Studio:
    return studio(mirrored(toy_model()))


@pytest.mark.parametrize("term", ["symmetry", "anchor"])
def test_a_prior_has_the_slope_it_says(place, term):
    start = torch.linspace(-1, 1, 6)
    (prior,) = symmetry(place.model, 0.3) if term == "symmetry" else anchor("identity", start, 0.7)
    look = place.look.map(lambda t: t.double())
    found = prior_terms(prior, look)
    for column in range(6):
        sides = []
        for sign in (1, -1):
            step = torch.zeros(6, dtype=torch.float64)
            step[column] = sign * 1e-5
            sides.append(prior_energy(prior, look.moved({"identity": step})))
        assert np.isclose((sides[0] - sides[1]) / 2e-5, found.gradient[column], rtol=1e-6)
    assert prior.title in ("symmetry", "identity_anchor")


def test_symmetry_is_the_mean_square_of_half_the_difference_of_the_sides(place):
    model, identity = place.model, place.parameters.identity
    (prior,) = symmetry(model, 0.5)
    moved = model.identity.instance(identity)[0] - model.identity.mean
    other = moved[model.mirror] * torch.tensor([-1.0, 1.0, 1.0])
    weight = face_weight(model)
    square = ((moved - other) / 2).square().sum(-1)
    wanted = float((weight * square).sum() / weight.sum()) / 0.5**2 / 2
    assert prior_energy(prior, place.look) == pytest.approx(wanted, rel=1e-4)


def test_a_symmetric_face_costs_nothing_and_its_mirror_image_as_much(place):
    (prior,) = symmetry(place.model, 0.5)
    look = place.look
    even, odd = look.identity.clone(), look.identity.clone()
    even[3:], odd[3:] = 0, -odd[3:]
    assert prior_energy(prior, replace(look, identity=even)) == pytest.approx(0, abs=1e-6)
    there = prior_energy(prior, replace(look, identity=odd))
    assert there == pytest.approx(prior_energy(prior, look), rel=1e-4)


def test_the_open_head_knows_its_sides():
    model = load_model("open-head")
    (prior,) = symmetry(model, 1.0)
    strength = np.linalg.eigvalsh(prior.precision)
    assert strength[0] > -1e-9
    assert 0.0 < strength[-1] < 400.0


def test_terms_that_nobody_asks_for_are_absent(place):
    assert symmetry(place.model, float("inf")) == ()
    assert symmetry(replace(place.model, mirror=None), 0.1) == ()
    assert anchor("identity", torch.zeros(3), float("inf")) == ()


def fit(place: Studio, start, **settings):
    settings = replace(QUICK, **settings)
    return fit_photometric(
        place.model, [place.photo()], [start], settings=settings, free=FIXED_LENS
    )


def test_an_asymmetric_start_becomes_symmetric(place):
    wanted = place.parameters
    identity = wanted.identity.clone()
    identity[0, 3:] = 0
    even = replace(place, parameters=replace(wanted, identity=identity))
    start = even.start(perturbed(even.parameters))
    free = fit(even, start).parameters.identity[0, 3:]
    held = fit(even, start, symmetry_spread=0.02)
    assert held.parameters.identity[0, 3:].norm() < 0.3 * free.norm()
    assert "symmetry" in held.energies


def test_an_anchor_holds_identity_and_expression_where_they_began(place):
    begun = perturbed(place.parameters)
    start = place.start(begun)
    free = fit(place, start)
    held = fit(place, start, identity_anchor=1e-3, expression_anchor=1e-3)
    for name, few in (("identity", 0.1), ("expression", 0.05)):
        away = (getattr(held.parameters, name) - getattr(begun, name)).norm()
        assert away < few
        assert away < 0.2 * (getattr(free.parameters, name) - getattr(begun, name)).norm()
        assert f"{name}_anchor" in held.energies


@pytest.mark.refusal
def test_spreads_of_zero_are_refused():
    for name in ("identity_anchor", "expression_anchor", "symmetry_spread", "silhouette_noise"):
        with pytest.raises(ParameterError, match=f"{name} must be positive, got 0.0"):
            PhotometricSettings(**{name: 0.0})


def head_mask(place: Studio) -> torch.Tensor:
    """Where all of the head is seen, each pixel the mean of sixteen."""
    height, width = place.camera.size
    fine = replace(place.lens, scale=torch.tensor([4.0, 4.0]))
    blank = torch.zeros(4 * height, 4 * width, 3)
    view = View(blank, torch.zeros(*blank.shape, 2), blank[..., 0] + 1, fine)
    seen = see(whole(place), view).mask[0].float()
    return seen.reshape(height, 4, width, 4).mean(dim=(1, 3))


def whole(place: Studio, look=None):
    look = look or place.look
    return scene_of(surface_at(place.model, look, whole=True), look)


def rim(place: Studio, mask, look=None):
    view = whole_view(torch.zeros(*place.camera.size, 3), place.lens)
    return rim_of(whole(place, look), view, mask, place.lens, PhotometricSettings())


def test_the_outline_of_a_head_lies_on_the_edge_of_its_own_mask(place):
    found = rim(place, head_mask(place))
    scene = whole(place)
    spots = place.lens.project(found.samples.blend(scene.points), scene.look.focal)[:, :2]
    counted = found.root.abs().sum(dim=(1, 2)) > 0
    assert counted.sum() > 20
    assert (spots - found.targets)[counted].norm(dim=1).quantile(0.9) < 0.6
    assert silhouette_energy(scene, found, place.lens) < 0.6


def test_a_larger_mask_lies_outside_by_as_much(place):
    wide = torch.nn.functional.max_pool2d(head_mask(place)[None], 5, 1, 2)[0]
    found = rim(place, wide)
    scene = whole(place)
    spots = place.lens.project(found.samples.blend(scene.points), scene.look.focal)[:, :2]
    counted = found.root.abs().sum(dim=(1, 2)) > 0
    normal = torch.nn.functional.normalize(found.root[:, 0], dim=1)
    out = ((found.targets - spots) * normal).sum(dim=1)[counted]
    assert 1.6 < float(out.median()) < 3.0


def test_without_an_edge_near_the_outline_it_says_nothing(place):
    for mask in (torch.zeros(place.camera.size), torch.ones(place.camera.size)):
        found = rim(place, mask)
        assert silhouette_energy(whole(place), found, place.lens) == 0
        assert not silhouette_terms(whole(place), found, place.lens).hessian.any()


def doubled(found):
    samples = found.samples.map(lambda t: t.double() if t.is_floating_point() else t)
    return Markers(samples, found.targets.double(), found.root.double())


@pytest.mark.parametrize(
    "group", ["identity", "expression", "rotation", "translation", "focal", "illumination"]
)
def test_the_silhouette_has_the_slope_it_says(place, group):
    mask = torch.nn.functional.max_pool2d(head_mask(place)[None], 5, 1, 2)[0]
    look = place.look.map(lambda t: t.double())
    found = doubled(rim(place, mask))
    lens, columns = place.lens.map(lambda t: t.double()), Columns.of(place.model, 1)
    slope = silhouette_terms(whole(place, look), found, lens).gradient
    span = columns.local[group]
    for column in range(span.start, min(span.stop, span.start + 3)):
        sides = []
        for sign in (1, -1):
            step = np.zeros(columns.width)
            step[column] = sign * 1e-5
            there = look.moved(columns.read(step, look))
            sides.append(silhouette_energy(whole(place, there), found, lens))
        wanted = (sides[0] - sides[1]) / 2e-5
        assert np.isclose(slope[column], wanted, rtol=1e-5, atol=1e-6)


def test_a_mask_shows_the_outline_where_colours_and_landmarks_do_not(place):
    begun = replace(place.parameters, identity=torch.zeros_like(place.parameters.identity))
    start = place.start(begun)
    nothing = replace(start.landmarks, confidence=torch.zeros_like(start.landmarks.confidence))
    start = replace(start, landmarks=nothing)
    blind = replace(QUICK, silhouette_noise=0.5, independent_pixels=1e-3, independent_patches=1e-3)
    mask = head_mask(place)
    errors, away = [], []
    for masks in (None, [mask]):
        found = fit_photometric(
            place.model, [place.photo()], [start], settings=blind, free=("identity",), masks=masks
        )
        assert ("silhouette" in found.energies) == (masks is not None)
        errors.append(vertex_error(place, found.parameters))
        there = replace(place, parameters=found.parameters)
        away.append(float((head_mask(there) - mask).abs().sum()))
    assert away[1] < away[0] / 3
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.refusal
def test_masks_must_fit_their_photos(place):
    start, photo = place.start(place.parameters), place.photo()
    with pytest.raises(ParameterError, match="masks must have one for each photo, got 2 for 1"):
        fit_photometric(place.model, [photo], [start], masks=[None, None])
    with pytest.raises(ShapeError, match=r"masks must have shape \(..., 96, 96\)"):
        fit_photometric(place.model, [photo], [start], masks=[torch.ones(40, 96)])
    with pytest.raises(ShapeError, match=r"covers must have shape \(..., 96, 96\)"):
        fit_photometric(place.model, [photo], [start], covers=[torch.zeros(40, 96)])


def test_hair_is_no_outline():
    model = load_model("open-head")
    surface = surface_of(model, torch.device("cpu"), torch.float32, whole=True)
    assert len(surface.mean) == model.size
    assert surface.weight[model.regions["scalp"] > 0.99].max() < 0.02
    assert surface.weight[model.regions["cheeks"] > 0.5].min() > 0.9
