"""Made-up clips whose rest is known, for tests of editing."""

from dataclasses import replace

import torch

from morphface.models import load_model
from morphface.parameters import FaceParameters


def column(name):
    return load_model("open-head").expression.names.index(name)


def weights(frames=1, **values):
    """Expressions of the open head by name."""
    out = torch.zeros(frames, 52)
    for name, value in values.items():
        out[:, column(name)] = torch.as_tensor(value, dtype=torch.float32)
    return out


def smooth(frames, width, rng, period=20):
    """Smooth random curves of about unit spread."""
    steps = torch.randn(frames // period + 4, width, generator=rng)
    curves = torch.nn.functional.interpolate(
        steps.T[None], size=frames, mode="linear", align_corners=True
    )
    return curves[0].T


def clip(frames=60, seed=0, low=0.25, high=0.7):
    """A head that moves, looks around and makes faces, its weights well inside their bounds."""
    rng = torch.Generator().manual_seed(seed)
    resting = low + 0.1 * torch.rand(52, generator=rng)
    active = torch.rand(frames, 1, generator=rng) < 0.5  # at rest every other frame
    swing = (high - low - 0.15) * torch.rand(frames, 52, generator=rng)
    mean_turn = 0.2 * torch.randn(3, generator=rng)
    return replace(
        FaceParameters.neutral(frames=frames),
        identity=0.7 * torch.randn(1, 80, generator=rng),
        expression=resting + active * swing,
        illumination=0.1 * torch.randn(frames, 9, 3, generator=rng),
        rotation=mean_turn + 0.15 * smooth(frames, 3, rng),
        translation=torch.tensor([20.0 * seed, -10.0, -500.0 - 80 * seed])
        + 8.0 * smooth(frames, 3, rng),
        gaze=0.1 * smooth(frames, 4, rng).reshape(frames, 2, 2),
    )


def same(a, b, atol=1e-4):
    """Both are the same faces: millimetres and radians, to a tenth of a thousandth."""
    for name in vars(a):
        torch.testing.assert_close(
            getattr(a, name),
            getattr(b, name),
            atol=atol * (50 if name == "translation" else 1),
            rtol=0,
            msg=lambda text, name=name: f"{name}: {text}",
        )
