"""Heads with made relief: what is said of them is so."""

import pytest
import torch

from benchmarks.ict import IctHeads
from benchmarks.ict_relief import relief_head
from morphface.geometry.closest import closest_on_mesh
from morphface.synthetic import ReliefSettings
from tests.data import shared

FLAT = ReliefSettings(depth=(1e-9, 1e-9), roughness=0.0)


@pytest.fixture(scope="module")
def ict():
    shared("ict", "mediapipe478_to_ict.npz")
    return IctHeads(shared("ict", "ict_facekit.npz"))


@pytest.fixture(scope="module")
def pair(ict):
    """Somebody with relief and without."""
    return tuple(relief_head(ict, 3, levels=1, settings=how, every=1) for how in (None, FLAT))


def test_relief_is_the_height_along_the_normals_of_the_plain_surface(pair):
    rough, flat = (one.truth for one in pair)
    torch.testing.assert_close(rough.plain, flat.normals, atol=1e-5, rtol=0)
    risen = flat.points + rough.relief[:, None] * rough.plain
    torch.testing.assert_close(rough.points, risen, atol=1e-4, rtol=0)
    assert float(rough.relief.min()) < -0.25
    assert float(flat.relief.abs().max()) < 1e-6


def test_the_truth_lies_on_what_is_photographed(pair):
    head = pair[0]
    face = head.subject.parts[0]
    some = head.truth.points[::50]
    number, weights = closest_on_mesh(some, face.vertices, face.faces)
    near = (face.vertices[face.faces[number]] * weights[..., None]).sum(1)
    assert float((near - some).norm(dim=-1).max()) < 1e-3


def test_the_border_of_the_face_stays_where_other_parts_begin(ict, pair):
    face = pair[0].subject.parts[0]
    plain = relief_head(ict, 3, levels=0, settings=FLAT).subject.parts[0]
    ends = torch.cat([plain.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    pairs, times = ends.sort(dim=1).values.unique(dim=0, return_counts=True)
    border = pairs[times == 1].unique()
    torch.testing.assert_close(face.vertices[border], plain.vertices[border])


def test_spots_of_skin_have_nothing_to_do_with_relief(pair):
    rough, flat = (one.subject.parts[0] for one in pair)
    assert rough.colours is not None
    darkness = rough.colours.log().mean(-1)
    assert float(darkness.std()) > 0.03
    height = ((rough.vertices - flat.vertices) * flat.normals).sum(-1)
    alike = torch.corrcoef(torch.stack([darkness, height]))[0, 1]
    assert abs(float(alike)) < 0.1


def test_people_differ(ict, pair):
    other = relief_head(ict, 4, levels=0)
    moved = other.subject.points - pair[0].subject.points
    assert float(moved.norm(dim=-1).mean()) > 1
