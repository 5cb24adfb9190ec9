"""A prepared dataset in, a trained generator out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.files import atomic_write
from morphface.evaluate import l1, psnr, ssim
from morphface.generate.checkpoint import read_config
from morphface.generate.config import GeneratorConfig
from morphface.generate.needs import check_photos
from morphface.generate.training import (
    USUAL_SETTINGS,
    Observer,
    TrainSettings,
    train_generator,
)
from morphface.generate.training.loop import GENERATOR, SETTINGS
from morphface.generate.training.samples import Samples, split_in_time
from morphface.generate.windows import ConditioningWindows, to_signed
from morphface.media.shards import ShardFolder, open_shards
from morphface.pipelines.begun import last_measures
from morphface.pipelines.reenact.target import SOURCE, write_target
from morphface.pipelines.revisions import check_dataset
from morphface.render.maps import LABELS

__all__ = ["SOURCE", "read_settings", "train_on_dataset"]

MEASURES = {"validation_l1": l1, "validation_psnr": psnr, "validation_ssim": ssim}
MOUTH = ("lips", "mouth", "teeth", "tongue")
_VALIDATED = 48
_SHOWN = 4


def train_on_dataset(
    dataset: str | Path,
    run: str | Path,
    *,
    kind: str = "dvp",
    settings: TrainSettings | None = None,
    resume: bool = False,
    validation: float = 0.2,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    after: Callable[[int, dict[str, Tensor]], None] = lambda *_: None,
    **options: Any,
) -> dict[str, float]:
    """Train a generator on the frames of one person.

    The last part of each clip is kept for validation, so that no validated frame was seen.

    Args:
        dataset: the folder that `morphface prepare` wrote.
        run: the folder of the run; made if it is missing.
        kind: of generator.
        settings: of the training.
        resume: go on with the run that the folder holds.
        validation: share of each clip, the last one, to validate with.
        force: begin even if it will not fit into memory.
        tell: is told in a few words how it goes.
        after: is called with the step and its losses after each step.
        options: fields of `GeneratorConfig`; what they leave out is as in the dataset.

    Returns:
        Metrics of the trained generator on the validated frames; none if there are none.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    settings, folder, run = settings or TrainSettings(), open_shards(dataset), Path(run)
    if settings.photos > 1:
        check_photos(kind, settings.photos)
    config = _config(folder, kind, options)
    if resume and (run / GENERATOR).is_file():
        given = {name: value for name, value in options.items() if value is not None}
        config = read_config(run / GENERATOR).replace(**given)
    check_dataset(folder, config.maps)
    windows = _windows(folder, config, config.maps)
    train, check = split_in_time(windows, validation)
    mouth = _mouth(folder, config) if settings.mouth else None
    samples = Samples(windows, train, pairs=settings.temporal > 0, mouth=mouth)
    tell(f"{len(train)} windows to train with, {len(check)} to validate with")
    if validation and not check:
        tell("nothing is validated: that takes longer clips, or a larger share (--validation)")
    chosen = _spread(check, _VALIDATED)
    observer = Observer(
        begin=lambda: write_target(run, folder, config),
        tell=tell,
        validate=(lambda made: _validate(made, windows, chosen)) if chosen else None,
        preview=lambda made: _preview(made, windows, _spread(check or train, _SHOWN)),
        after=after,
    )
    train_generator(
        config, samples, run, settings=settings, resume=resume, observer=observer, force=force
    )
    _note_source(run, folder, check)
    return last_measures(run, tuple(MEASURES)) if chosen else {}


def read_settings(
    file: Path | None, run: Path | None, wishes: dict[str, Any], kind: str = "dvp"
) -> TrainSettings:
    """Settings of a training from a file, or those of a run that is resumed, and wishes.

    Args:
        file: JSON; None takes the run's.
        run: the folder of the run; None takes the defaults.
        wishes: fields to change; those that are None stay.
        kind: of generator, whose usual settings those are that a file leaves out.

    Raises:
        MissingFileError: a file is not there.
        ParameterError: it holds no settings.
    """
    place = file or (run / SETTINGS if run else None)
    if place is not None and not place.is_file():
        raise MissingFileError(f"there are no settings of a training at {place}")
    text = "{}" if place is None else place.read_text(encoding="utf-8")
    given = {name: value for name, value in wishes.items() if value is not None}
    usual = USUAL_SETTINGS.get(kind, TrainSettings())
    return TrainSettings.from_json(text, usual).replace(**given)


