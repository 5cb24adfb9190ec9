"""The training loop, on one process or many: `accelerate` decides which by how it was launched."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import (
    MissingDependencyError,
    ModelError,
    OutputError,
    ParameterError,
)
from morphface.core.files import atomic_write
from morphface.generate.checkpoint import load_generator, save_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.fast import has_bfloat16
from morphface.generate.networks import FaceDepth
from morphface.generate.training.batches import Share, frames_of_takes, windows_of_clips
from morphface.generate.training.depth import depth_step, films_of_takes
from morphface.generate.training.implicit import implicit_step, points_of_pictures
from morphface.generate.training.journal import Journal
from morphface.generate.training.memory import free_memory, memory_needed
from morphface.generate.training.one_shot import one_shot_step
from morphface.generate.training.settings import TrainSettings
from morphface.generate.training.state import TrainState, load_state, new_state, save_state
from morphface.generate.training.step import Hands, train_step

__all__ = ["Observer", "train_generator"]

STATE, GENERATOR, SETTINGS = "state.pt", "generator.safetensors", "settings.json"
_MEASURED = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lesson:
    """How a kind of generator is trained.

    Args:
        batches: what each step is given, of the data of a run.
        step: makes one.
    """

    batches: Callable[[Any, TrainSettings, Share], Iterator[Any]]
    step: Callable[[TrainState, Any, TrainSettings, Hands], dict[str, Tensor]]


LESSONS = {
    "dvp": Lesson(windows_of_clips, train_step),
    "headgan": Lesson(frames_of_takes, one_shot_step),
    "conr": Lesson(frames_of_takes, one_shot_step),
    "dagan": Lesson(frames_of_takes, one_shot_step),
    "lia": Lesson(frames_of_takes, one_shot_step),
    "depth": Lesson(films_of_takes, depth_step),
    "implicit": Lesson(points_of_pictures, implicit_step),
}
"""By kind of generator."""
_GIB = 1 << 30


@dataclass(frozen=True, eq=False)
class Observer:
    """What looks at a run from outside.

    Args:
        tell: is told in a few words how it goes.
        validate: metrics of a generator, by name.
        preview: a picture of what a generator makes.
        after: is called with the step and its losses after each step.
        begin: is called once, when all is checked and the run has its folder.
    """

    tell: Callable[[str], None] = lambda _: None
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    preview: Callable[[nn.Module], Float[Tensor, "H W 3"]] | None = None
    after: Callable[[int, dict[str, Tensor]], None] = lambda *_: None
    begin: Callable[[], object] = lambda: None


def train_generator(
    config: GeneratorConfig,
    windows: Any,
    run: str | Path,
    *,
    settings: TrainSettings | None = None,
    resume: bool = False,
    observer: Observer | None = None,
    workers: int = 0,
    force: bool = False,
    start: str | Path | None = None,
    depth: str | Path | None = None,
) -> nn.Module:
    """Train a generator; the folder of the run holds all that is needed to go on.

    Launched by `accelerate launch`, it runs on as many GPUs and machines as that says; the batch
    is shared among them. Statistics of batch norm are those of each process; instance norm makes
    the number of processes irrelevant. A run that was killed goes on from its last checkpoint
    with `resume`, and makes the same steps as if it had not been.

    Args:
        config: of the generator.
        windows: for a dvp generator a torch dataset of `window` and `frame`, in [-1, 1] or as
            bytes; for a one-shot generator `Takes`; for an implicit head a `ProbeSource`.
        run: the folder; made if it is missing.
        settings: how to train; None takes the defaults.
        resume: go on where the folder says.
        observer: looks at the run.
        workers: processes that read windows, for each process that trains.
        force: begin even if it will not fit into memory.
        start: a trained generator of the same configuration, whose weights are the first.
        depth: a trained depth network for a generator that learned depth guides; it stays as it is.

    Returns:
        The generator with the mean weights, on the CPU, ready for use.

    Raises:
        MissingDependencyError: accelerate is not installed.
        ParameterError: the batch cannot be shared by the processes, or it will not fit into memory.
        OutputError: the folder holds a run and `resume` was not asked for, or cannot be written.
        MissingFileError: there is nothing to resume, or to start with.
        ModelError: the run, what it starts with, or what reads depth, is another generator.
    """
    settings, observer = settings or TrainSettings(), observer or Observer()
    accelerator = _accelerator(settings)
    _check_free(Path(run), resume)
    _compare_memory(config, settings, accelerator, observer, force=force)
    state = new_state(config, settings)
    if start is not None:
        _begin(state, load_generator(start, wanted=config))
    folder = _opened(Path(run), settings, resume=resume, leads=accelerator.is_main_process)
    if depth is not None:
        _look_through(state, load_generator(depth))
    if resume:
        load_state(folder / STATE, state, config)
    if accelerator.is_main_process:
        observer.begin()
    _place(state, accelerator)
    journal = Journal(folder, state.step) if accelerator.is_main_process else None
    training = _Training(config, state, settings, observer, accelerator, journal, folder)
    try:
        training.go(windows, workers)
    finally:
        if journal is not None:
            journal.close()
    return state.mean.cpu().eval()


@dataclass(eq=False)
class _Training:
    """A run while it runs; `journal` is None in all processes but one."""

    config: GeneratorConfig
    state: TrainState
    settings: TrainSettings
    observer: Observer
    accelerator: Any
    journal: Journal | None
    folder: Path

    def go(self, windows: Any, workers: int) -> None:
        """Make the steps that are left."""
        accelerator, lesson = self.accelerator, LESSONS[self.config.kind]
        hands = Hands(accelerator.backward, accelerator.unwrap_model)
        share = Share(
            self.state.step,
            accelerator.device,
            accelerator.process_index,
            accelerator.num_processes,
            workers,
        )
        times = []
        for batch in lesson.batches(windows, self.settings, share):
            begun = time.perf_counter()
            torch.manual_seed(self._seed())
            losses = lesson.step(self.state, batch, self.settings, hands)
            times.append(time.perf_counter() - begun)
            if len(times) == _MEASURED:
                self._estimate(median(times[_MEASURED // 4 :]))
            self._note(self.accelerator.reduce(losses, "mean"))

    def _seed(self) -> int:
        """Of this step's dropout, so that a resumed run drops what it would have dropped."""
        step = (self.settings.seed << 32) + self.state.step
        return step * self.accelerator.num_processes + self.accelerator.process_index

    def _estimate(self, seconds: float) -> None:
        left = (self.settings.steps - self.state.step) * seconds
        self.observer.tell(
            f"{seconds * 1e3:.0f} ms a step; {self.settings.steps - self.state.step} steps left, "
            f"done in about {_duration(left)}"
        )

    def _note(self, losses: dict[str, Tensor]) -> None:
        """Keep what a step gave, and now and then all of the run."""
        step = self.state.step
        self.observer.after(step, losses)
        if self.journal is not None:
            self.journal.add(step, losses)
        if step % self.settings.every == 0 or step == self.settings.steps:
            if self.journal is not None:
                self._keep(self.journal)
            self.accelerator.wait_for_everyone()

    def _keep(self, journal: Journal) -> None:
        """Checkpoint, metrics and a sample; what draws random numbers here changes no step."""
        state, mean = self.state, self.state.mean.eval()
        bare = self.accelerator.unwrap_model
        if self.observer.validate is not None:
            journal.add(state.step, self.observer.validate(mean))
        if self.observer.preview is not None:
            journal.picture(state.step, self.observer.preview(mean))
        journal.flush()
        save_generator(self.folder / GENERATOR, mean)
        unwrapped = replace(state, generator=bare(state.generator), judge=bare(state.judge))
        save_state(self.folder / STATE, unwrapped, self.config)


