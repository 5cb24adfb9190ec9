"""Lips that are closed but for a line stay so in heads that turn: no teeth of the mesh."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from morphface.rerender.mesh_layer import LIPS, SLIT, MeshLayer
from morphface.rerender.mouth_photo import WIDE, MouthPhoto
from morphface.rerender.ring_axes import COLUMNS, RingAxes

REACH = 2.0
"""Pixels that lips reach into what is between them."""


def between(thick):
    """Values of a mesh: 1 on lips, and 5 on the teeth between them, so many pixels high."""
    inside = np.zeros((80, 60), np.float32)
    inside[40 : 40 + thick, 15:45] = 1.0
    values = np.where(inside[..., None] > 0, 5.0, 1.0).astype(np.float32)
    work = SimpleNamespace(size=REACH / SLIT, scale=1.0)
    layer = MeshLayer(SimpleNamespace(person=SimpleNamespace(work=work)))
    return layer._closed(values, inside, 1)[..., 0], inside > 0


def test_a_line_between_lips_is_as_they_are():
    found, _ = between(2)
    np.testing.assert_allclose(found, 1.0, atol=1e-4)


def test_what_is_seen_in_an_open_mouth_stays_beyond_the_reach_of_its_lips():
    found, inside = between(24)
    assert found[~inside].max() == 1.0
    assert np.abs(found[48:56, 20:40] - 5.0).max() < 1e-3
    middle = found[40:64, 30]
    assert (np.diff(middle[:12]) >= -1e-5).all()
    assert middle[0] < 5.0 - 3 * LIPS[1]


def test_a_mouth_is_wide_from_a_share_of_its_width_on():
    ring = torch.tensor([[0.0, 0.0], [50.0, 10.0], [100.0, 0.0], [50.0, -10.0]])
    half = torch.full((COLUMNS,), WIDE / 2)
    axes = RingAxes.of(ring, torch.tensor([[50.0, -40.0]]))
    seen = torch.zeros(1, 1, 3), (0, 0)
    mouth = MouthPhoto(axes, half, -half, -half, torch.ones(3), True, True, *seen)
    assert mouth.wide == (mouth.opening >= WIDE * axes.width)
    assert replace(mouth, upper=1.1 * half).wide
    assert not replace(mouth, upper=0.8 * half).wide
