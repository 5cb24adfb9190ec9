"""What a training of parts may be told."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from morphface.core.errors import MissingFileError, ParameterError
from morphface.landmarks.parts.network import STRIDE, PartsConfig

__all__ = ["PartsSettings", "read_parts_settings"]


@dataclass(frozen=True)
class PartsSettings:
    """How a network of parts is trained.

    Args:
        network: what it is like.
        steps: of the optimiser.
        batch: crowds in a step.
        rate: of Adam at its highest; it rises over the first twentieth of the steps and falls to
            nothing along a cosine.
        size: side of the pictures in pixels, a multiple of `STRIDE`.
        heads: that are rendered, which the crowds are made of.
        held: heads of other people, which the crowds that are validated with are made of.
        emphasis: how much more cells count on which there is something: without it the network
            long says that there is nothing anywhere.
        seed: of weights, heads and crowds.
        every: steps between checkpoints.

    Raises:
        ParameterError: a value makes no sense.
    """

    network: PartsConfig = field(default_factory=PartsConfig)
    steps: int = 1600
    batch: int = 8
    rate: float = 2e-3
    size: int = 192
    heads: int = 540
    held: int = 96
    emphasis: float = 6.0
    seed: int = 1
    every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "heads", "held", "every"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ParameterError(f"{name} must be a whole number from 1, got {value!r}")
        if self.size < 64 or self.size % STRIDE:
            raise ParameterError(f"size must be a multiple of {STRIDE} from 64, got {self.size}")
        if not self.rate > 0 or not self.emphasis >= 0:
            raise ParameterError("rate must be above 0 and emphasis not below it")

    def to_json(self) -> str:
        """As it stands in the folder of a run."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_parts_settings(
    file: Path | None, run: Path | None, wishes: dict[str, Any]
) -> PartsSettings:
    """Settings from a file, or those of a run that is resumed, and wishes.

    Args:
        file: JSON; None takes the run's.
        run: the folder of the run; None takes the defaults.
        wishes: fields to change; those that are None stay.

    Raises:
        MissingFileError: a file is not there.
        ParameterError: it holds no settings.
    """
    place = file or (run / "settings.json" if run else None)
    if place is not None and not place.is_file():
        raise MissingFileError(f"there are no settings of a training at {place}")
    try:
        values = {} if place is None else json.loads(place.read_text(encoding="utf-8"))
        known = {each.name for each in fields(PartsSettings)}
        if not isinstance(values, dict) or not set(values) <= known:
            raise ValueError(values)
    except ValueError as error:
        raise ParameterError(f"{place} holds no settings of a training of parts") from error
    if "network" in values:
        values["network"] = PartsConfig.from_json(json.dumps(values["network"]))
    return PartsSettings(**(values | {k: v for k, v in wishes.items() if v is not None}))
