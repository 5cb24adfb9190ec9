"""What is finer than the mesh ends up in the finest albedo, and nowhere else."""

from dataclasses import replace

import pytest
import torch

from morphface.fit import PhotometricSettings
from morphface.fit.analysis.correctives import corrective, show
from morphface.fit.analysis.fine import fine_albedo
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.sampling import see
from morphface.fit.texture.ambient import ambient
from morphface.models import fine_mesh, load_model
from morphface.render import FineColours
from tests.fit.analysis.studio import studio

FINE = 4.0  # pixels of the picture on one of the studio's
SETTINGS = PhotometricSettings()


@pytest.fixture(scope="module")
def place():
    return studio(load_model())


def pictured(place, albedo):
    """The face with an albedo of its fine mesh, each pixel on its own."""
    scene, lens = place.scene, replace(place.lens, scale=torch.tensor([FINE, FINE]))
    height, width = (round(FINE * side) for side in place.camera.size)
    blank = torch.zeros(height, width, 3)
    view = View(blank, torch.zeros(height, width, 3, 2), torch.ones(height, width), lens)
    found = see(scene, view)
    parents = (scene.surface.place >= 0)[place.model.faces.long()].all(dim=1).nonzero()[:, 0]
    of_model = torch.where(found.mask, parents[found.face.clamp(min=0)], -1)
    light = torch.ones(place.model.size, 3)
    light[scene.surface.place >= 0] = scene.light
    lit = FineColours(albedo.mesh, albedo.values).times(light)
    return replace(view, image=lit.at(replace(found, face=of_model))[0])


def recovered(place, view):
    shown = (show(place.scene, view, SETTINGS.corrective_limit),)
    model = place.model
    factor = corrective((place.scene,), shown, SETTINGS, model.regions["skin"])
    albedo = model.albedo(place.parameters.reflectance)[0] * factor
    coarse = fine_mesh(model).spread(albedo)
    return coarse, fine_albedo(model, shown, (albedo, factor), 0.7)


def test_a_line_that_is_thinner_than_the_mesh_is_found_where_it_is(place):
    model, mesh = place.model, fine_mesh(place.model)
    points = mesh.spread(model.identity.mean)
    cheek = model.landmarks["478"].points(model.identity.mean)[280]
    apart = points - cheek
    line = (apart[:, 1].abs() < 1.2) & (apart.norm(dim=1) < 12)
    beside = (apart[:, 1].abs() > 4) & (apart.norm(dim=1) < 12)
    own = mesh.spread(model.albedo(place.parameters.reflectance)[0])
    painted = torch.where(line[:, None], 0.6 * own, own)
    coarse, fine = recovered(place, pictured(place, FineColours(mesh, painted)))
    assert (fine / own)[line].mean() < 0.72
    assert (coarse / own)[line].mean() > 0.8
    assert (fine / own)[beside].mean() == pytest.approx(1.0, abs=0.03)
    back = points[:, 2] < -90
    torch.testing.assert_close(fine[back], coarse[back], atol=1e-4, rtol=0)


def test_eyeballs_get_the_colours_of_the_photo_under_the_shade_of_lids(place):
    model, mesh = place.model, fine_mesh(place.model)
    own = mesh.spread(model.albedo(place.parameters.reflectance)[0])
    _, fine = recovered(place, pictured(place, FineColours(mesh, 0.7 * own)))
    white = model.regions["sclera"] > 0.99
    seen = white & (fine[: model.size] < 0.99 * own[: model.size]).all(dim=1)
    assert seen.sum() > 10
    shaded = (fine[: model.size] * ambient(model)[:, None] / own[: model.size])[seen]
    assert shaded.quantile(0.1) == pytest.approx(0.7, abs=0.08)
    assert shaded.min() > 0.55
