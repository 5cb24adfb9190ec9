"""Implicit heads of a known head, whose network is replaced by answers in closed form."""

from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ModelError
from morphface.edit import edit
from morphface.generate import make_generator
from morphface.generate.implicit.network import Answers
from morphface.geometry.camera import to_camera
from morphface.rerender import implicit_head

THICK = 6.0
CELL = 360 / 64


def around_mesh(thick=THICK):
    """A network that finds everything within some millimetres of the mesh."""
    network = make_generator("implicit", resolution=32, width=8, stacks=1)

    def at(seen, places, space):
        away = 5.0 * torch.sinh(space[..., 0])
        return Answers(((thick - away) / 4,), None, (places.abs() <= 1).all(-1))

    network.at = at
    return network


@pytest.fixture(scope="module")
def found(known):
    return implicit_head(known.faces[0], known.photo, around_mesh(), resolution=64)


def test_the_surface_is_where_the_network_says(found):
    apart = found.bound.distance - THICK
    low = found.vertices[:, 1] < -115  # the neck's cut, which is closed by no surface of the mesh
    assert apart[~low].abs().max() < CELL / 2


def test_it_hangs_together_and_is_closed(found):
    edges = torch.cat([found.faces[:, [0, 1]], found.faces[:, [1, 2]], found.faces[:, [2, 0]]])
    _, counts = edges.sort(-1).values.unique(dim=0, return_counts=True)
    assert (counts == 2).all()


def test_vertices_go_with_the_mesh(found, known):
    face = known.faces[0]
    torch.testing.assert_close(found.moved(face.vertices()), found.vertices)
    shift = torch.tensor([3.0, -4.0, 5.0])
    moved = found.moved(face.vertices() + shift)
    torch.testing.assert_close(moved, found.vertices + shift, atol=1e-4, rtol=0)


def test_an_open_jaw_takes_the_chin_along_and_leaves_the_crown(found, known):
    face = known.faces[0]
    wide = edit(face.parameters, model=face.model, expression={"jawOpen": 1.0})
    mesh = face.model.vertices(wide.identity, wide.expression, wide.gaze)[0]
    change = found.moved(mesh) - found.vertices
    crown = found.vertices[:, 1] > 90
    chin = (found.vertices[:, 1] < -95) & (found.vertices[:, 2] > 0)
    assert change[crown].norm(dim=-1).max() < 0.1
    assert change[chin, 1].mean() < -5
    reached = found.bound.carried(mesh)
    apart = (found.moved(mesh) - reached).norm(dim=-1) - found.bound.distance.abs()
    assert apart.abs().max() < 0.01  # it lies about the mesh as before


def test_colours_are_those_of_the_photo_where_it_shows_the_surface(known):
    face = known.faces[0]
    found = implicit_head(face, known.photo, around_mesh(0.5), resolution=64)
    points = to_camera(found.vertices, face.parameters.rotation[0], face.parameters.translation[0])
    place = face.camera.project(points)[:, :2]
    nose = (found.vertices - torch.tensor([0.0, -45.0, 35.0])).norm(dim=-1) < 15
    x, y = place[nose].long().unbind(-1)
    apart = found.colours[nose] - known.photo.pixels[y, x]
    assert nose.sum() > 5
    assert apart.abs().mean() < 0.08
    green = found.colours[:, 1] - found.colours[:, 0]
    assert green.quantile(0.95) < 0.3  # hardly any has that of the wall


def test_only_what_stands_out_is_beyond_the_mesh(found, known):
    assert len(found.beyond()) > 0.9 * len(found.faces)
    flat = implicit_head(known.faces[0], known.photo, around_mesh(0.0), resolution=64)
    assert len(flat.beyond()) < 0.1 * len(flat.faces)


@pytest.mark.refusal
def test_a_network_of_another_model_is_refused(known):
    network = around_mesh()
    network.config = replace(network.config, model="flame")
    wanted = r"trained with the model 'flame', the photo is fitted with 'open-head'; fit it with"
    with pytest.raises(ModelError, match=wanted):
        implicit_head(known.faces[0], known.photo, network)
