"""A frame moves with the made head near it, and stays as it is far from it."""

from dataclasses import replace

import pytest
import torch

from morphface.geometry.camera import Camera
from morphface.media.crop import Crop
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.reenact.nod import Nod

SIDE, DEPTH = 64, 800.0
CAMERA = replace(Camera.facing((SIDE, SIDE), focal=2.0 * SIDE), weak_depth=torch.tensor(DEPTH))
CROP = Crop(60.0, 40.0, 96.0, SIDE)  # of a frame of 240 x 320 pixels, which are 2/3 of its own
MM = 2.0 * SIDE / DEPTH / CROP.scale
"""Pixels of the frame in a millimetre of the head."""


@pytest.fixture(scope="module")
def model():
    return load_model()


def head(x=0.0, y=0.0, depth=DEPTH):
    face = FaceParameters.neutral()
    return replace(face, translation=torch.tensor([[x, y, -depth]]))


def ramp():
    """Each pixel holds its own place."""
    rows, columns = torch.meshgrid(torch.arange(240.0), torch.arange(320.0), indexing="ij")
    return torch.stack([columns, rows, torch.zeros(240, 320)], dim=-1)


def test_a_head_that_does_not_move_leaves_the_frame_alone(model):
    frame = ramp()
    assert Nod.between(model, head(), head(), CAMERA).bent(frame, CROP) is frame


def test_what_is_near_the_head_goes_with_it_and_what_is_far_stays(model):
    frame = ramp()
    moved = Nod.between(model, head(), head(x=30.0, y=-20.0), CAMERA).bent(frame, CROP) - frame
    top = round(40 + 48 - 110 * MM + 20 * MM), round(60 + 48 + 30 * MM)  # of the skull
    way = torch.tensor([-30 * MM, -20 * MM])  # right and down: what comes there was left and above
    torch.testing.assert_close(moved[top][:2], way, atol=0.05, rtol=0)
    assert moved[:, 280:].abs().max() == 0
    assert moved[220:].abs().max() == 0


def test_a_head_that_tilts_takes_its_top_along(model):
    frame = ramp()
    tilted = replace(head(), rotation=torch.tensor([[0.0, 0.0, 0.3]]))
    moved = Nod.between(model, head(), tilted, CAMERA).bent(frame, CROP)
    centre, lever = torch.tensor([108.0 - 0.5, 88.0 - 0.5]), 100 * MM
    angle = torch.tensor(0.3)  # about the sight, anticlockwise: the top goes to the left
    place = centre + lever * torch.stack([-angle.sin(), -angle.cos()])
    found = moved[round(float(place[1])), round(float(place[0])), :2]
    torch.testing.assert_close(found, centre - torch.tensor([0.0, lever]), atol=1.0, rtol=0)


def test_however_far_it_goes_nothing_folds(model):
    moved = Nod.between(model, head(), head(x=400.0, y=100.0), CAMERA).bent(ramp(), CROP)
    assert (moved[:, 1:, 0] - moved[:, :-1, 0]).min() >= 0
    assert (moved[1:, :, 1] - moved[:-1, :, 1]).min() >= 0


def test_a_head_beside_the_frame_leaves_it_alone(model):
    aside = Nod.between(model, head(x=9000.0), head(x=9010.0), CAMERA)
    frame = ramp()
    assert torch.equal(aside.bent(frame, CROP), frame)
