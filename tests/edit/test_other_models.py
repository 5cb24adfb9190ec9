"""Edits by ARKit name and transfers on a model that calls its expressions otherwise."""

import pytest
import torch

from morphface.edit import edit, transfer
from morphface.models import load_model
from morphface.parameters import FaceParameters
from tests.data import shared


@pytest.fixture(scope="module")
def other():
    return load_model(shared("ict", "ict_facekit.npz"))


@pytest.fixture(scope="module")
def rest(other):
    return FaceParameters.neutral(
        identity=other.identity.rank, expression=other.expression.rank, reflectance=0
    )


def gaps(model, face):
    """Millimetres between lips, right lids and left lids, at the 68 landmarks."""
    vertices = model.vertices(face.identity, face.expression)[0]
    marks = model.landmark_embedding("68").points(vertices)
    return [float((marks[a] - marks[b]).norm()) for a, b in ((62, 66), (37, 41), (44, 46))]


def test_a_name_of_arkit_moves_what_it_names(other, rest):
    still = gaps(other, rest)
    opened = gaps(other, edit(rest, model=other, expression={"jawOpen": 0.8}))
    assert opened[0] > still[0] + 15
    winked = gaps(other, edit(rest, model=other, expression={"eyeBlinkLeft": 1.0}))
    assert winked[2] < 0.4 * still[2]
    assert winked[1] == pytest.approx(still[1], abs=0.5)


@pytest.mark.slow
def test_motion_of_the_open_head_moves_another_model(other, rest):
    head = load_model()
    source = edit(FaceParameters.neutral(), expression={"jawOpen": 0.7, "eyeBlinkRight": 0.9})
    moved = transfer(source, rest, "reenact", source_model=head, target_model=other)
    assert moved.expression.shape == rest.expression.shape
    assert torch.equal(moved.identity, rest.identity)
    still, found = gaps(other, rest), gaps(other, moved)
    assert found[0] > still[0] + 10
    assert found[1] < 0.5 * still[1] < found[2]
