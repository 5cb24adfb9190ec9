"""Depth of faces, learnt from consecutive frames: a run of its own, or a part of another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.generate.generator import config_of
from morphface.generate.take import Takes
from morphface.generate.training import USUAL_SETTINGS, Observer, TrainSettings, train_generator
from morphface.generate.training.loop import GENERATOR, SETTINGS, STATE
from morphface.pipelines.begun import begun_config, last_measures
from morphface.pipelines.oneshot.mixed import MixedTakes
from morphface.synthetic import SyntheticFilms

__all__ = ["DEPTH", "depth_before", "films_of", "train_depth"]

DEPTH = "depth"
"""The folder of the first part, in that of the run."""
MEASURES = ("photometric", "counted")


def train_depth(
    dataset: str | Path | None,
    run: str | Path,
    *,
    synthetic: bool = False,
    settings: TrainSettings | None = None,
    resume: bool = False,
    start: str | Path | None = None,
    workers: int = 0,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> dict[str, float]:
    """Train what reads depth off a picture, from consecutive frames that show how heads move.

    Args:
        dataset: the folder that `morphface prepare --corpus` wrote; None for rendered people
            alone.
        run: the folder of the run; made if it is missing.
        synthetic: train with rendered people, in turn with the dataset if there is one.
        settings: of the training; None takes the usual ones.
        resume: go on with the run that the folder holds.
        start: a run whose weights are the first.
        workers: processes that make takes.
        force: begin even if it will not fit into memory.
        tell: is told in a few words how it goes.
        options: fields of `GeneratorConfig`; None counts as not given.

    Returns:
        The last losses: how far frames that are made from their neighbours are from the true ones,
        and the share of pixels that counted.

    Raises:
        ParameterError: there is neither a dataset nor rendered people.
        MorphfaceError: the subclass and its message say what is wrong.
    """
    run, settings = Path(run), settings or USUAL_SETTINGS["depth"]
    given = {name: value for name, value in options.items() if value is not None}
    usual = config_of("depth", **given)
    config = begun_config(usual, run, start, resume=resume, given=given)
    train_generator(
        config,
        films_of(dataset, config, settings.seed, synthetic=synthetic),
        run,
        settings=settings,
        resume=resume,
        observer=Observer(tell=tell),
        workers=workers,
        force=force,
        start=None if start is None or resume else Path(start) / GENERATOR,
    )
    return last_measures(run, MEASURES)


def depth_before(
    run: Path,
    dataset: str | Path | None,
    config: GeneratorConfig,
    settings: TrainSettings,
    *,
    synthetic: bool,
    tell: Callable[[str], None],
    **how: Any,
) -> Path:
    """Weights of what reads depth for a generator: what its folder has, learnt before if it is not.

    Args:
        run: folder of the generator's run; depth lies in `DEPTH` within it.
        dataset: of the run.
        config: of the generator, whose resolution and width depth has, too.
        settings: of the generator; depth has the usual ones, but no more steps, and the seed.
        synthetic: of the run.
        tell: is told in a few words how it goes.
        how: other arguments of `train_depth`: `workers` and `force`.
    """
    folder = run / DEPTH
    if (folder / GENERATOR).is_file() and not (folder / STATE).is_file():
        return folder / GENERATOR  # weights that were put there
    tell(f"depth first, in {folder}/")
    usual = USUAL_SETTINGS["depth"]
    own = usual.replace(steps=min(usual.steps, settings.steps), seed=settings.seed)
    begun = (folder / STATE).is_file()
    if begun:
        own = TrainSettings.from_json((folder / SETTINGS).read_text(encoding="utf-8"))
    parts: dict[str, Any] = {"synthetic": synthetic, "settings": own, "tell": tell, **how}
    parts |= {"resolution": config.resolution, "width": config.width}
    train_depth(dataset, folder, resume=begun, **parts)
    return folder / GENERATOR


def films_of(
    dataset: str | Path | None, config: GeneratorConfig, seed: int, *, synthetic: bool
) -> Takes:
    """What depth is learnt from.

    Args:
        dataset: a corpus, or None.
        config: of the kind "depth".
        seed: of rendered people.
        synthetic: whether there are any.

    Raises:
        ParameterError: there is neither.
    """
    people = SyntheticFilms(seed, config.resolution) if synthetic else None
    if dataset is None:
        if people is None:
            raise ParameterError(
                "there is nothing to learn depth from: name a DATASET that `morphface prepare "
                "--corpus` wrote, or take rendered people with --synthetic"
            )
        return people
    from morphface.pipelines.oneshot.dataset import open_takes

    takes = open_takes(dataset, config, validation=0.0)[0]
    return takes if people is None else MixedTakes(takes, people)
