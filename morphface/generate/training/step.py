"""One step: the discriminator first, then the generator, then the mean of its weights."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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

__all__ = ["Hands", "frozen", "judged", "learnt", "train_step"]


@dataclass(frozen=True, eq=False)
class Hands:
    """How a step differentiates, which several processes and half precision change.

    Args:
        backward: instead of `loss.backward()`.
        bare: a network without the wrapping for several processes.
    """

    backward: Callable[[Tensor], None] = Tensor.backward
    bare: Callable[[nn.Module], nn.Module] = lambda network: network


@contextmanager
def frozen(judge: nn.Module) -> Iterator[nn.Module]:
    """A discriminator that learns nothing meanwhile.

    Args:
        judge: without wrapping.
    """
    judge.requires_grad_(False)
    try:
        yield judge
    finally:
        judge.requires_grad_(True)


def judged(state: TrainState, loss: Tensor, settings: TrainSettings, hands: Hands) -> None:
    """Let the discriminator learn.

    Args:
        state: is changed in place.
        loss: what it shall minimise.
        settings: have the rate.
        hands: how to differentiate.
    """
    _moved(state.judges, loss, settings.rate_at(state.step), hands)


def learnt(state: TrainState, loss: Tensor, settings: TrainSettings, hands: Hands) -> None:
    """Let the generator learn: its weights, their mean, and the count of steps go on.

    Args:
        state: is changed in place.
        loss: what it shall minimise.
        settings: have the rate and the decay of the mean.
        hands: how to differentiate.
    """
    _moved(state.makers, loss, settings.rate_at(state.step), hands)
    state.step += 1
    state.average(hands.bare(state.generator), settings.ema)


def _moved(optimizer: torch.optim.Optimizer, loss: Tensor, rate: float, hands: Hands) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    hands.backward(loss)
    optimizer.step()


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
        weights = {
            "l1": settings.l1,
            "adversarial": 1.0,
            "matching": settings.matching,
            "temporal": settings.temporal,
            "vgg": settings.vgg,
        }
        weighted = [weights[name] * loss for name, loss in losses.items()]
        learnt(state, torch.stack(weighted).sum(), settings, self.hands)
        return found | {name: loss.detach() for name, loss in losses.items()}

    def _judge(self, made: Tensor) -> dict[str, Tensor]:
        """The discriminator's part of a step."""
        window, frame, state = self.batch["window"], self.batch["frame"], self.state
        # One pass for both: several processes synchronise once, and both share their statistics.
        logits = state.judge(torch.cat([window, window]), torch.cat([frame, made]))[-1]
        real, fake = logits.chunk(2)
        loss = discriminator_loss(real.float(), fake.float(), self.settings.adversarial)
        judged(state, loss, self.settings, self.hands)
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
        window = self.batch["window"]
        with frozen(self.hands.bare(self.state.judge)) as judge:
            features = judge(window, made)
            loss = generator_loss(features[-1].float(), self.settings.adversarial)
            if not self.settings.matching:
                return {"adversarial": loss}
            matching = feature_matching(judge(window, self.batch["frame"]), features)
            return {"adversarial": loss, "matching": matching}
