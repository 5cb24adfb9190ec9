"""One step of a one-shot generator: its judges now and then, then the generator, then its mean.

The losses are those of HeadGAN (section 3.3 and its public code).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.generate.config import GeneratorConfig
from morphface.generate.losses import (
    discriminator_loss,
    feature_matching,
    generator_loss,
    perceptual,
)
from morphface.generate.networks.headgan import Painted
from morphface.generate.networks.judges import MOUTH_SHARE, Verdicts
from morphface.generate.take import Take
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import TrainState
from morphface.generate.training.step import Hands, frozen, judged, learnt

__all__ = ["one_shot_step"]

_SURFACE = 0.01
"""Sum of the first map's channels from which a pixel shows the mesh (HeadGAN's code)."""
_MOUTH = 0.5
"""Weight of the mouth's judge beside the frame's, in what judges minimise (the same)."""
_MATCHING = 4.0
"""Sum of the weights of a judge's layers in feature matching (pix2pixHD)."""


def one_shot_step(
    state: TrainState, batch: Take, settings: TrainSettings, hands: Hands | None = None
) -> dict[str, Tensor]:
    """Train generator and judges on frames of some takes; `state` is changed in place.

    Args:
        state: where the run stands.
        batch: frames, each with its references.
        settings: weights of the losses, and what judges are asked.
        hands: as in `train_step`.

    Returns:
        Each loss by its name, unweighted.
    """
    return _Step(state, batch, settings, hands or Hands()).make()


@dataclass(frozen=True, eq=False)
class _Step:
    """A step on takes: judges first, where it is their turn, then the generator."""

    state: TrainState
    batch: Take
    settings: TrainSettings
    hands: Hands

    def make(self) -> dict[str, Tensor]:
        """Train; the losses."""
        state, settings, batch = self.state, self.settings, self.batch
        style = batch.style if batch.style.shape[1] else None
        made: Painted = state.generator(batch.window, batch.references, style, details=True)
        adversarial = settings.adversarial != "none"
        found = {}
        if adversarial and state.step % settings.judged == 0:
            found = self._judge(made.frame.detach())
        losses = self._differences(made) | (self._adversarial(made.frame) if adversarial else {})
        weights = {
            "l1": settings.l1,
            "l1_moved": settings.l1 * settings.moved,
            "vgg": settings.vgg,
            "vgg_moved": settings.vgg * settings.moved,
            "mask": settings.mask,
            "adversarial": 1.0,
            "matching": settings.matching,
        }
        weighted = [weights[name] * loss for name, loss in losses.items()]
        learnt(state, torch.stack(weighted).sum(), settings, self.hands)
        return found | {name: loss.detach() for name, loss in losses.items()}

    def _differences(self, made: Painted) -> dict[str, Tensor]:
        """From the frame, of what the generator made and moved."""
        batch, real = self.batch, self.batch.frame
        weight = self._weight()
        pictures = {"l1": [made.frame], "l1_moved": list(made.photos)}
        losses = {name: _far(same, real, weight) for name, same in pictures.items()}
        if self.state.eyes is not None:
            eyes = self.state.eyes
            with torch.no_grad():
                seen = eyes(real)
            losses["vgg"] = perceptual(seen, eyes(made.frame.float()))
            if self.settings.moved:
                losses["vgg_moved"] = torch.stack(
                    [perceptual(seen, eyes(photo.float())) for photo in made.photos]
                ).mean()
        unions = [torch.maximum(batch.matte, one.matte) for one in batch.references]
        pairs = zip(made.masks, unions, strict=True)
        losses["mask"] = torch.stack([(mask - union).abs().mean() for mask, union in pairs]).mean()
        return losses

    def _weight(self) -> Float[Tensor, "B 1 H W"]:
        """How much each pixel counts: on the mesh, beside it, about the mouth."""
        face = self._maps()[:, :3].sum(1, keepdim=True) > _SURFACE
        weight = torch.where(face, 1.0, self.settings.outside)
        if not self.settings.mouth:
            return weight
        side = weight.shape[-1]
        centres = torch.arange(side, device=weight.device) + 0.5
        away = (centres - self.batch.mouth[..., None]).abs() < side / MOUTH_SHARE / 2
        near = away[:, 1, :, None] & away[:, 0, None, :]
        return weight * (1 + self.settings.mouth * near[:, None])

    def _maps(self) -> Float[Tensor, "B C H W"]:
        """Of the frame to make alone."""
        config: GeneratorConfig = self.hands.bare(self.state.generator).config  # type: ignore[assignment]
        first = config.offsets.index(0) * sum(config.channels)
        return self.batch.window[:, first : first + sum(config.channels)]

    def _judge(self, made: Tensor) -> dict[str, Tensor]:
        """The judges' part of a step."""
        batch, kind = self.batch, self.settings.adversarial
        maps, frames = self._maps(), torch.cat([batch.frame, made])
        given = (torch.cat([part, part]) for part in (maps, batch.mouth, batch.style))
        maps, mouth, style = given
        verdicts = self.state.judge(maps, frames, mouth, style)
        whole, part = (_discriminated(each, kind) for each in verdicts)
        loss = whole + _MOUTH * part
        judged(self.state, loss, self.settings, self.hands)
        return {"discriminator": loss.detach()}

    def _adversarial(self, made: Tensor) -> dict[str, Tensor]:
        """What the judges, who learn nothing from it, say of made frames."""
        batch, kind, maps = self.batch, self.settings.adversarial, self._maps()
        with frozen(self.hands.bare(self.state.judge)) as judge:
            verdicts = judge(maps, made, batch.mouth, batch.style)
            logits = [[scale[-1].float() for scale in each] for each in verdicts]
            means = [torch.stack([generator_loss(one, kind) for one in each]) for each in logits]
            loss = torch.stack([each.mean() for each in means]).sum()
            if not self.settings.matching:
                return {"adversarial": loss}
            with torch.no_grad():
                real = judge(maps, batch.frame, batch.mouth, batch.style)
        matched = [_matched(a, b) for a, b in zip(real, verdicts, strict=True)]
        return {"adversarial": loss, "matching": torch.stack(matched).sum()}


def _far(
    made: list[Float[Tensor, "B 3 H W"]],
    real: Float[Tensor, "B 3 H W"],
    weight: Float[Tensor, "B 1 H W"],
) -> Float[Tensor, ""]:
    """Mean absolute difference with weights, over all pictures."""
    return torch.stack([((one.float() - real).abs() * weight).mean() for one in made]).mean()


def _discriminated(verdicts: Verdicts, kind: str) -> Float[Tensor, ""]:
    """What a judge minimises, whose verdicts are first of real frames, then of made ones."""
    logits = [scale[-1].float().chunk(2) for scale in verdicts]
    return torch.stack([discriminator_loss(real, made, kind) for real, made in logits]).mean()


def _matched(real: Verdicts, made: Verdicts) -> Float[Tensor, ""]:
    """Feature matching, the mean over sizes."""
    pairs = zip(real, made, strict=True)
    return _MATCHING * torch.stack([feature_matching(a, b) for a, b in pairs]).mean()
