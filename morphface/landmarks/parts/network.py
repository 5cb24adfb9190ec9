"""A small network of the published form: features, fields in two stages, then maps of the parts.

Cao et al. 2019, section 3.2: a stage is some blocks of three convolutions whose outputs are put
together, and each stage sees the features and what the stage before it said. It is smaller than
theirs: its own features instead of VGG's, batch norm, and 24 to 64 channels.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import ParameterError
from morphface.landmarks.parts.graph import GRAPHS, face_graph
from morphface.landmarks.schemes import SCHEMES

__all__ = ["STRIDE", "PartsConfig", "PartsNetwork", "Reply"]

STRIDE = 8
"""Pixels for a cell of what the network says."""


@dataclass(frozen=True)
class PartsConfig:
    """What a network of parts is like.

    Args:
        graph: name of the graph.
        features: channels at a stride of 8.
        width: channels of a convolution in a stage.
        blocks: of a stage.
        stages: of fields; one of maps follows.

    Raises:
        ParameterError: a value makes no sense.
    """

    graph: str = "face"
    features: int = 64
    width: int = 24
    blocks: int = 3
    stages: int = 2

    def __post_init__(self) -> None:
        if self.graph not in GRAPHS:
            raise ParameterError(f"graph must be one of {', '.join(GRAPHS)}, got {self.graph!r}")
        for name in ("features", "width", "blocks", "stages"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ParameterError(f"{name} must be a whole number from 1, got {value!r}")

    def to_json(self) -> str:
        """As it stands in the header of a file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "PartsConfig":
        """What `to_json` wrote.

        Args:
            text: a JSON object.

        Raises:
            ParameterError: it is none, or has fields that there are not.
        """
        try:
            values: Any = json.loads(text)
        except ValueError as error:
            raise ParameterError("the configuration is no JSON") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= known:
            raise ParameterError(
                f"the configuration must have fields of {', '.join(sorted(known))}"
            )
        return cls(**values)


@dataclass(frozen=True, eq=False)
class Reply:
    """What each stage says of a picture; the last of each is the answer.

    Args:
        fields: of each stage, x and y of each limb in turn.
        maps: of each part, then how little there is of any.
    """

    fields: tuple[Float[Tensor, "B 2*L H W"], ...]
    maps: tuple[Float[Tensor, "B P+1 H W"], ...]


class PartsNetwork(nn.Module):
    """Pictures in, maps of parts and fields of limbs out, a cell for every 8 pixels.

    With it goes the mean head that it learnt from, in millimetres: `template`, where its parts are,
    and `mesh`, the points whose extent is the box of a face.

    Args:
        config: its size and its graph.
    """

    template: Float[Tensor, "P 3"]
    mesh: Float[Tensor, "M 3"]

    def __init__(self, config: PartsConfig) -> None:
        super().__init__()
        self.config, graph = config, face_graph(config.graph)
        many, limbs, parts = config.features, 2 * len(graph.limbs), len(graph.parts) + 1
        self.features = nn.Sequential(
            _unit(3, many // 2, step=2, side=5),
            _unit(many // 2, many // 2, step=2),
            _unit(many // 2, many // 2),
            _unit(many // 2, many, step=2),
            *(_unit(many, many) for _ in range(3)),
        )
        given = [many] + [many + limbs] * (config.stages - 1)
        self.fields = nn.ModuleList(_Stage(each, limbs, config) for each in given)
        self.maps = nn.ModuleList([_Stage(many + limbs, parts, config)])
        self.register_buffer("template", torch.zeros(parts - 1, 3))
        self.register_buffer("mesh", torch.zeros(SCHEMES["478"].size, 3))

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> Reply:
        """What the stages say.

        Args:
            pictures: RGB in [0, 1]; sides are multiples of `STRIDE`.
        """
        features = self.features(pictures - 0.5)
        told, said = [], features
        for stage in self.fields:
            told.append(stage(said))
            said = torch.cat([features, told[-1]], dim=1)
        return Reply(tuple(told), tuple(stage(said) for stage in self.maps))


class _Block(nn.Module):
    """Three convolutions, whose outputs are put together: they see 7 x 7 cells."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(_unit(each, width) for each in (given, width, width))

    def forward(self, values: Tensor) -> Tensor:
        """The outputs of all three."""
        out = []
        for step in self.steps:
            values = step(values)
            out.append(values)
        return torch.cat(out, dim=1)


class _Stage(nn.Sequential):
    """Blocks, then two convolutions of single cells."""

    def __init__(self, given: int, out: int, config: PartsConfig) -> None:
        sizes = [given] + [3 * config.width] * config.blocks
        blocks = [_Block(each, config.width) for each in sizes[:-1]]
        wide = 4 * config.width
        super().__init__(*blocks, _unit(sizes[-1], wide, side=1), nn.Conv2d(wide, out, 1))


def _unit(given: int, out: int, *, step: int = 1, side: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, out, side, step, side // 2, bias=False),
        nn.BatchNorm2d(out),
        nn.PReLU(out),
    )
