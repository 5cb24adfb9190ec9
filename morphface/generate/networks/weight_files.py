"""Where the weights of other people's networks are, and that they are the right ones.

They are not shipped. Looked for in this order: the path that was given; the user's cache; the
cache of torch hub; a package that carries the file, which is not imported.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError

__all__ = ["WeightFile"]


@dataclass(frozen=True)
class WeightFile:
    """A published file of weights.

    Args:
        name: of the file in the caches.
        sha256: of its content, or the first digits of it.
        way_out: how to get it, a command.
        package: that carries the file, and where in it; empty if none does.
    """

    name: str
    sha256: str
    way_out: str
    package: tuple[str, str] = ("", "")

    def find(self, path: str | Path | None = None) -> Path | None:
        """Where the file is on this machine, or None.

        Args:
            path: use this file and look nowhere else.

        Raises:
            MissingFileError: `path` was given and is not there.
        """
        if path is not None:
            if not Path(path).is_file():
                raise MissingFileError(f"there is no file of weights {path}; check the path")
            return Path(path)
        return next((place for place in self._places() if place.is_file()), None)

    def read(self, path: str | Path | None = None) -> dict[str, Tensor]:
        """The weights by name. Nothing but tensors is read.

        A file that has the published name, or is found, must have the published content.

        Args:
            path: use this file and look nowhere else; weights of another name are your own.

        Raises:
            MissingFileError: the file is not on this machine; the message says how to get it.
            ModelError: the file has another content, or holds no weights.
        """
        place = self.find(path)
        if place is None:
            raise MissingFileError(
                f"the weights {self.name} are not on this machine; {self.way_out}"
            )
        if path is None or place.name == self.name:
            self._check(place)
        return _tensors(place)

    def _places(self) -> Iterator[Path]:
        import pooch

        yield Path(pooch.os_cache("morphface")) / self.name
        yield Path(torch.hub.get_dir()) / "checkpoints" / self.name
        package, inside = self.package
        spec = find_spec(package) if package else None
        for folder in (spec and spec.submodule_search_locations) or ():
            yield Path(folder) / inside

    def _check(self, place: Path) -> None:
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(self.sha256):
            raise ModelError(
                f"{place} is not the published {self.name} (its SHA-256 begins with "
                f"{found[:8]}, not {self.sha256[:8]}); delete it and {self.way_out}"
            )


def _tensors(place: Path) -> dict[str, Tensor]:
    try:
        held: Any = torch.load(place, map_location="cpu", weights_only=True)
    except Exception as error:  # torch names no class for what a damaged file may raise
        raise ModelError(
            f"{place} holds no weights: {type(error).__name__}; get an intact copy"
        ) from error
    if not isinstance(held, dict) or not all(isinstance(v, Tensor) for v in held.values()):
        raise ModelError(
            f"{place} holds no weights by name; use a state dict that torch.save wrote"
        )
    return held
