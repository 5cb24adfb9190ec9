"""One step: the discriminator first, then the generator, then the mean of its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from morphface.generate.losses import (
    discriminator_loss,
    feature_matching,
    generator_loss,
    temporal,
)
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import TrainState

__all__ = ["Hands", "train_step"]


@dataclass(frozen=True, eq=False)
class Hands:
    """How a step differentiates, which several processes and half precision change.

    Args:
        backward: instead of `loss.backward()`.
        bare: a network without the wrapping for several processes.
    """

    backward: Callable[[Tensor], None] = Tensor.backward
    bare: Callable[[nn.Module], nn.Module] = lambda network: network


def train_step(
    state: TrainState,
    batch: Mapping[str, Tensor],
    settings: TrainSettings,
    hands: Hands | None = None,
) -> dict[str, Tensor]:
    """Train both networks on a batch; `state` is changed in place.

    Args:
        state: where the run stands.
        batch: `window` and `frame`; with the temporal term `window_before` and `frame_before`;
            with the mouth term `mouth`, a weight from 0 to 1 for each pixel.
        settings: weights.
        hands: how to differentiate.

    Returns:
        The losses, unweighted, by name.
    """
    hands = hands or Hands()
    made = state.generator(batch["window"])
    found: dict[str, Tensor] = {}
    if settings.adversarial != "none":
        found |= _judge(state, batch, made.detach(), settings, hands)
    losses = _losses(state, batch, made, settings, hands)
    state.makers.zero_grad(set_to_none=True)
    weights = {
        "l1": settings.l1,
        "adversarial": 1.0,
        "matching": settings.matching,
        "temporal": settings.temporal,
    }
    hands.backward(torch.stack([weights[name] * loss for name, loss in losses.items()]).sum())
    state.makers.step()
    state.step += 1
    state.average(hands.bare(state.generator), settings.ema)
    return found | {name: loss.detach() for name, loss in losses.items()}


def _judge(
    state: TrainState,
    batch: Mapping[str, Tensor],
    made: Tensor,
    settings: TrainSettings,
    hands: Hands,
) -> dict[str, Tensor]:
    """The discriminator's part of a step."""
    window, frame = batch["window"], batch["frame"]
    # One pass for both: several processes synchronise once, and both share their statistics.
    logits = state.judge(torch.cat([window, window]), torch.cat([frame, made]))[-1]
    real, fake = logits.chunk(2)
    loss = discriminator_loss(real.float(), fake.float(), settings.adversarial)
    state.judges.zero_grad(set_to_none=True)
    hands.backward(loss)
    state.judges.step()
    return {"discriminator": loss.detach()}


def _losses(
    state: TrainState,
    batch: Mapping[str, Tensor],
    made: Tensor,
    settings: TrainSettings,
    hands: Hands,
) -> dict[str, Tensor]:
    """What the generator minimises, by name."""
    frame = batch["frame"]
    far = (made.float() - frame).abs()
    if settings.mouth:
        far = far * (1 + settings.mouth * batch["mouth"][:, None])
    losses = {"l1": far.mean()}
    if settings.adversarial != "none":
        losses |= _adversarial(batch, made, settings, hands.bare(state.judge))
    if settings.temporal:
        before = state.generator(batch["window_before"])
        losses["temporal"] = temporal(made, before, frame, batch["frame_before"])
    return losses


def _adversarial(
    batch: Mapping[str, Tensor], made: Tensor, settings: TrainSettings, judge: nn.Module
) -> dict[str, Tensor]:
    window, frame = batch["window"], batch["frame"]
    judge.requires_grad_(False)
    try:
        features = judge(window, made)
        losses = {"adversarial": generator_loss(features[-1].float(), settings.adversarial)}
        if settings.matching:
            losses["matching"] = feature_matching(judge(window, frame), features)
    finally:
        judge.requires_grad_(True)
    return losses
