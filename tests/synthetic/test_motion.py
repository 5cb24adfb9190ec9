"""The process that moves synthetic people."""

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.geometry import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters, Track
from morphface.synthetic import Dice, MotionModel, TrackMotions, default_motion

NAMES = load_model().expression.names


def track_of(expression, rotation, states=None):
    frames = len(expression)
    still = FaceParameters.neutral(frames=frames)
    parameters = FaceParameters(**{**vars(still), "expression": expression, "rotation": rotation})
    return Track(
        parameters,
        Camera.facing((100, 100)),
        torch.zeros(frames, dtype=torch.long) if states is None else states,
        torch.arange(frames) / 25.0,
        torch.arange(frames),
        torch.zeros(frames),
        torch.zeros(frames, 4),
    )


@pytest.fixture(scope="module")
def known():
    """A long track whose jaw is a skewed function of a known AR(2), and turns with the yaw."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(6000, generator=rng).tolist()
    x = [0.0, 0.0]
    for value in noise:
        x.append(1.7 * x[-1] - 0.75 * x[-2] + 0.1 * value)
    x = torch.tensor(x[100:])
    expression = torch.zeros(len(x), len(NAMES))
    expression[:, NAMES.index("jawOpen")] = torch.sigmoid(3 * x / x.std() - 2)
    rotation = torch.zeros(len(x), 3)
    rotation[:, 1] = 0.2 * x
    return track_of(expression, rotation)


def test_a_fitted_process_has_the_track_s_quantiles_memory_and_correlation(known):
    from dataclasses import replace

    model = replace(MotionModel.of([known], NAMES, rank=2), wider=1.0, acts=False)
    pieces = [model.piece(400, Dice(seed)) for seed in range(40)]
    jaw = torch.stack([piece.expression[:, NAMES.index("jawOpen")] for piece in pieces])
    true = known.parameters.expression[:, NAMES.index("jawOpen")]
    levels = torch.tensor([0.1, 0.5, 0.9])
    torch.testing.assert_close(
        jaw.flatten().quantile(levels), true.quantile(levels), atol=0.05, rtol=0
    )

    def memory(rows):
        rows = rows - true.mean()
        return float((rows[..., 5:] * rows[..., :-5]).mean() / rows.square().mean())

    assert abs(memory(jaw) - memory(true[None])) < 0.08
    yaw = torch.stack([piece.rotation[:, 1] for piece in pieces])
    mirrored = torch.sign(torch.stack([j @ y for j, y in zip(jaw - jaw.mean(), yaw, strict=True)]))
    assert 5 < (mirrored > 0).sum() < 35  # half of the pieces are seen in a mirror


def test_the_packaged_motion_is_smooth_and_within_bounds():
    model = load_model()
    motion = default_motion(model)
    pieces = [motion.piece(12, Dice(seed)) for seed in range(60)]
    weights = torch.stack([piece.expression for piece in pieces])
    assert weights.min() >= 0
    assert weights.max() <= 1
    step = weights.diff(dim=1).abs().mean()
    apart = (weights[1:, 0] - weights[:-1, 0]).abs().mean()
    assert step < 0.35 * apart
    opened = weights[:, :, NAMES.index("jawOpen")].amax(1)
    assert (opened > 0.4).float().mean() > 0.1
    turn = torch.stack([piece.rotation[:, 1] for piece in pieces])
    assert 0.05 < turn.std() < 0.4


def test_a_saved_process_is_read_again(tmp_path):
    motion = default_motion(load_model())
    motion.save(tmp_path / "m.safetensors", "a note")
    again = MotionModel.load(tmp_path / "m.safetensors").piece(3, Dice(1))
    torch.testing.assert_close(again.expression, motion.piece(3, Dice(1)).expression)


def test_pieces_of_tracks_stay_within_what_was_seen():
    expression = torch.zeros(30, len(NAMES))
    expression[:, 0] = torch.arange(30) / 100
    states = torch.zeros(30, dtype=torch.long)
    states[10:15] = 2
    motions = TrackMotions([track_of(expression, torch.zeros(30, 3), states)])
    for seed in range(30):
        piece = motions.piece(3, Dice(seed)).expression[:, 0] * 100
        steps = piece.diff().round()
        assert ((steps == 1) | (steps == 0)).all()
        assert not set(range(10, 15)) & set(piece.round().int().tolist())


@pytest.mark.refusal
def test_tracks_without_a_person_are_refused():
    lost = torch.full((120,), 2)
    track = track_of(torch.zeros(120, len(NAMES)), torch.zeros(120, 3), lost)
    with pytest.raises(ParameterError, match="tracks must have frames in which a person is seen"):
        TrackMotions([track])
    with pytest.raises(ParameterError, match="tracks must have 100 frames with a person, got 0"):
        MotionModel.of([track], NAMES)


@pytest.mark.refusal
def test_a_model_with_other_expressions_needs_its_own_motion():
    from dataclasses import replace

    model = load_model()
    odd = replace(model, expression=replace(model.expression, names=tuple("x" * 52)))
    with pytest.raises(ParameterError, match="pass motion=TrackMotions"):
        default_motion(odd)
