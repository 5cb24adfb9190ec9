import sys

import numpy as np
import pytest
import torch

from morphface.core.errors import MissingDependencyError, ModelError
from morphface.generate.implicit import extracted, occupancy
from tests.generate.implicit.volumes import HIGH, LOW, asked, sphere, torus


def volume(vertices, faces):
    """By the divergence theorem; below 0 where faces look inwards."""
    a, b, c = vertices[faces].double().unbind(1)
    return float((torch.linalg.cross(a, b) * c).sum() / 6)


def is_closed(faces):
    """Whether each edge goes once each way."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {tuple(edge) for edge in edges.tolist()}
    return len(there) == len(edges) and all((b, a) in there for a, b in there)


def found(distance, resolution=64):
    return extracted(occupancy(asked(distance), LOW, HIGH, resolution, coarse=16), LOW, HIGH)


@pytest.mark.parametrize(
    ("distance", "wanted"),
    [(sphere, 4 / 3 * np.pi * 0.7**3), (torus, 2 * np.pi**2 * 0.6 * 0.2**2)],
)
def test_surfaces_are_within_half_a_voxel_closed_and_face_outwards(distance, wanted):
    vertices, faces = found(distance)
    assert distance(vertices).abs().max() < 0.5 * 2 / 64
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(wanted, rel=0.01)


def test_what_reaches_beyond_the_box_is_closed_at_its_border():
    vertices, faces = found(lambda p: sphere(p, 1.8))
    assert is_closed(faces)
    assert vertices.abs().max() <= 1
    assert volume(vertices, faces) == pytest.approx(8, rel=0.02)


def test_specks_beside_the_head_are_left_out():
    def two(points):
        return torch.minimum(sphere(points, 0.4), sphere(points - 0.7, 0.15))

    vertices, _ = found(two)
    assert vertices.norm(dim=-1).max() < 0.45


@pytest.mark.refusal
def test_a_volume_without_an_inside_is_refused():
    with pytest.raises(ModelError, match="nothing is inside: the network sees no head there"):
        extracted(np.zeros((5, 5, 5), np.float32), LOW, HIGH)


@pytest.mark.refusal
def test_without_scikit_image_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.measure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'morphface\[implicit\]'"):
        extracted(np.ones((5, 5, 5), np.float32), LOW, HIGH)
