"""One step of a one-shot generator: its judges now and then, then the generator, then its mean.

The losses are those of HeadGAN (section 3.3 and its public code).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from morphface.generate.config import GeneratorConfig
from morphface.generate.losses import (
    discriminator_loss,
    feature_matching,
    generator_loss,
    perceptual,
)
from morphface.generate.needs import needs_of
from morphface.generate.networks.backbones import SMALLEST
from morphface.generate.networks.codes import shows_mesh
from morphface.generate.networks.judges import MOUTH_SHARE, Verdicts
from morphface.generate.networks.painted import Painted
from morphface.generate.reference import Reference
from morphface.generate.take import Take
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import TrainState
from morphface.generate.training.step import Hands, frozen, judged, learnt
from morphface.media.extend import extended

__all__ = ["one_shot_step"]

_JUDGES = (1.0, 0.5)
"""Weights of the frame's judge and of the mouth's, in what judges minimise (the same)."""
_TOLD = 0.5
"""Share of the frames that are made of the named numbers alone, so that they move the picture."""
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
    return _Step(state, _some_photos(batch), settings, hands or Hands()).make()


def _some_photos(batch: Take) -> Take:
    """With a random number of its photos, so that a network learns to do with any."""
    most = len(batch.references)
    if most == 1:
        return batch
    count = 1 + int(torch.randint(most, ()))
    return replace(batch, references=batch.references[:count])


@dataclass(frozen=True, eq=False)
class _Step:
    """A step on takes: judges first, where it is their turn, then the generator."""

    state: TrainState
    batch: Take
    settings: TrainSettings
    hands: Hands

    def make(self) -> dict[str, Tensor]:
        """Train; the losses."""
        state, settings = self.state, self.settings
        made = self._made()
        adversarial = settings.adversarial != "none"
        found = {}
        if adversarial and state.step % settings.judged == 0:
            found = self._judge(made)
        losses = self._differences(made) | (self._adversarial(made) if adversarial else {})
        weights = {
            "l1": settings.l1,
            "l1_moved": settings.l1 * settings.moved,
            "vgg": settings.vgg,
            "vgg_moved": settings.vgg * settings.moved,
            "mask": settings.mask,
            "alpha": settings.mask,
            "code": settings.code,
            "flow": settings.flow,
            "named": settings.named,
            "equivariance": settings.equivariance,
            "equivariance_turn": settings.equivariance,
            "apart": settings.apart,
            "adversarial": 1.0,
            "matching": settings.matching,
        }
        weighted = [weights[name] * loss for name, loss in losses.items()]
        learnt(state, torch.stack(weighted).sum(), settings, self.hands)
        return found | {name: loss.detach() for name, loss in losses.items()}

    def _made(self) -> Painted:
        """What the generator makes of the batch."""
        batch, config = self.batch, self._config
        style = batch.style if batch.style.shape[1] else None
        driven = self._driven() if needs_of(config).driving else {}
        return self.state.generator(batch.window, batch.references, style, details=True, **driven)

    def _driven(self) -> dict[str, Tensor]:
        """What drives a generator of latent motion: frames, half of them by what is known alone."""
        batch = self.batch
        told = self._config.kind == "lia" and self.settings.named
        if not (told and batch.named.shape[1]):
            return {"driving": batch.frame}
        alone = torch.rand(len(batch.frame), 1, device=batch.frame.device) < _TOLD
        return {"driving": batch.frame, "taught": batch.named.where(alone, math.nan)}

    @property
    def _config(self) -> GeneratorConfig:
        return self.hands.bare(self.state.generator).config  # type: ignore[return-value]

    def _differences(self, made: Painted) -> dict[str, Tensor]:
        """From the frame, of what the generator made and moved."""
        real = self.batch.frame
        weight = self._weight()
        pictures = {"l1": [made.frame], "l1_moved": list(made.photos)}
        losses = {name: _far(same, real, weight) for name, same in pictures.items()}
        if self.state.eyes is not None:
            seen = self._seen(real)
            losses["vgg"] = self._perceived(seen, [made.frame])
            if self.settings.moved:
                losses["vgg_moved"] = self._perceived(seen, made.photos)
        if made.flows and self.settings.flow:
            pairs = zip(made.flows, self.batch.references, strict=True)
            far = [((flow - one.flow).abs() * one.valid * weight).mean() for flow, one in pairs]
            losses["flow"] = torch.stack(far).mean()
        if made.motion is not None and self.settings.named and self.batch.named.shape[1]:
            losses["named"] = _misnamed(made.motion, self.batch.named)
        return losses | self._outlines(made) | made.terms

    def _seen(self, picture: Tensor) -> list[list[Tensor]]:
        """Features of a picture at all sizes that serve."""
        eyes: Any = self.state.eyes
        most = max((picture.shape[-1] // SMALLEST).bit_length(), 1)
        with torch.no_grad():
            scales = range(min(self.settings.vgg_scales, most))
            return [eyes(_shrunk(picture, scale)) for scale in scales]

    def _perceived(self, seen: list[list[Tensor]], pictures: Sequence[Tensor]) -> Float[Tensor, ""]:
        """Mean perceptual difference of pictures from one whose features are known."""
        eyes: Any = self.state.eyes
        losses = [
            perceptual(features, eyes(_shrunk(one.float(), scale)))
            for scale, features in enumerate(seen)
            for one in pictures
        ]
        return torch.stack(losses).mean()

    def _outlines(self, made: Painted) -> dict[str, Tensor]:
        """Of where the generator sees the person, or the mesh, from where they are."""
        batch, losses = self.batch, {}
        if made.masks:
            unions = [torch.maximum(batch.matte, one.matte) for one in batch.references]
            losses["mask"] = _mean_far(made.masks, unions)
        if made.alpha is not None:
            losses["alpha"] = (made.alpha - batch.matte).abs().mean()
        if made.codes and self.settings.code:
            losses["code"] = torch.stack(
                [_misread(*pair) for pair in zip(made.codes, batch.references, strict=True)]
            ).mean()
        return losses

    def _weight(self) -> Float[Tensor, "B 1 H W"]:
        """How much each pixel counts: on the mesh, beside it, about the mouth."""
        weight = torch.ones_like(self.batch.matte)
        if self._config.maps:
            face = shows_mesh(self._maps())
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
        config = self._config
        first = config.offsets.index(0) * sum(config.channels)
        return self.batch.window[:, first : first + sum(config.channels)]

    def _style(self, made: Painted) -> Tensor:
        """What the judges know of how frames are driven."""
        return self.batch.style if made.points is None else made.points.detach()

    def _judge(self, made: Painted) -> dict[str, Tensor]:
        """The judges' part of a step."""
        batch, kind = self.batch, self.settings.adversarial
        maps, frames = self._maps(), torch.cat([batch.frame, made.frame.detach()])
        given = (torch.cat([part, part]) for part in (maps, batch.mouth, self._style(made)))
        maps, mouth, style = given
        verdicts = self.state.judge(maps, frames, mouth, style)
        found = [_discriminated(each, kind) for each in verdicts]
        loss = torch.stack([w * one for w, one in zip(_JUDGES, found, strict=False)]).sum()
        judged(self.state, loss, self.settings, self.hands)
        return {"discriminator": loss.detach()}

    def _adversarial(self, made: Painted) -> dict[str, Tensor]:
        """What the judges, who learn nothing from it, say of made frames."""
        batch, kind = self.batch, self.settings.adversarial
        maps, style = self._maps(), self._style(made)
        with frozen(self.hands.bare(self.state.judge)) as judge:
            verdicts = judge(maps, made.frame, batch.mouth, style)
            logits = [[scale[-1].float() for scale in each] for each in verdicts]
            means = [torch.stack([generator_loss(one, kind) for one in each]) for each in logits]
            loss = torch.stack([each.mean() for each in means]).sum()
            if not self.settings.matching:
                return {"adversarial": loss}
            with torch.no_grad():
                real = judge(maps, batch.frame, batch.mouth, style)
        matched = [_matched(a, b) for a, b in zip(real, verdicts, strict=True)]
        return {"adversarial": loss, "matching": torch.stack(matched).sum()}


