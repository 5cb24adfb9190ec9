"""Terms that are asked for: each has the slope it says, and each improves what it is for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.fit import PhotometricSettings, fit_photometric
from morphface.fit.analysis.energies import prior_energy, prior_terms
from morphface.fit.analysis.priors import anchor, symmetry
from morphface.fit.analysis.surface import face_weight
from morphface.models import LinearBasis, MorphableModel, load_model
from tests.fit.analysis.studio import Studio, perturbed, studio
from tests.fit.analysis.test_photometric import FIXED_LENS, QUICK
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
        with pytest.raises(Exception, match=f"{name} must be positive, got 0.0"):
            PhotometricSettings(**{name: 0.0})
