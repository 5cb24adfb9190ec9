"""Motion in few bits."""

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.geometry import Camera
from morphface.parameters import Moves, decoded_moves, encoded_moves
from morphface.parameters.coded import HOLD, STEPS

CAMERA = Camera.facing((256, 256))


def talking(frames=60, tremble=0.0):
    rng = torch.Generator().manual_seed(0)
    time = torch.linspace(0, 4, frames)
    expression = torch.zeros(frames, 52)
    expression[:, 24] = 0.4 - 0.4 * torch.cos(6 * time)
    expression += tremble * torch.rand(frames, 52, generator=rng)
    rotation = torch.stack([0.02 * time, 0.3 * torch.sin(time), 0 * time], dim=-1)
    place = torch.stack([10 * time, 5 * torch.cos(time), -700 - 30 * time], dim=-1)
    gaze = 0.2 * torch.sin(2 * time)[:, None, None].expand(frames, 2, 2)
    return Moves(expression, rotation, place, gaze.clone())


@pytest.mark.parametrize("quality", [0.5, 1.0, 3.0])
def test_every_channel_comes_back_within_its_step(quality):
    moves = talking(tremble=0.1)
    found = decoded_moves(encoded_moves(moves, CAMERA, quality=quality), CAMERA, quality=quality)
    off = HOLD / quality * (1 + 1e-3)
    for name in ("expression", "rotation", "gaze"):
        assert (getattr(found, name) - getattr(moves, name)).abs().max() <= off * STEPS[name]
    seen = [CAMERA.project(some.translation[:, None])[:, 0] for some in (found, moves)]
    assert (seen[0] - seen[1])[:, :2].abs().max() <= off * STEPS["place"] + 1e-3
    assert (seen[0][:, 2] / seen[1][:, 2]).log().abs().max() <= off * STEPS["depth"] + 1e-5


def test_what_rests_or_trembles_within_a_step_costs_next_to_nothing():
    still = talking(400).map(lambda values: values[:1].expand(400, *values.shape[1:]).clone())
    first = len(encoded_moves(still.map(lambda values: values[:1]), CAMERA))
    assert 8 * (len(encoded_moves(still, CAMERA)) - first) / 399 < 4
    rng = torch.Generator().manual_seed(1)
    noise = 0.2 * STEPS["expression"] * torch.randn(400, 52, generator=rng).clamp(-2, 2)
    shaky = Moves(still.expression + 0.5 + noise, still.rotation, still.translation, still.gaze)
    first = len(encoded_moves(shaky.map(lambda values: values[:1]), CAMERA))
    assert 8 * (len(encoded_moves(shaky, CAMERA)) - first) / 399 < 4


def test_finer_steps_cost_more():
    sizes = [len(encoded_moves(talking(), CAMERA, quality=quality)) for quality in (0.5, 1, 2, 4)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.7 * sizes[-1]


@pytest.mark.refusal
def test_what_is_no_motion_is_refused():
    with pytest.raises(ParameterError, match="moves must have a frame or more"):
        encoded_moves(talking().map(lambda values: values[:0]), CAMERA)
    with pytest.raises(ParameterError, match="quality be from 0.05 to 100, got 60 and 0"):
        encoded_moves(talking(), CAMERA, quality=0)
    with pytest.raises(ParameterError, match="the coded motion is damaged: it has 0 frames"):
        decoded_moves(b"", CAMERA)
