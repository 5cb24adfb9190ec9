"""Rendered heads in, a trained network of parts out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import MissingFileError, ModelError, OutputError
from morphface.core.files import atomic_write
from morphface.generate.fast import has_bfloat16
from morphface.generate.training.journal import Journal
from morphface.landmarks.parts.files import NAME, load_parts, save_parts
from morphface.landmarks.parts.graph import face_graph
from morphface.landmarks.parts.network import PartsNetwork
from morphface.models import load_model
from morphface.pipelines.parts.lesson import batch_of, know_mean_head, parts_losses, rate_at
from morphface.pipelines.parts.settings import PartsSettings
from morphface.pipelines.parts.validation import validate
from morphface.synthetic.crowds.crowd import Crowds
from morphface.synthetic.crowds.heads import HeadBank, load_heads, render_heads, save_heads

__all__ = ["heads_of", "train_network", "train_parts"]

HEADS, HELD, STATE, SETTINGS = "heads.safetensors", "held.safetensors", "state.pt", "settings.json"
HELD_OUT = 1_000_000
"""Added to the seed of a training, it gives the people who are validated with."""
SHOWN = (272, 368)
"""Height and width of the pictures of these."""
_MEASURED = 20


def heads_of(run: Path, settings: PartsSettings, *, held: bool = False) -> HeadBank:
    """The heads of a run, rendered if its folder has none.

    Args:
        run: the folder.
        settings: of the training.
        held: those that are validated with.
    """
    place = run / (HELD if held else HEADS)
    if not place.is_file():
        count, more = (settings.held, HELD_OUT) if held else (settings.heads, 0)
        save_heads(place, render_heads(count, settings.seed + more))
    return load_heads(place)


def train_parts(
    run: str | Path,
    settings: PartsSettings | None = None,
    *,
    resume: bool = False,
    start: str | Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, float]:
    """Train a network of parts on crowds of rendered people, and try it on others.

    Args:
        run: the folder of the run; made if it is missing.
        settings: of the training; None takes the defaults.
        resume: go on with the run that the folder holds.
        start: a run, or a file, whose weights are the first.
        tell: is told in a few words how it goes.

    Returns:
        What was found in crowds of people who were held out.

    Raises:
        MorphfaceError: as of `train_network`.
    """
    run, settings = Path(run), settings or PartsSettings()
    first = None if start is None else Path(start)
    network = train_network(run, settings, resume=resume, start=first, tell=tell)
    tell("finding people who were held out")
    crowds = Crowds(heads_of(run, settings, held=True), settings.seed + HELD_OUT, SHOWN)
    return validate(network.requires_grad_(False), crowds)


def train_network(
    run: Path,
    settings: PartsSettings,
    *,
    resume: bool = False,
    start: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> PartsNetwork:
    """Train a network of parts; the folder of the run holds all that is needed to go on.

    A run that was stopped goes on from its last checkpoint with `resume`, and makes the same steps
    as if it had not been.

    Args:
        run: the folder; made if it is missing.
        settings: of the training.
        resume: go on with the run that the folder holds.
        start: a run, or a file, whose weights are the first.
        tell: is told in a few words how it goes.

    Raises:
        OutputError: the folder holds a run and `resume` was not asked for, or cannot be written.
        MissingFileError: there is nothing to resume, or to start with.
        ModelError: the run trains another network.
    """
    if not resume and (run / STATE).exists():
        raise OutputError(f"{run} holds a run; pass --resume to go on, or another folder")
    training = _Training.of(settings, start)
    if resume:
        training.load(run / STATE)
    with atomic_write(run / SETTINGS) as temporary:
        temporary.write_text(settings.to_json(), encoding="utf-8")
    tell(f"rendering {settings.heads} heads" if not (run / HEADS).is_file() else "heads are there")
    crowds = Crowds(heads_of(run, settings), settings.seed, (settings.size, settings.size))
    journal = Journal(run, training.step)
    try:
        training.go(crowds, run, journal, tell)
    finally:
        journal.close()
    return training.network.eval()


@dataclass(eq=False)
class _Training:
    """A run while it runs."""

    settings: PartsSettings
    network: PartsNetwork
    optimiser: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def of(cls, settings: PartsSettings, start: Path | None) -> "_Training":
        """Before its first step; weights follow from the seed."""
        torch.manual_seed(settings.seed)
        network = PartsNetwork(settings.network)
        know_mean_head(network, load_model(), face_graph(settings.network.graph))
        if start is not None:
            first = load_parts(start)
            if first.config != settings.network:
                raise ModelError(f"{start} is another network than the settings ask for")
            network.load_state_dict(first.state_dict())
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(settings, network, torch.optim.Adam(network.parameters(), lr=settings.rate))

    def go(self, crowds: Crowds, run: Path, journal: Journal, tell: Callable[[str], None]) -> None:
        """Make the steps that are left."""
        settings, begun, first = self.settings, time.perf_counter(), self.step
        while self.step < settings.steps:
            journal.add(self.step + 1, self.learn(crowds))
            self.step += 1
            if self.step - first == _MEASURED:
                each = (time.perf_counter() - begun) / _MEASURED
                left = each * (settings.steps - self.step) / 60
                tell(f"{each:.2f} s a step; done in about {left:.0f} min")
            if self.step % settings.every == 0 or self.step == settings.steps:
                journal.flush()
                self.save(run)

    def learn(self, crowds: Crowds) -> dict[str, torch.Tensor]:
        """One step; the losses."""
        settings, network = self.settings, self.network.train()
        graph = face_graph(settings.network.graph)
        batch = batch_of(crowds, self.step * settings.batch, settings.batch, graph)
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)
        quick = has_bfloat16(pictures.device)
        with torch.autocast("cpu", torch.bfloat16, enabled=quick):
            reply = network(pictures)
        losses = parts_losses(reply, batch, settings.emphasis)
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate * rate_at(self.step, settings.steps)
        self.optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.optimiser.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def save(self, run: Path) -> None:
        """Write the network, and all that a resumed run needs."""
        save_parts(run / NAME, self.network)
        state: dict[str, Any] = {"step": self.step, "network": self.network.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict()}
        with atomic_write(run / STATE) as temporary:
            torch.save(state | {"config": self.settings.network.to_json()}, temporary)

    def load(self, path: Path) -> None:
        """Go on where a run was saved; only tensors and plain values are read."""
        if not path.is_file():
            raise MissingFileError(f"there is no run to resume at {path.parent}")
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            same = saved["config"] == self.settings.network.to_json()
        except Exception as error:  # torch names no class for what a damaged file may raise
            raise ModelError(f"{path} is damaged: {type(error).__name__}") from error
        if not same:
            raise ModelError(f"{path.parent} trains another network than the settings ask for")
        self.network.load_state_dict(saved["network"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step = saved["step"]
