"""Generators by name, and the one role that all of them play."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig
from morphface.generate.networks import TranslationNetwork

__all__ = ["GENERATORS", "Generator", "generator_of", "make_generator"]


@runtime_checkable
class Generator(Protocol):
    """Maps and references in, frames out."""

    config: GeneratorConfig

    def __call__(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Float[Tensor, "B 3 H W"]] = (),
    ) -> Float[Tensor, "B 3 H W"]:
        """The frames that windows of maps show.

        Args:
            window: maps of the frames of each window.
            references: photos of the person, for networks that were not trained on one alone.
        """
        ...


class _Dvp(TranslationNetwork):
    """The translation network in its role; it knows its person, and refuses references."""

    def forward(
        self,
        window: Float[Tensor, "B C H W"],
        references: Sequence[Float[Tensor, "B 3 H W"]] = (),
    ) -> Float[Tensor, "B 3 H W"]:
        if references:
            raise ParameterError("references must be none: a dvp generator knows one person only")
        return super().forward(window)


GENERATORS: dict[str, type[nn.Module]] = {"dvp": _Dvp}


def make_generator(kind: str = "dvp", **options: Any) -> nn.Module:
    """A generator with fresh weights.

    Args:
        kind: a name from `GENERATORS`.
        options: fields of `GeneratorConfig`, such as `resolution`.

    Raises:
        ParameterError: there is no such generator, or no such configuration.
    """
    return generator_of(GeneratorConfig(kind=kind, **options))


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
