"""Rendered people in, a trained implicit head out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from morphface.core.errors import ParameterError
from morphface.generate.generator import config_of
from morphface.generate.implicit import Probes
from morphface.generate.training import USUAL_SETTINGS, Observer, TrainSettings, train_generator
from morphface.generate.training.loop import GENERATOR
from morphface.pipelines.begun import begun_config, last_measures
from morphface.pipelines.oneshot.training import HELD_OUT
from morphface.synthetic import SyntheticHeads

__all__ = ["train_implicit"]

MEASURES = ("validation_iou", "validation_right")


def train_implicit(
    run: str | Path,
    *,
    dataset: str | Path | None = None,
    start: str | Path | None = None,
    settings: TrainSettings | None = None,
    observer: Observer | None = None,
    validated: int = 16,
    how: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, float]:
    """Train the networks of an implicit head with rendered people, whose surfaces are known.

    Args:
        run: the folder of the run; made if it is missing.
        dataset: must be None: no dataset of photos has surfaces.
        start: a run whose weights are the first.
        settings: of the training; None takes the usual ones.
        observer: looks at the run; what it validates with is replaced.
        validated: how many pictures of people who are held out to validate with.
        how: other arguments of `train_generator`: `resume`, `workers` and `force`.
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
    run, settings, how = Path(run), settings or USUAL_SETTINGS["implicit"], dict(how or {})
    given = {name: value for name, value in options.items() if value is not None}
    resume, usual = how.get("resume", False), config_of("implicit", **given)
    config = begun_config(usual, run, start, resume=resume, given=given)
    people, others = (
        SyntheticHeads(seed, config.resolution, points=settings.points, maps=config.maps)
        for seed in (settings.seed, settings.seed + HELD_OUT)
    )
    check = [others.probes(number) for number in range(validated)]
    watch = replace(observer or Observer(), validate=lambda made: _validate(made, check))
    watch.tell(f"endless people to train with, {len(check)} pictures to validate with")
    if start is not None and not resume:
        how["start"] = Path(start) / GENERATOR
    train_generator(config, people, run, settings=settings, observer=watch, **how)
    return last_measures(run, MEASURES)


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
