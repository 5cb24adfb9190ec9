"""Maps of some frames of a face, by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import overload

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.display import Displayed
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.render.maps.code import decode_face_index
from morphface.render.maps.files import load_maps, save_maps, unsigned
from morphface.render.maps.names import CHANNELS, check_names

__all__ = ["MapSet"]


@dataclass(frozen=True, eq=False)
class MapSet(Record, Displayed):
    """Maps of T frames, by name and in order.

    Args:
        maps: values in [0, 1], or in [-1, 1] if `signed`.
        signed: which of these.
        background: the value, before it was signed, of pixels without a surface in all maps but
            "mask", "parsing" and "face_index", where these are 0.
        model: name of the model that was drawn.

    Raises:
        ParameterError: there is no map, or one of an unknown name.
        ShapeError: a map lacks its axes, or maps differ in frames or size.
    """

    maps: dict[str, Float[Tensor, "T H W C"]]
    signed: bool = False
    background: float = 0.0
    model: str = ""

    def __post_init__(self) -> None:
        check_names(tuple(self.maps))
        for name, values in self.maps.items():
            check_shape(f"map {name!r}", values, None, None, None, CHANNELS[name])
            if values.ndim != 4 or values.shape[:3] != next(iter(self.maps.values())).shape[:3]:
                raise ShapeError(
                    "maps must have the same T x H x W, got "
                    + ", ".join(f"{n} {tuple(v.shape[:-1])}" for n, v in self.maps.items())
                )

    @overload
    def __getitem__(self, key: str) -> Tensor: ...

    @overload
    def __getitem__(self, key: int | slice) -> "MapSet": ...

    def __getitem__(self, key: str | int | slice) -> "Tensor | MapSet":
        """One map, as T H W C; or the maps of one frame, or of a range of frames.

        Raises:
            ParameterError: there is no map of that name.
        """
        if isinstance(key, str):
            if key not in self.maps:
                raise ParameterError(f"there is no map {key!r}; there are {', '.join(self.names)}")
            return self.maps[key]
        rows = slice(key, key + 1 or None) if isinstance(key, int) else key
        return self.map(lambda values: values[rows])

    @property
    def names(self) -> tuple[str, ...]:
        """Of the maps, in order."""
        return tuple(self.maps)

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(next(iter(self.maps.values())))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        _, height, width, _ = next(iter(self.maps.values())).shape
        return height, width

    def stack(self, names: tuple[str, ...] | None = None) -> Float[Tensor, "T H W C"]:
        """The channels of several maps, one after the other.

        Args:
            names: which maps; None takes all, in their order.

        Raises:
            ParameterError: there is no map of a name.
        """
        return torch.cat([self[name] for name in names or self.names], dim=-1)

    def unit(self, name: str) -> Float[Tensor, "T H W C"]:
        """A map with values in [0, 1], whether the set is signed or not.

        Raises:
            ParameterError: there is no map of that name.
        """
        return unsigned(self[name], self.signed)

    def labels(self) -> Int[Tensor, "T H W"]:
        """The map "parsing" as indices into `LABELS`.

        Raises:
            ParameterError: there is no such map.
        """
        return (self.unit("parsing")[..., 0] * 255).round().long()

    def faces(self) -> Int[Tensor, "T H W"]:
        """The map "face_index" as numbers of faces, -1 on background.

        Raises:
            ParameterError: there is no such map.
        """
        return decode_face_index(self["face_index"], signed=self.signed)

    def save(self, path: str | Path) -> None:
        """Write to a folder of pictures, or to one `.npz`; `files.py` says how.

        Args:
            path: ends in .npz, or names the folder.

        Raises:
            OutputError: it cannot be written there.
        """
        save_maps(path, self.maps, self.signed, self.background, self.model)

    @classmethod
    def load(cls, path: str | Path) -> "MapSet":
        """Read what `save` wrote: exactly from an `.npz`, in steps of 1/255 from pictures.

        Raises:
            MissingFileError: there is nothing at `path`, or a picture is gone.
            ImageError: a file is damaged or of another kind.
        """
        return cls(*load_maps(path))
