"""Takes of many people in, a trained one-shot generator out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import ParameterError
from morphface.evaluate import l1, psnr, ssim
from morphface.generate.bridge import BRIDGE, save_bridge
from morphface.generate.checkpoint import load_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.generator import config_of
from morphface.generate.needs import check_photos, needs_of
from morphface.generate.networks.warp import warped
from morphface.generate.take import Take, Takes, stacked_takes
from morphface.generate.training import USUAL_SETTINGS, Observer, TrainSettings, train_generator
from morphface.generate.training.loop import GENERATOR, STATE
from morphface.models import load_model
from morphface.pipelines.begun import begun_config, last_measures
from morphface.pipelines.oneshot.bridging import Posed, best_found, bridge_of
from morphface.pipelines.oneshot.depths import depth_before
from morphface.pipelines.oneshot.mixed import MixedTakes
from morphface.render.points import NUMBERS
from morphface.synthetic import SyntheticPeople

__all__ = ["train_one_shot"]

MEASURES = {"validation_l1": l1, "validation_psnr": psnr, "validation_ssim": ssim}
HELD_OUT = 1 << 20
"""Added to the seed of synthetic people, it gives others, who are validated."""
_VALIDATED = 32
_BRIDGED = 240
"""Frames of which a bridge is made: a few for each of the 59 parameters with names."""
_SHOWN = 8


def train_one_shot(
    dataset: str | Path | None,
    run: str | Path,
    *,
    kind: str = "headgan",
    synthetic: bool = False,
    settings: TrainSettings | None = None,
    resume: bool = False,
    start: str | Path | None = None,
    validation: float = 0.2,
    workers: int = 0,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    after: Callable[[int, dict[str, Tensor]], None] = lambda *_: None,
    **options: Any,
) -> dict[str, float]:
    """Train a generator that makes anybody's frames from a photo.

    Args:
        dataset: the folder that `morphface prepare --corpus` wrote; None for synthetic people
            alone.
        run: the folder of the run; made if it is missing.
        kind: of generator.
        synthetic: train with rendered people, in turn with the dataset if there is one.
        settings: of the training; None takes those of the kind.
        resume: go on with the run that the folder holds.
        start: a run whose weights are the first, such as one that was trained on synthetic people.
        validation: share of the dataset to validate with.
        workers: processes that make takes.
        force: begin even if it will not fit into memory.
        tell: is told in a few words how it goes.
        after: is called with the step and its losses after each step.
        options: fields of `GeneratorConfig`; None counts as not given.

    Returns:
        Metrics of the trained generator on people, or frames, that were held out.

    Raises:
        ParameterError: there is neither a dataset nor synthetic people.
        MorphfaceError: the subclass and its message say what is wrong.
    """
    run, settings = Path(run), settings or USUAL_SETTINGS[kind]
    given = {name: value for name, value in options.items() if value is not None}
    config = config_of(kind, **_fusing(kind, settings.photos) | given)
    config = begun_config(config, run, start, resume=resume, given=given)
    _check_points(config)
    takes, held = _sources(dataset, config, settings, synthetic, validation)
    check = _held(held)
    tell(_words(takes, check))
    observer = Observer(
        tell=tell,
        validate=(lambda made: _validate(made, check)) if check else None,
        preview=(lambda made: _preview(made, check[:_SHOWN])) if check else None,
        after=after,
    )
    first = None if start is None or resume else Path(start) / GENERATOR
    depth = None
    if config.depth == "learned" and first is None and not (run / STATE).is_file():
        how: dict[str, Any] = {"synthetic": synthetic, "workers": workers, "force": force}
        depth, resume = depth_before(run, dataset, config, settings, tell=tell, **how), False
    train_generator(
        config,
        takes,
        run,
        settings=settings,
        resume=resume,
        observer=observer,
        workers=workers,
        force=force,
        start=first,
        depth=depth,
    )
    bridged = {} if not needs_of(config).driving else _bridged(run, held or takes, settings, tell)
    return last_measures(run, tuple(MEASURES)) | bridged


def _check_points(config: GeneratorConfig) -> None:
    """Refuse key points that would be found with a depth that frames of a driver have not."""
    if config.keypoints == "learned" and config.depth == "raster":
        raise ParameterError(
            "key points are found in frames by their depth, too, and the rasterizer has none of "
            "frames that are not fitted: with --keypoints learned use --depth learned"
        )


def _bridged(
    run: Path, people: Takes, settings: TrainSettings, tell: Callable[[str], None]
) -> dict[str, float]:
    """Write the bridge of a trained generator; how well it finds some parameters again."""
    if not isinstance(people, Posed):
        tell("no bridge to parameters with names: those of what it was trained with are not known")
        return {}
    model = load_model()
    made = load_generator(run / GENERATOR)
    config: GeneratorConfig = made.config  # type: ignore[assignment]  # of every generator
    taught = config.kind == "lia" and settings.named > 0
    bridge = bridge_of(made, people, model, _BRIDGED, taught=taught)
    save_bridge(run / BRIDGE, bridge)
    return best_found(bridge)


def _fusing(kind: str, photos: int) -> dict[str, bool]:
    """What a configuration says of several photos, unless it is told otherwise."""
    return {"fusion": True} if kind == "headgan" and photos > 1 else {}


def _sources(
    dataset: str | Path | None,
    config: GeneratorConfig,
    settings: TrainSettings,
    synthetic: bool,
    validation: float,
) -> tuple[Takes, Takes | None]:
    """What to train with, and what to validate with."""
    if dataset is None and not synthetic:
        raise ParameterError(
            "there is nothing to train with: name a DATASET that `morphface prepare --corpus` "
            "wrote, or take rendered people with --synthetic"
        )

    def people(some: int) -> Takes:
        known = dict(zip(config.style, config.style_sizes, strict=True))
        return SyntheticPeople(
            some,
            config.resolution,
            maps=config.maps,
            offsets=config.offsets,
            photos=settings.photos,
            points=known.get("points", 0) // NUMBERS,
        )

    check_photos(config.kind, settings.photos)
    seed = settings.seed
    if dataset is None:
        return people(seed), people(seed + HELD_OUT)
    from morphface.pipelines.oneshot.dataset import open_takes

    takes, held = open_takes(dataset, config, validation=validation, photos=settings.photos)
    return (MixedTakes(takes, people(seed)) if synthetic else takes), held


def _words(takes: Takes, check: Sequence[Take]) -> str:
    count = "endless" if takes.count is None else str(takes.count)
    return f"{count} takes to train with, {len(check)} to validate with"


def _held(takes: Takes | None) -> list[Take]:
    """Some takes to validate with, spread over all of them."""
    if takes is None:
        return []
    if takes.count is None:
        return [takes.take(number, 1) for number in range(_VALIDATED)]
    count = min(takes.count, _VALIDATED)
    return [takes.take(place * takes.count // count, 1) for place in range(count)]


def _shown(picture: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B H W 3"]:
    return picture.float().cpu().permute(0, 2, 3, 1).div(2).add(0.5).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class _Looked:
    """Takes, and what a generator makes of them, from 0 to 1."""

    photo: Float[Tensor, "B H W 3"]
    moved: Float[Tensor, "B H W 3"]
    made: Float[Tensor, "B H W 3"]
    true: Float[Tensor, "B H W 3"]


def _look(generator: nn.Module, takes: Sequence[Take]) -> _Looked:
    device = next(generator.parameters()).device
    config: GeneratorConfig = generator.config  # type: ignore[assignment]  # of every generator
    driving, parts = needs_of(config).driving, []
    for take in takes:
        batch = stacked_takes([take]).to(device)
        reference = batch.references[0]
        style = batch.style if batch.style.shape[1] else None
        driven = {"driving": batch.frame} if driving else {}
        with torch.no_grad():
            made = generator(batch.window, batch.references, style, **driven)
        moved = warped(reference.photo, reference.flow)
        parts.append([_shown(some) for some in (reference.photo, moved, made, batch.frame)])
    return _Looked(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _validate(generator: nn.Module, takes: Sequence[Take]) -> dict[str, float]:
    """Measures of what is made; beside it the PSNR of the photo, and of it moved by the prior."""
    seen = _look(generator, takes)
    found = {name: measure(seen.made, seen.true) for name, measure in MEASURES.items()}
    found |= {"photo_psnr": psnr(seen.photo, seen.true), "moved_psnr": psnr(seen.moved, seen.true)}
    return {name: round(float(value.mean()), 5) for name, value in found.items()}


def _preview(generator: nn.Module, takes: Sequence[Take]) -> Float[Tensor, "H W 3"]:
    """A row for each take: the photo, moved by the prior, what was made of it, what it was."""
    seen = _look(generator, takes)
    return torch.cat([seen.photo, seen.moved, seen.made, seen.true], dim=2).flatten(0, 1)
