"""Curves for tests: a face that talks, turns and looks around."""

import torch

from morphface.edit import ARKIT_NAMES
from morphface.exchange import ArkitCurves


def drawn(frames=7, seed=0):
    """Random weights and angles, none of them at a bound, 30 frames a second."""
    rng = torch.Generator().manual_seed(seed)
    return ArkitCurves(
        times=torch.arange(frames, dtype=torch.float64) / 30,
        weights=torch.rand(frames, len(ARKIT_NAMES), generator=rng) * 0.98 + 0.01,
        head=torch.randn(frames, 3, generator=rng) * 0.3,
        gaze=torch.randn(frames, 2, 2, generator=rng) * 0.2,
        seen=torch.arange(frames) != 2,
    )
