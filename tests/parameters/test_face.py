from dataclasses import fields

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.parameters import FaceParameters


def test_vector_has_the_261_values_of_deep_video_portraits():
    assert FaceParameters.neutral(expression=64, frames=3).to_vector().shape == (3, 261)


def test_from_vector_inverts_to_vector(rng):
    parameters = FaceParameters.neutral(frames=3).map(lambda t: torch.randn(t.shape, generator=rng))
    back = FaceParameters.from_vector(
        parameters.to_vector(), identity=80, expression=52, reflectance=80
    )
    for name in ("identity", "expression", "reflectance", "illumination", "rotation", "gaze"):
        torch.testing.assert_close(getattr(back, name), getattr(parameters, name))


def test_neutral_faces_the_camera():
    neutral = FaceParameters.neutral()
    assert neutral.rotation.abs().sum() == 0
    assert neutral.translation[0, 2] < 0


def changed(**fields):
    neutral = FaceParameters.neutral(frames=2)
    values = {name: getattr(neutral, name) for name in FaceParameters.__dataclass_fields__}
    return FaceParameters(**(values | fields))


@pytest.mark.refusal
def test_a_missing_frame_is_named():
    with pytest.raises(ShapeError, match="gaze must have 2 rows, got 1"):
        changed(gaze=torch.zeros(1, 2, 2))


@pytest.mark.refusal
def test_a_missing_axis_is_named():
    with pytest.raises(ShapeError, match=r"rotation must have 2 axes, got \(3,\)"):
        changed(rotation=torch.zeros(3))


@pytest.mark.refusal
def test_a_nan_is_counted():
    with pytest.raises(ParameterError, match="translation must be finite, but 1 of 6 values"):
        changed(translation=torch.tensor([[0, 0, torch.nan], [0, 0, 0]]))


@pytest.mark.refusal
def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ParameterError, match="vector must have 249 columns, got 261"):
        FaceParameters.from_vector(torch.zeros(1, 261), identity=80, expression=52, reflectance=80)


def test_values_of_any_precision_are_held_in_single_precision():
    plain = FaceParameters.neutral(frames=2)
    values = {field.name: getattr(plain, field.name).double().numpy() for field in fields(plain)}
    face = FaceParameters(**values)
    assert {getattr(face, name).dtype for name in values} == {torch.float32}
    assert torch.equal(face.to_vector(), plain.to_vector())
