"""Small clips for tests: a person who talks, turns and looks around."""

from dataclasses import replace

import torch

from morphface.exchange import Clip
from morphface.geometry.camera import Camera
from morphface.parameters import LOST, TRACKED, FaceParameters, Track


def track_of(model, frames=4, seed=0):
    """A track with the second frame lost, 25 frames a second from the third second on."""
    rng = torch.Generator().manual_seed(seed)
    bounds = model.expression.bounds.clamp(-1.0, 1.0)
    share = torch.rand(frames, model.expression.rank, generator=rng).pow(8)
    share[share < 0.2] = 0.0  # most of what a face can do rests
    colours = 0 if model.reflectance is None else model.reflectance.rank
    still = FaceParameters.neutral(
        identity=model.identity.rank,
        expression=model.expression.rank,
        reflectance=colours,
        frames=frames,
    )
    face = replace(
        still,
        identity=torch.randn(1, model.identity.rank, generator=rng) * 0.5,
        expression=bounds[:, 0] * 0 + share * bounds[:, 1],
        rotation=torch.randn(frames, 3, generator=rng) * 0.2,
        translation=still.translation + torch.randn(frames, 3, generator=rng) * 20,
        gaze=torch.randn(frames, 2, 2, generator=rng) * 0.2,
    )
    states = torch.full((frames,), TRACKED)
    states[1] = LOST
    nothing = torch.full((frames,), torch.nan)
    return Track(
        parameters=face,
        camera=Camera.facing((72, 128)),
        states=states,
        times=3 + torch.arange(frames, dtype=torch.float64) / 25,
        indices=75 + torch.arange(frames),
        landmark_nme=nothing,
        boxes=nothing[:, None].expand(-1, 4).clone(),
    )


def clip_of(model, frames=4, seed=0):
    return Clip.of(track_of(model, frames, seed), model)
