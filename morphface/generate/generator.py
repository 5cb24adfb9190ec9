"""Generators by name, and the one role that all of them play."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.generate.implicit.network import Implicit
from morphface.generate.networks import (
    Conr,
    Dagan,
    FaceDepth,
    HeadGan,
    Lia,
    TranslationNetwork,
)
from morphface.generate.networks.dense_motion import FOUND
from morphface.generate.reference import Reference

__all__ = ["GENERATORS", "USUAL", "Generator", "config_of", "generator_of", "make_generator"]


@runtime_checkable
class Generator(Protocol):
    """Maps and references in, frames out.

    A reference is a photo with its own maps, its matte, the flow that leads into it and where that
    is valid; a style is a vector whose parts the configuration names.
    """

    config: GeneratorConfig

    def __call__(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Reference] = (),
        style: Float[Tensor, "B N"] | None = None,
    ) -> Float[Tensor, "B 3 H W"]:
        """The frames that windows of maps show.

        Args:
            window: maps of the frames of each window.
            references: photos of the person, for networks that were not trained on one alone.
            style: what else drives the frames, for networks that listen to it.
        """
        ...


class _Dvp(TranslationNetwork):
    """The translation network in its role; it knows its person, and refuses references."""

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Reference] = (),
        style: Float[Tensor, "B N"] | None = None,
    ) -> Float[Tensor, "B 3 H W"]:
        if references or style is not None:
            raise ParameterError(
                "references must be none, and style too: a dvp generator knows one person only"
            )
        return super().forward(window)


GENERATORS: dict[str, type[nn.Module]] = {
    "dvp": _Dvp,
    "headgan": HeadGan,
    "conr": Conr,
    "dagan": Dagan,
    "lia": Lia,
    "depth": FaceDepth,
    "implicit": Implicit,
}
_PICTURES: dict[str, Any] = {
    "maps": (),
    "channels": (),
    "offsets": (0,),
    "signed": False,
    "norm": "instance",
    "width": 64,
    "flow_prior": False,
}
"""Of networks that see pictures alone."""
USUAL: dict[str, dict[str, Any]] = {
    "dvp": {},
    "headgan": {
        "maps": ("correspondence",),
        "channels": (3,),
        "offsets": (-2, -1, 0),
        "signed": False,
        "norm": "instance",
        "width": 32,
    },
    "conr": {
        "maps": ("correspondence",),
        "channels": (3,),
        "offsets": (0,),
        "signed": False,
        "norm": "instance",
        "width": 64,
    },
    "dagan": {
        "maps": ("depth", "mask"),
        "channels": (1, 1),
        "offsets": (0,),
        "signed": False,
        "width": 64,
        "style": ("points",),
        "style_sizes": (8 * 15,),
    },
    "lia": {**_PICTURES, "style": ("motion",), "style_sizes": (20,)},
    "depth": _PICTURES,
    "implicit": {
        "resolution": 1024,
        "maps": ("normal", "normal_back", "depth", "correspondence", "hair"),
        "channels": (3, 3, 1, 3, 1),
        "offsets": (0,),
        "signed": False,
        "width": 256,
        "flow_prior": False,
        "stacks": 4,
        "fine": 16,
    },
}
"""Where the usual configuration of a kind is not that of `GeneratorConfig`: as published."""
_LEARNED: dict[str, dict[str, Any]] = {
    "keypoints": {"style": ("motion",), "style_sizes": (FOUND * 15,), "flow_prior": False},
    "depth": {"maps": (), "channels": ()},
}
"""Where that of dagan is another, if what is named is learned."""


def make_generator(kind: str = "dvp", **options: Any) -> nn.Module:
    """A generator with fresh weights.

    Args:
        kind: a name from `GENERATORS`.
        options: fields of `GeneratorConfig`, such as `resolution`.

    Raises:
        ParameterError: there is no such generator, or no such configuration.
    """
    return generator_of(config_of(kind, **options))


def config_of(kind: str = "dvp", **options: Any) -> GeneratorConfig:
    """The usual configuration of a kind of generator, with some fields changed.

    Args:
        kind: a name from `GENERATORS`.
        options: fields of `GeneratorConfig`.

    Raises:
        ParameterError: there is no such configuration.
    """
    usual: dict[str, Any] = {"kind": kind} | USUAL.get(kind, {})
    for name, learned in _LEARNED.items():
        if kind == "dagan" and options.get(name) == "learned":
            usual |= learned
    return GeneratorConfig(**(usual | options))


def generator_of(config: GeneratorConfig) -> nn.Module:
    """A generator with fresh weights, as its configuration says.

    Raises:
        ParameterError: there is no such generator.
    """
    if config.kind not in GENERATORS:
        raise ParameterError(
            f"kind must be one of {', '.join(sorted(GENERATORS))}, got {config.kind!r}"
        )
    return GENERATORS[config.kind](config)
