"""Trained networks of parts in files: safetensors, with the configuration in the header."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.core.files import atomic_write
from morphface.landmarks.parts.network import PartsConfig, PartsNetwork

__all__ = ["NAME", "load_parts", "save_parts"]

NAME = "parts.safetensors"
"""Of the network's file in the folder of a run."""
_KEY = "morphface_parts"


def save_parts(path: str | Path, network: PartsNetwork, *, half: bool = False) -> None:
    """Write a network, whole or not at all.

    Args:
        path: of a `.safetensors` file.
        network: to write.
        half: write weights in 16 bits: half the bytes, to three decimal digits.

    Raises:
        OutputError: the file cannot be written there.
    """
    kept = {name: value.contiguous() for name, value in network.state_dict().items()}
    if half:
        kept = {k: v.half() if v.dtype == torch.float32 else v for k, v in kept.items()}
    with atomic_write(path) as temporary:
        save_file(kept, temporary, metadata={_KEY: network.config.to_json()})


def load_parts(path: str | Path) -> PartsNetwork:
    """A trained network, ready for use (`eval`).

    Args:
        path: what `save_parts` wrote, or the folder of a run.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it is no network of parts, or damaged.
    """
    place = Path(path) / NAME if Path(path).is_dir() else Path(path)
    if not place.is_file():
        raise MissingFileError(
            f"there is no network of parts at {place}; train one with: morphface train parts"
        )
    try:
        with safe_open(place, framework="pt") as file:
            header = file.metadata() or {}
        network = PartsNetwork(PartsConfig.from_json(header[_KEY]))
        network.load_state_dict(load_file(place))
    except (SafetensorError, KeyError, ParameterError) as error:
        raise ModelError(
            f"{place} is no network of parts; name what `train parts` wrote"
        ) from error
    except RuntimeError as error:
        raise ModelError(f"{place} is damaged: its weights do not fit") from error
    return network.eval().requires_grad_(False)
