"""One step: the discriminator first, then the generator, then the mean of its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from morphface.generate.losses import (
    discriminator_loss,
    feature_matching,
    generator_loss,
    perceptual,
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
    return _Step(state, batch, settings, hands or Hands()).make()


@dataclass(frozen=True, eq=False)
class _Step:
    """One step and what it works with."""

    state: TrainState
    batch: Mapping[str, Tensor]
    settings: TrainSettings
    hands: Hands

    def make(self) -> dict[str, Tensor]:
        """Train both networks; the losses."""
        state, settings = self.state, self.settings
        made = state.generator(self.batch["window"])
        found = self._judge(made.detach()) if settings.adversarial != "none" else {}
        losses = self._losses(made)
        state.makers.zero_grad(set_to_none=True)
        weights = {
            "l1": settings.l1,
            "adversarial": 1.0,
            "matching": settings.matching,
            "temporal": settings.temporal,
            "vgg": settings.vgg,
        }
        weighted = [weights[name] * loss for name, loss in losses.items()]
        self.hands.backward(torch.stack(weighted).sum())
        state.makers.step()
        state.step += 1
        state.average(self.hands.bare(state.generator), settings.ema)
        return found | {name: loss.detach() for name, loss in losses.items()}

    def _judge(self, made: Tensor) -> dict[str, Tensor]:
        """The discriminator's part of a step."""
        window, frame, state = self.batch["window"], self.batch["frame"], self.state
        # One pass for both: several processes synchronise once, and both share their statistics.
        logits = state.judge(torch.cat([window, window]), torch.cat([frame, made]))[-1]
        real, fake = logits.chunk(2)
        loss = discriminator_loss(real.float(), fake.float(), self.settings.adversarial)
        state.judges.zero_grad(set_to_none=True)
        self.hands.backward(loss)
        state.judges.step()
        return {"discriminator": loss.detach()}

    def _losses(self, made: Tensor) -> dict[str, Tensor]:
        """What the generator minimises, by name."""
        batch, settings = self.batch, self.settings
        far = (made.float() - batch["frame"]).abs()
        if settings.mouth:
            far = far * (1 + settings.mouth * batch["mouth"][:, None])
        losses = {"l1": far.mean()}
        if settings.adversarial != "none":
            losses |= self._adversarial(made)
        if settings.temporal:
            before = self.state.generator(batch["window_before"])
            losses["temporal"] = temporal(made, before, batch["frame"], batch["frame_before"])
        if self.state.eyes is not None:
            with torch.no_grad():
                real = self.state.eyes(batch["frame"])
            losses["vgg"] = perceptual(real, self.state.eyes(made.float()))
        return losses

    def _adversarial(self, made: Tensor) -> dict[str, Tensor]:
        """What the discriminator, which learns nothing from it, says of made frames."""
        judge, window = self.hands.bare(self.state.judge), self.batch["window"]
        judge.requires_grad_(False)
        try:
            features = judge(window, made)
            loss = generator_loss(features[-1].float(), self.settings.adversarial)
            if not self.settings.matching:
                return {"adversarial": loss}
            matching = feature_matching(judge(window, self.batch["frame"]), features)
            return {"adversarial": loss, "matching": matching}
        finally:
            judge.requires_grad_(True)
