"""Transfer of 1,000 frames, beside the recipe of Head2Head written plainly.

The peer is that recipe (Koujan et al. 2020, and the published `head2head`) frame by frame in
numpy: rotation and expression copied, scale by the ratio of means, translation in units of the
face, shifted to the target's mean, clamped to two standard deviations, smoothed over 15 frames,
and the lids opened by the ratio of mean openings. It composes no rotations, estimates no neutral
and transfers no gaze, so it does less than any case here.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.common import measure, seed
from morphface.edit import MODES, Rule, TransferSettings, transfer
from morphface.models import load_model
from morphface.parameters import FaceParameters

FRAMES = 1000
TARGET_MS = 50.0
WINDOW = 15
SETTINGS = {
    **{name: MODES[name] for name in MODES},
    "relative, clamped, smoothed": TransferSettings(
        *(Rule("relative", clamp=2.0, smooth=WINDOW) for _ in range(4))
    ),
    "standardised": TransferSettings(*(Rule("standardised") for _ in range(4))),
}


def cases() -> list[dict[str, Any]]:
    """Milliseconds of each way of transfer, and how often the peer's time that is."""
    rng = seed()
    source, target = (_clip(rng, near) for near in (-500.0, -800.0))
    arrays = [_arrays(face) for face in (source, target)]
    calls = {
        name: (lambda chosen=chosen: transfer(source, target, chosen))
        for name, chosen in SETTINGS.items()
    }
    times = measure({**calls, "peer": lambda: head2head(*arrays)}, runs=10, warmup=2)
    peer = times.pop("peer")
    return [
        {
            "case": f"transfer of {FRAMES} frames: {name}",
            **found,
            "target_ms": TARGET_MS,
            "peer": "the recipe of Head2Head, frame by frame in numpy",
            "peer_median_ms": peer["median_ms"],
            "peer_min_ms": peer["min_ms"],
            "times_as_fast": round(peer["min_ms"] / found["min_ms"], 2),
        }
        for name, found in times.items()
    ]


def _clip(rng: torch.Generator, depth: float) -> FaceParameters:
    count = load_model("open-head").expression.rank
    return replace(
        FaceParameters.neutral(frames=FRAMES),
        expression=0.3 * torch.rand(FRAMES, count, generator=rng),
        rotation=0.2 * torch.randn(FRAMES, 3, generator=rng),
        translation=torch.tensor([0.0, 0.0, depth]) + 10 * torch.randn(FRAMES, 3, generator=rng),
        gaze=0.1 * torch.randn(FRAMES, 2, 2, generator=rng),
    )


def _arrays(face: FaceParameters) -> dict[str, np.ndarray]:
    depth = -face.translation[:, 2]
    return {
        "rotation": face.rotation.numpy(),
        "expression": face.expression.numpy(),
        "scale": (1000 / depth).numpy(),
        "place": (1000 / depth[:, None] * face.translation[:, :2]).numpy(),
        "opening": 1 - face.expression[:, 8:10].numpy(),
    }


def head2head(source: dict[str, np.ndarray], target: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The parameters of each frame of the result."""
    frames = len(source["scale"])
    ratio = target["scale"].mean() / source["scale"].mean()
    scales, places = [], []
    wanted = target["place"] / target["scale"][:, None]
    mean, spread = wanted.mean(axis=0), wanted.std(axis=0)
    centre = (source["place"] / source["scale"][:, None]).mean(axis=0)
    for frame in range(frames):
        scale = source["scale"][frame] * ratio
        place = source["place"][frame] / source["scale"][frame] - centre + mean
        scales.append(scale)
        places.append(np.clip(place, mean - 2 * spread, mean + 2 * spread))
    lids = target["opening"].mean(axis=0) / source["opening"].mean(axis=0)
    out = []
    for frame in range(frames):
        window = [
            min(max(k, 0), frames - 1) for k in range(frame - WINDOW // 2, frame + WINDOW // 2 + 1)
        ]
        scale = np.mean([scales[k] for k in window])
        place = np.mean([places[k] for k in window], axis=0) * scale
        rotation, expression = source["rotation"][frame], source["expression"][frame].copy()
        expression[8:10] = np.clip(1 - source["opening"][frame] * lids, 0, 1)
        out.append(np.concatenate([rotation, place, [scale], expression]))
    return out


if __name__ == "__main__":
    for case in cases():
        print(case)
