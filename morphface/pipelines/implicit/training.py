"""Rendered people in, a trained implicit head out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from morphface.core.errors import ParameterError
from morphface.generate.checkpoint import read_config
from morphface.generate.generator import config_of
from morphface.generate.implicit import Probes
from morphface.generate.training import USUAL_SETTINGS, Observer, TrainSettings, train_generator
from morphface.generate.training.journal import read_journal
from morphface.generate.training.loop import GENERATOR
from morphface.pipelines.oneshot.training import HELD_OUT
from morphface.synthetic import SyntheticHeads

__all__ = ["train_implicit"]

MEASURES = ("validation_iou", "validation_right")


def train_implicit(
    run: str | Path,
    *,
    dataset: str | Path | None = None,
    settings: TrainSettings | None = None,
    resume: bool = False,
    start: str | Path | None = None,
    validated: int = 16,
    workers: int = 0,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    after: Callable[[int, dict[str, Tensor]], None] = lambda *_: None,
    **options: Any,
) -> dict[str, float]:
    """Train the networks of an implicit head with rendered people, whose surfaces are known.

    Args:
        run: the folder of the run; made if it is missing.
        dataset: must be None: no dataset of photos has surfaces.
        settings: of the training; None takes the usual ones.
        resume: go on with the run that the folder holds.
        start: a run whose weights are the first.
        validated: how many pictures of people who are held out to validate with.
        workers: processes that draw people.
        force: begin even if it will not fit into memory.
        tell: is told in a few words how it goes.
        after: is called with the step and its losses after each step.
        options: fields of `GeneratorConfig`; None counts as not given.

    Returns:
        Intersection over union of what is inside, and the share of points that are right, for
        people who were held out.

    Raises:
        ParameterError: there is a dataset.
        MorphfaceError: the subclass and its message say what is wrong.
    """
    if dataset is not None:
        raise ParameterError(
            "implicit learns from rendered people, whose surfaces are known; leave DATASET out"
        )
    run, settings = Path(run), settings or USUAL_SETTINGS["implicit"]
    given = {name: value for name, value in options.items() if value is not None}
    config = config_of("implicit", **given)
    known = run if resume and (run / GENERATOR).is_file() else start
    if known is not None:
        config = read_config(Path(known) / GENERATOR).replace(**given)
    size, maps = config.resolution, config.maps
    people, others = (
        SyntheticHeads(seed, size, points=settings.points, maps=maps)
        for seed in (settings.seed, settings.seed + HELD_OUT)
    )
    check = [others.probes(number) for number in range(validated)]
    tell(f"endless people to train with, {len(check)} pictures to validate with")
    observer = Observer(tell=tell, validate=lambda made: _validate(made, check), after=after)
    first = None if start is None or resume else Path(start) / GENERATOR
    train_generator(
        config,
        people,
        run,
        settings=settings,
        resume=resume,
        observer=observer,
        workers=workers,
        force=force,
        start=first,
    )
    last = [entry for entry in read_journal(run) if any(name in entry for name in MEASURES)]
    return {name: last[-1][name] for name in MEASURES} if last else {}


@torch.no_grad()
def _validate(network: nn.Module, check: Sequence[Probes]) -> dict[str, float]:
    device = next(network.parameters()).device
    found = []
    for one in check:
        batch = one.to(device)
        inside = network(batch.picture, batch.places, batch.space).inside > 0.5
        both = (inside & batch.inside).sum() / (inside | batch.inside).sum().clamp(min=1)
        found.append(torch.stack([both, (inside == batch.inside).float().mean()]))
    return dict(zip(MEASURES, torch.stack(found).mean(0).tolist(), strict=True))