def _config(folder: ShardFolder, kind: str, options: dict[str, Any]) -> GeneratorConfig:
    """The configuration that a dataset asks for, with the user's wishes in it."""
    made, windows = folder.manifest["settings"], folder.manifest["windows"]
    wanted = options.get("resolution") or made["size"]
    if wanted != made["size"]:
        raise ParameterError(
            f"resolution must be that of the dataset, {made['size']}, got {wanted}; "
            f"prepare the clip again with --size {wanted}"
        )
    maps = tuple(options.pop("maps", None) or windows["maps"])
    given = {name: value for name, value in options.items() if value is not None}
    values = {
        "kind": kind,
        "resolution": wanted,
        "maps": maps,
        "channels": tuple(windows["channels"].get(name, 3) for name in maps),
        "offsets": tuple(windows["offsets"]),
        "padding": windows["padding"],
        "model": made["model"],
    }
    return GeneratorConfig(**(values | given))


def _windows(
    folder: ShardFolder, config: GeneratorConfig, maps: Sequence[str]
) -> ConditioningWindows:
    pixels = config.resolution**2
    every = len(folder) * pixels * (3 + 3 * len(maps))  # bytes of all frames, decoded
    return ConditioningWindows(
        folder,
        offsets=config.offsets,
        maps=maps,
        padding=config.padding,
        raw=True,
        memory=max(every, 1 << 28) if every < 1 << 32 else 1 << 30,
    )


def _mouth(
    folder: ShardFolder, config: GeneratorConfig
) -> tuple[ConditioningWindows, tuple[int, ...]]:
    """Windows of the parsing map, and which of its values are the mouth."""
    parsing = _windows(folder, config.replace(offsets=(0,)), ("parsing",))
    return parsing, tuple(LABELS.index(name) for name in MOUTH)


def _spread(numbers: Sequence[int], count: int) -> list[int]:
    """At most `count` of them, evenly spread."""
    if not numbers:
        return []
    places = torch.linspace(0, len(numbers) - 1, min(count, len(numbers))).round().long()
    return [numbers[place] for place in places.tolist()]


def _made(
    generator: nn.Module, windows: ConditioningWindows, chosen: Sequence[int]
) -> tuple[Float[Tensor, "T H W 3"], Float[Tensor, "T H W 3"], Float[Tensor, "T C H W"]]:
    """Frames that were made, the true ones in [0, 1], and the windows."""
    device = next(generator.parameters()).device
    made, true, given = [], [], []
    with torch.no_grad():
        for number in chosen:
            sample = windows[number]
            window = to_signed(sample["window"])
            frame = generator(window[None].to(device))[0].float().cpu()
            made.append(frame.permute(1, 2, 0) / 2 + 0.5)
            true.append(sample["frame"].permute(1, 2, 0) / 255)
            given.append(window)
    return torch.stack(made), torch.stack(true), torch.stack(given)


def _validate(
    generator: nn.Module, windows: ConditioningWindows, chosen: Sequence[int]
) -> dict[str, float]:
    made, true, _ = _made(generator, windows, chosen)
    return {name: round(float(measure(made, true).mean()), 5) for name, measure in MEASURES.items()}


def _preview(
    generator: nn.Module, windows: ConditioningWindows, chosen: Sequence[int]
) -> Float[Tensor, "H W 3"]:
    """A row for each frame: its first map, what was made of it, what it was."""
    made, true, given = _made(generator, windows, chosen)
    newest = given[:, -given.shape[1] // len(windows.offsets) :][:, :3].permute(0, 2, 3, 1)
    rows = torch.cat([newest / 2 + 0.5, made, true], dim=2)
    return rows.flatten(0, 1).clamp(0, 1)


def _note_source(run: Path, folder: ShardFolder, check: Sequence[int]) -> None:
    values = {
        "dataset": str(folder.path.resolve()),
        "sha256": folder.manifest["sha256"],
        "validated": [int(number) for number in check],
    }
    with atomic_write(run / SOURCE) as temporary:
        temporary.write_text(json.dumps(values) + "\n", encoding="utf-8")