def code_of(photo: Reference) -> Float[Tensor, "B 4 H W"]:
    """What is to be read off a photo: the place on the mesh of each pixel, and where the person is.

    Hair and clothes have no mesh: they have the code of what is next to them, which moves as they
    do, as the flow is extended (`media.extend`).

    Args:
        photo: with its correspondence map and its matte.
    """
    surface = shows_mesh(photo.maps).to(photo.maps)
    return torch.cat([extended(photo.maps[:, :3], surface), photo.matte], dim=1)


def _misread(code: Float[Tensor, "B 4 H W"], photo: Reference) -> Float[Tensor, ""]:
    """How far a code is from that of a photo where the person is, and its outline from theirs."""
    away = (code - code_of(photo)).abs()
    person = torch.maximum(shows_mesh(photo.maps), photo.matte)
    return (away[:, :3] * person).mean() + away[:, 3:].mean()


def _misnamed(motion: Float[Tensor, "B K"], named: Float[Tensor, "B N"]) -> Float[Tensor, ""]:
    """Mean squared difference of the first numbers from what they are taught, where known."""
    count = min(motion.shape[1], named.shape[1])
    wanted = named[:, :count]
    known = wanted.isfinite()
    far = (motion[:, :count].float() - wanted.nan_to_num()).square() * known
    return far.sum() / known.sum().clamp(min=1)


def _mean_far(some: Sequence[Tensor], others: Sequence[Tensor]) -> Float[Tensor, ""]:
    pairs = zip(some, others, strict=True)
    return torch.stack([(one - other).abs().mean() for one, other in pairs]).mean()


def _shrunk(picture: Tensor, times: int) -> Tensor:
    """Half the size, as often."""
    return avg_pool2d(picture, 2**times) if times else picture


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
