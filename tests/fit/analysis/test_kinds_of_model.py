"""Models with joints and models without colours are fitted to pixels like any other."""

from dataclasses import replace

import pytest
import torch

from morphface.fit import PhotometricSettings, Stage, fit_photometric
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.scene import scene_of, shape_basis
from morphface.models import LinearBasis
from tests.fit.analysis.studio import Studio, studio
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
