"""Colours between the vertices are seen, and light falls on them."""

import pytest
import torch

from morphface.core.errors import ShapeError
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import vertex_normals
from morphface.models import fine_mesh, load_model
from morphface.render import FineColours, Renderer, shade_pixels

AWAY = torch.tensor([0.0, 0.0, -600.0])


@pytest.fixture(scope="module")
def stage():
    model = load_model()
    return model, Renderer.of(model, Camera.facing((120, 120), focal=300.0))


def test_colours_that_are_linear_between_vertices_look_as_those_of_the_vertices(stage):
    model, renderer = stage
    mesh = fine_mesh(model)
    colours = model.reflectance.mean
    vertices = (model.identity.mean + AWAY)[None]
    plain = renderer(vertices, colours=colours[None])
    fine = renderer(vertices, colours=FineColours(mesh, mesh.spread(colours)))
    torch.testing.assert_close(fine.colour, plain.colour, atol=1e-5, rtol=0)
    factor = torch.rand(model.size, 1).expand(-1, 3)
    both = FineColours(mesh, torch.ones(mesh.size, 3)).times(factor)
    torch.testing.assert_close(
        renderer(vertices, colours=both).colour,
        renderer(vertices, colours=factor[None]).colour,
        atol=1e-5,
        rtol=0,
    )


def test_a_midpoint_has_a_colour_of_its_own_and_is_lit_at_the_pixel(stage):
    model, renderer = stage
    renderer = renderer.replace(antialias=False)
    mesh = fine_mesh(model)
    vertices = (model.identity.mean + AWAY)[None]
    values = torch.full((mesh.size, 3), 0.5)
    values[model.size :] = 1.0
    fine = FineColours(mesh, values)
    light = torch.zeros(1, 9, 3)
    light[:, 0], light[:, 3] = 2.0, 0.5
    drawn = renderer(vertices, colours=fine)
    seen = drawn.fragments.mask
    assert drawn.colour[seen].mean() > 0.9
    assert drawn.colour[seen].min() < 0.6
    lit = renderer(vertices, colours=fine, illumination=light)
    normals = vertex_normals(vertices, model.faces)
    bent = renderer(vertices, colours=normals).colour
    want = shade_pixels(drawn.colour, bent, light)
    torch.testing.assert_close(lit.colour[seen], want[seen], atol=1e-5, rtol=0)


@pytest.mark.refusal
def test_colours_of_another_mesh_are_refused(stage):
    mesh = fine_mesh(stage[0])
    with pytest.raises(ShapeError, match=f"values must have shape .*{mesh.size}, any.*got .7, 3"):
        FineColours(mesh, torch.zeros(7, 3))
