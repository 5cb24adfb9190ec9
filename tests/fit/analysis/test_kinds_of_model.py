"""Models with joints and models without colours are fitted to pixels like any other."""

from dataclasses import replace

import pytest
import torch

from morphface.fit import PhotometricSettings, Stage, fit_photometric
from morphface.fit.analysis.borrowed import with_colours
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.scene import scene_of, shape_basis
from morphface.models import LinearBasis, load_model
from morphface.models.skin import skin_faces
from tests.fit.analysis.studio import Studio, perturbed, studio
from tests.fit.analysis.test_photometric import FIXED_LENS, vertex_error
from tests.jointed import articulated
from tests.toy import smooth_fields

JAW = slice(7, 10)
QUICK = PhotometricSettings(
    stages=(
        Stage(3.0, 400, 4, ("reflectance", "illumination", "rotation", "translation")),
        Stage(3.0, 900, 20),
    ),
    tolerance=1e-4,
)


def jointed() -> Studio:
    """A head with an open jaw, in colour and in single precision."""
    model = articulated().map(lambda t: t.float() if t.is_floating_point() else t)
    unit = torch.nn.functional.normalize(model.identity.mean, dim=-1)
    tone = torch.tensor([0.6, 0.45, 0.38]).expand_as(unit).clone()
    colours = smooth_fields(unit, 3, torch.Generator().manual_seed(5)) * 0.03
    place = studio(replace(model, reflectance=LinearBasis(tone, colours)))
    expression = torch.zeros(1, model.expression.rank)
    expression[0, :4] = torch.tensor([0.4, -0.3, 0.2, 0.5])
    expression[0, JAW] = torch.tensor([-0.35, 0.08, 0.0])
    return replace(place, parameters=replace(place.parameters, expression=expression))


@pytest.fixture(scope="module")
def place():
    return jointed()


def test_a_model_with_joints_is_found_with_its_jaw(place):
    wanted = place.parameters
    begun = replace(
        wanted,
        identity=wanted.identity * 0.3,
        expression=torch.zeros_like(wanted.expression),
        reflectance=torch.zeros_like(wanted.reflectance),
        illumination=torch.zeros_like(wanted.illumination),
    )
    found = fit_photometric(
        place.model, [place.photo()], [place.start(begun)], settings=QUICK, free=FIXED_LENS
    )
    assert found.converged, found.reason
    assert vertex_error(place, found.parameters) < vertex_error(place, begun) / 3
    off = (found.parameters.expression - wanted.expression)[0, JAW].abs()
    assert off[:2].max() < 0.1
    assert found.photometric_rmse[0] < 0.02


def test_the_same_vertices_are_looked_at_wherever_a_model_with_joints_stands(place):
    there = place.scene
    rest = replace(place.look, expression=torch.zeros_like(place.look.expression))
    here = scene_of(surface_at(place.model, rest), rest)
    assert here.surface.faces is there.surface.faces
    assert here.surface.weight is there.surface.weight
    assert not torch.equal(here.surface.basis, there.surface.basis)


def test_a_basis_is_not_that_of_another_pose(place):
    rest = replace(place.look, expression=torch.zeros_like(place.look.expression))
    here = scene_of(surface_at(place.model, rest), rest)
    last = shape_basis(here)
    torch.testing.assert_close(shape_basis(place.scene, last), shape_basis(place.scene))


@pytest.fixture(scope="module")
def bare():
    return replace(load_model("open-head"), reflectance=None)


def test_a_model_without_colours_borrows_those_of_the_open_head(bare):
    lender, dressed = load_model("open-head"), with_colours(bare)
    assert with_colours(bare) is dressed
    assert with_colours(lender) is lender
    inner = lender.regions["nose"] + lender.regions["cheeks"] > 0.5
    off = (dressed.reflectance.mean - lender.reflectance.mean)[inner].abs()
    assert off.max() < 0.05
    assert dressed.reflectance.rank == lender.reflectance.rank
    for eye in dressed.eyes:
        assert dressed.regions["face"][eye.vertices].max() == 0


def test_colours_end_nowhere_on_the_skin(bare):
    dressed = with_colours(bare)
    edges = dressed.faces[skin_faces(dressed, without=("scalp",))][:, :2]
    step = dressed.reflectance.mean[edges].diff(dim=1).abs().amax(dim=-1)
    own = load_model("open-head").reflectance.mean[edges].diff(dim=1).abs().amax(dim=-1)
    assert step.quantile(0.999) < own.quantile(0.999) + 0.02


@pytest.mark.slow
def test_shape_does_not_explain_the_colours_that_a_model_lacks(bare):
    dressed = studio(load_model("open-head"), seed=2, scheme="478")
    wanted = replace(
        dressed.parameters,
        identity=dressed.parameters.identity * 0.7,
        translation=torch.tensor([[0.0, 5.0, -640.0]]),
    )
    dressed = replace(dressed, parameters=wanted)
    none = torch.zeros(1, 0)
    start = dressed.start(replace(perturbed(wanted), reflectance=none))
    found = fit_photometric(bare, [dressed.photo()], [start])
    assert found.converged, found.reason
    assert found.parameters.reflectance.shape == (1, 0)
    assert found.albedo.shape == (bare.size, 3)
    assert vertex_error(dressed, found.parameters) < vertex_error(dressed, start.parameters) / 2
    assert found.parameters.identity.norm() < 1.2 * wanted.identity.norm()


def test_a_model_with_joints_and_no_colours_gets_one_albedo(place):
    bare = replace(place.model, reflectance=None)
    dressed = with_colours(bare)
    assert dressed.reflectance.rank == 0
    assert dressed.rig is bare.rig
    begun = replace(place.parameters, reflectance=torch.zeros(1, 0))
    begun = replace(begun, expression=torch.zeros_like(begun.expression))
    found = fit_photometric(
        bare,
        [place.photo()],
        [place.start(begun)],
        settings=replace(QUICK, corrective_limit=0.0),
        free=FIXED_LENS,
    )
    assert found.albedo.std(dim=0).max() < 1e-6
    assert found.parameters.reflectance.shape == (1, 0)
    assert vertex_error(place, found.parameters) < 0.7 * vertex_error(place, begun)
