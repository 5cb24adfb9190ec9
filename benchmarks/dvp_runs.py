"""The clip, its datasets and the runs that `bench_dvp` needs; what is finished is used again."""

import json
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.clips import FOLDER, HEAD
from morphface.generate.checkpoint import read_config
from morphface.generate.training import TrainSettings
from morphface.pipelines.prepare import PrepareSettings, prepare
from morphface.pipelines.training import train_on_dataset
from morphface.render.maps import DVP

CONFIGS = Path(__file__).parent / "configs"
WIDTH = 32
WINDOW = 11
MINUTES = "minutes.json"


@dataclass(frozen=True)
class Plan:
    """A training run.

    Args:
        name: of its folder, and in the table.
        size: of the dataset in pixels.
        maps: that the network sees.
        window: how many frames.
        config: file of settings.
        changes: of these settings.
    """

    name: str
    size: int = 64
    maps: tuple[str, ...] = DVP
    window: int = WINDOW
    config: str = "dvp_webcam_64.json"
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> TrainSettings:
        """Of the training."""
        text = (CONFIGS / self.config).read_text(encoding="utf-8")
        return TrainSettings.from_json(text).replace(**self.changes)

    @property
    def setting(self) -> dict[str, Any]:
        """What a row says of it."""
        made = self.settings
        return {
            "resolution": self.size,
            "width": WIDTH,
            "maps": list(self.maps),
            "window": self.window,
            **{name: getattr(made, name) for name in ("steps", "batch", "ema", "precision")},
        }


MAIN = Plan("run128", 128, config="dvp_webcam_128.json")
ABLATIONS = (
    Plan("all"),
    Plan("window_1", window=1),
    *(Plan(f"without_{name}", maps=tuple(m for m in DVP if m != name)) for name in DVP),
    *(Plan(f"only_{name}", maps=(name,)) for name in DVP),
)


def clip() -> Path:
    """The clip, or an end that says where it should lie."""
    path = FOLDER / HEAD
    if not path.is_file():
        raise SystemExit(f"there is no clip at {path}; set MORPHFACE_TEST_DATA to its folder")
    return path


def dataset(work: Path, size: int) -> Path:
    """The clip prepared with the three maps."""
    folder = work / f"d{size}"
    if not (folder / "manifest.json").is_file():
        print(f"preparing {folder}", flush=True)
        prepare([clip()], folder, PrepareSettings(maps=DVP, size=size))
    return folder


def trained(work: Path, plan: Plan) -> Path:
    """The folder of a finished run; it is begun, or gone on with, if it must."""
    run, settings = work / plan.name, plan.settings
    if steps_of(run) < settings.steps:
        print(f"training {plan.name}: {plan.setting}", flush=True)
        begun, before = time.perf_counter(), minutes_of(run) or 0
        train_on_dataset(
            dataset(work, plan.size),
            run,
            settings=settings,
            resume=(run / "state.pt").is_file(),
            tell=partial(print, flush=True),
            maps=plan.maps,
            offsets=tuple(range(1 - plan.window, 1)),
            width=WIDTH,
        )
        minutes = round(before + (time.perf_counter() - begun) / 60, 1)
        (run / MINUTES).write_text(json.dumps(minutes), encoding="utf-8")
    config = read_config(run / "generator.safetensors")
    if (config.maps, len(config.offsets), config.width) != (plan.maps, plan.window, WIDTH):
        raise SystemExit(f"{run} is a run of something else; remove it, or use another folder")
    return run


def steps_of(run: Path) -> int:
    """How many steps a run has saved."""
    if not (run / "state.pt").is_file():
        return 0
    return int(torch.load(run / "state.pt", mmap=True, weights_only=True)["step"])


def minutes_of(run: Path) -> float | None:
    """Wall time of a run's training, validations and all; None where nobody took it."""
    path = run / MINUTES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def validated(run: Path) -> list[int]:
    """Numbers of the frames that a run has kept for validation."""
    return json.loads((run / "source.json").read_text(encoding="utf-8"))["validated"]
