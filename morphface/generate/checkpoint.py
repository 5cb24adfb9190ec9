"""Trained generators in files: safetensors, with the configuration in the header."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.core.files import atomic_write
from morphface.generate.config import GeneratorConfig, difference
from morphface.generate.generator import Generator, generator_of

__all__ = ["load_generator", "read_config", "save_generator"]

_KEY = "morphface"


def save_generator(path: str | Path, generator: nn.Module) -> None:
    """Write weights and configuration, whole or not at all.

    Args:
        path: the file to write or replace; its suffix must be `.safetensors`.
        generator: what `make_generator` made.

    Raises:
        ParameterError: the suffix is another, or this is no generator.
        OutputError: the file cannot be written there.
    """
    if Path(path).suffix != ".safetensors":
        raise ParameterError(f"generators are saved as .safetensors, got {Path(path).name!r}")
    if not isinstance(generator, Generator):
        raise ParameterError(f"{type(generator).__name__} has no configuration to be saved with")
    weights = {name: value.contiguous() for name, value in generator.state_dict().items()}
    with atomic_write(path) as temporary:
        save_file(weights, temporary, metadata={_KEY: generator.config.to_json()})


def load_generator(path: str | Path, *, wanted: GeneratorConfig | None = None) -> nn.Module:
    """A trained generator, ready for use (`eval`).

    Args:
        path: what `save_generator` wrote.
        wanted: what it shall serve; None takes any.

    Raises:
        MissingFileError: there is no such file.
        ModelError: the file is none of ours, is damaged, or was made for something else; the
            message says where they differ.
    """
    config = read_config(path)
    if wanted is not None and config != wanted:
        raise ModelError(
            f"{Path(path).name} was made for something else: {difference(config, wanted)}"
        )
    generator = generator_of(config)
    try:
        generator.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f"{Path(path).name} is damaged: its weights do not fit") from error
    return generator.eval()


def read_config(path: str | Path) -> GeneratorConfig:
    """What a checkpoint was made for; its weights are not read.

    Args:
        path: what `save_generator` wrote.

    Raises:
        MissingFileError: there is no such file.
        ModelError: the file is none of ours.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"there is no checkpoint at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
        return GeneratorConfig.from_json(header[_KEY])
    except (SafetensorError, KeyError) as error:
        raise ModelError(f"{Path(path).name} is not a checkpoint of a generator") from error
    except ParameterError as error:
        raise ModelError(f"{Path(path).name} cannot be used: {error}") from error
