"""A fit that starts from numbers of a motion."""

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.edit import edit
from morphface.edit.named import named_values, names_of
from morphface.generate.bridge import Line, MotionBridge
from morphface.landmarks.boxes import box_of
from morphface.media.crop import FACE_SHARE
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.oneshot.starting import start_of

SIDE = 96


@pytest.fixture(scope="module")
def model():
    return load_model()


def direct(model):
    """A bridge whose numbers are the parameters themselves."""
    count = len(names_of(model))
    zero, one = torch.zeros(count), torch.ones(count)
    line = Line(zero, torch.eye(count), zero, one)
    return MotionBridge(tuple(names_of(model)), line, line)


def test_a_start_has_the_pose_and_expression_of_the_numbers_and_fills_the_crop(model):
    wanted = edit(
        FaceParameters.neutral(), model=model, yaw=20.0, pitch=-8.0, expression={"jawOpen": 0.4}
    )
    values = named_values(wanted)
    start = start_of(direct(model), values, model, SIDE)
    torch.testing.assert_close(named_values(start.parameters), values, atol=1e-4, rtol=0)
    left, top, right, bottom = box_of(start.predicted)
    assert max(right - left, bottom - top) == pytest.approx(FACE_SHARE * SIDE, rel=0.01)
    assert (left + right) / 2 == pytest.approx(SIDE / 2, abs=0.5)
    assert (top + bottom) / 2 == pytest.approx(SIDE / 2, abs=0.5)
    assert not start.parameters.identity.any()


@pytest.mark.refusal
def test_a_bridge_of_another_model_starts_no_fit(model, toy):
    with pytest.raises(ParameterError, match="of the model's parameters, but has other names"):
        start_of(direct(model), torch.zeros(1, len(names_of(model))), toy, SIDE)
    with pytest.raises(ShapeError, match="motion"):
        start_of(direct(model), torch.zeros(1, 3), model, SIDE)
