"""Everything that a training run goes on with: networks, optimisers, mean weights, step."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from morphface.core.errors import MissingFileError, ModelError
from morphface.core.files import atomic_write
from morphface.generate.config import GeneratorConfig, difference
from morphface.generate.generator import generator_of
from morphface.generate.networks import HeadJudges, PatchDiscriminator, PointJudge, StyleJudge
from morphface.generate.networks.backbones import BACKBONES, load_backbone
from morphface.generate.training.settings import TrainSettings

__all__ = ["JUDGES", "TrainState", "load_state", "new_state", "save_state"]

JUDGES: dict[str, Callable[[GeneratorConfig], nn.Module]] = {
    "dvp": PatchDiscriminator,
    "headgan": HeadJudges,
    "conr": lambda config: HeadJudges(config.replace(width=config.width // 2)),
    "dagan": PointJudge,
    "lia": StyleJudge,
    "depth": lambda _: nn.Identity(),
    "implicit": lambda _: nn.Identity(),
}
"""What judges the frames of each kind of generator; nothing does depth or an implicit head."""
_EYES = ("vgg19", "efficientnet_lite0")
"""Whose features serve the perceptual term, the first whose weights are at hand."""


@dataclass(eq=False)
class TrainState:
    """What changes in a run.

    Args:
        generator: is trained.
        judge: the discriminator.
        mean: the generator with the running mean of weights.
        makers: the generator's optimiser.
        judges: the discriminator's optimiser.
        step: how many steps were made.
        eyes: the network whose features the perceptual term compares; None without that term.
    """

    generator: nn.Module
    judge: nn.Module
    mean: nn.Module
    makers: torch.optim.Optimizer
    judges: torch.optim.Optimizer
    step: int = 0
    eyes: nn.Module | None = None

    def average(self, generator: nn.Module, decay: float) -> None:
        """Move the mean weights towards those of `generator`; running statistics are taken over.

        The decay is smaller in the first steps, so that fresh weights are soon forgotten.

        Args:
            generator: as it is now.
            decay: share of the mean that stays.
        """
        decay = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            pairs = zip(self.mean.parameters(), generator.parameters(), strict=True)
            for mean, now in pairs:
                mean.lerp_(now, 1 - decay)
            for kept, statistic in zip(self.mean.buffers(), generator.buffers(), strict=True):
                kept.copy_(statistic)


def new_state(config: GeneratorConfig, settings: TrainSettings) -> TrainState:
    """A run before its first step; weights follow from the seed.

    Args:
        config: of the generator.
        settings: of the run.

    Raises:
        MissingFileError: the perceptual term is asked for, and its weights are not here.
        ModelError: those weights are none of that network.
    """
    torch.manual_seed(settings.seed)
    generator, judge = generator_of(config), JUDGES[config.kind](config)
    mean = copy.deepcopy(generator).eval().requires_grad_(False)
    makers, judges = (
        torch.optim.Adam(
            [{"params": list(network.parameters())}], lr=settings.rate, betas=settings.betas
        )
        for network in (generator, judge)
    )
    return TrainState(generator, judge, mean, makers, judges, eyes=_eyes(settings))


def _eyes(settings: TrainSettings) -> nn.Module | None:
    """The network of the perceptual term, if there is one."""
    if not settings.vgg:
        return None
    if settings.eyes != "auto":
        return load_backbone(settings.eyes, settings.vgg_weights)
    here = (name for name in _EYES if name in BACKBONES and BACKBONES[name].file.find())
    found = next(here, None)
    return None if found is None else load_backbone(found)


def save_state(path: Path, state: TrainState, config: GeneratorConfig) -> None:
    """Write all of a run, whole or not at all.

    Args:
        path: the file to write or replace.
        state: with networks that are not wrapped for several processes.
        config: of the generator.

    Raises:
        OutputError: the file cannot be written there.
    """
    parts = {name: part.state_dict() for name, part in _parts(state).items()}
    with atomic_write(path) as temporary:
        torch.save({**parts, "step": state.step, "config": config.to_json()}, temporary)


def load_state(path: Path, state: TrainState, config: GeneratorConfig) -> None:
    """Go on where a run was saved; `state` is changed in place.

    Args:
        path: what `save_state` wrote. Only tensors and plain values are read from it.
        state: of the same networks, not yet wrapped.
        config: of the generator.

    Raises:
        MissingFileError: there is no such file.
        ModelError: the file is damaged, or of another generator.
    """
    if not path.is_file():
        raise MissingFileError(f"there is no run to resume at {path.parent}")
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        made = GeneratorConfig.from_json(saved["config"])
    except Exception as error:  # torch names no class for what a damaged file may raise
        raise ModelError(f"{path} is damaged: {type(error).__name__}") from error
    if made != config:
        raise ModelError(f"{path.parent} trains another generator: {difference(made, config)}")
    for name, part in _parts(state).items():
        part.load_state_dict(saved[name])
    state.step = saved["step"]


def _parts(state: TrainState) -> dict[str, Any]:
    return {
        "generator": state.generator,
        "judge": state.judge,
        "mean": state.mean,
        "makers": state.makers,
        "judges": state.judges,
    }
