"""Conditioning maps as pictures that people can read."""

import colorsys
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.render.maps import LABELS, MapSet
from morphface.show.cards import Card
from morphface.show.pictures import Picture, captioned, evenly, sheet, to_picture

__all__ = ["map_pixels", "map_rows", "maps_card"]

_PANEL, _COLUMNS = 150, 4
_MOST_FRAMES = 4


def maps_card(maps: MapSet) -> Card:
    """The maps of one frame, or of a few frames in columns."""
    height, width = maps.size
    rows = (
        ("maps", ", ".join(f"{n} ({maps.maps[n].shape[-1]})" for n in maps.names)),
        ("frames", str(maps.frames)),
        ("size", f"{width} x {height} pixels"),
        ("values", "-1 to 1" if maps.signed else "0 to 1"),
        ("model", maps.model or "not stated"),
    )
    if not maps.frames or not maps.size[0] * maps.size[1]:
        return Card("MapSet", rows)
    return Card("MapSet", rows, lambda: _picture(maps), "the maps side by side")


def map_pixels(maps: MapSet, name: str, frame: int) -> Float[Tensor, "H W 3"]:
    """A map of one frame as colours: labels get one each, and one or two channels are filled up.

    Args:
        maps: which hold it.
        name: of the map.
        frame: number of the frame.

    Raises:
        ParameterError: there is no map of that name.
    """
    maps = maps[frame : frame + 1].to("cpu")
    if name == "parsing":
        return _palette()[maps.labels()[0].clamp(0, len(LABELS) - 1)]
    values = maps.unit(name)[0].detach()
    channels = values.shape[-1]
    if channels == 1:
        return values.expand(-1, -1, 3)
    return torch.nn.functional.pad(values, (0, 3 - channels))


def map_rows(
    maps: MapSet, names: Sequence[str], frames: Sequence[int], size: int
) -> list[list[Picture]]:
    """Pictures of maps, named; of one frame, four in a row; of several, a map in a row.

    Args:
        maps: which hold them.
        names: of the maps.
        frames: numbers of the frames.
        size: of each picture's longer side, in pixels.

    Raises:
        ParameterError: there is no map of a name.
    """
    rows = [
        [
            captioned(to_picture(map_pixels(maps, name, k), size), "" if column else name)
            for column, k in enumerate(frames)
        ]
        for name in names
    ]
    if len(frames) > 1:
        return rows
    flat = [row[0] for row in rows]
    return [flat[k : k + _COLUMNS] for k in range(0, len(flat), _COLUMNS)]


def _picture(maps: MapSet) -> Picture:
    chosen = evenly(maps.frames, _MOST_FRAMES)
    return sheet(map_rows(maps, maps.names, chosen, _PANEL))


def _palette() -> Float[Tensor, "L 3"]:
    """A colour for each label; the background is black."""
    golden = 0.618
    colours = [colorsys.hsv_to_rgb(k * golden % 1, 0.55, 0.95) for k in range(1, len(LABELS))]
    return torch.tensor([(0.0, 0.0, 0.0), *colours])