def _accelerator(settings: TrainSettings) -> Any:
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise MissingDependencyError(
            "training needs accelerate; run: pip install 'morphface[train]'"
        ) from error
    return Accelerator(mixed_precision=_precision(settings))


def _precision(settings: TrainSettings) -> str:
    """The one asked for; float32 in place of bfloat16 on processors that have to imitate that."""
    gpu = torch.cuda.is_available()
    if settings.precision != "bf16" or gpu or has_bfloat16(torch.device("cpu")):
        return settings.precision
    _log.warning("this processor has no bfloat16: training in float32, which is faster here")
    return "no"


def _check_free(run: Path, resume: bool) -> None:
    if not resume and (run / STATE).exists():
        raise OutputError(f"{run} holds a run; pass --resume to go on, or another folder")


def _opened(run: Path, settings: TrainSettings, *, resume: bool, leads: bool) -> Path:
    """The folder of the run, with its settings in it."""
    if leads:
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{run} cannot be made: {error.strerror}") from error
        with atomic_write(run / SETTINGS) as temporary:
            temporary.write_text(settings.to_json(), encoding="utf-8")
    return run


def _begin(state: TrainState, trained: nn.Module) -> None:
    """Take over the weights of a generator that was trained."""
    for network in (state.generator, state.mean):
        network.load_state_dict(trained.state_dict())


def _look_through(state: TrainState, trained: nn.Module) -> None:
    """Take over the network that reads depth.

    Raises:
        ModelError: it is none, or of another size.
    """
    weights = trained.sight.state_dict() if isinstance(trained, FaceDepth) else {}
    try:
        for network in (state.generator, state.mean):
            network.sight.load_state_dict(weights)  # type: ignore[union-attr]
    except RuntimeError as error:
        raise ModelError(
            "depth must be a run of `morphface train depth` of the same resolution and width"
        ) from error


def _place(state: TrainState, accelerator: Any) -> None:
    """Move everything to where it is trained, wrapped for several processes if there are."""
    state.mean.to(accelerator.device)
    if state.eyes is not None:
        state.eyes.to(accelerator.device)
    state.generator, state.judge, state.makers, state.judges = accelerator.prepare(
        state.generator, state.judge, state.makers, state.judges
    )


def _compare_memory(
    config: GeneratorConfig,
    settings: TrainSettings,
    accelerator: Any,
    observer: Observer,
    *,
    force: bool = False,
) -> None:
    """Refuse a run that will not fit, before anything of it is begun.

    Raises:
        ParameterError: it needs more memory than is free, and `force` is not set.
    """
    needed = memory_needed(config, settings, accelerator.num_processes)
    free = free_memory(accelerator.device)
    if accelerator.device.type == "cpu":
        needed *= accelerator.num_processes  # which share the machine
    if free is None or needed <= free:
        return
    words = (
        f"training needs about {needed / _GIB:.1f} GiB, {free / _GIB:.1f} GiB are free; a smaller "
        "batch, resolution or width needs less"
    )
    if not force:
        raise ParameterError(f"{words}; --force (force=True) begins it all the same")
    if accelerator.is_main_process:
        observer.tell(f"warning: {words}")


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
