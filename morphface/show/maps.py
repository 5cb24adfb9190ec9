"""Conditioning maps as pictures that people can read."""

import colorsys

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
    return Card("MapSet", rows, lambda: sheet(map_rows(maps, _PANEL)), "the maps side by side")


def map_pixels(maps: MapSet, name: str, frame: int) -> Float[Tensor, "H W 3"]:
    """A map of one frame as colours: labels get one each, and one or two channels are filled up.

    Args:
        maps: which hold it.
        name: of the map.
        frame: number of the frame.

    Raises:
        ParameterError: there is no map of that name.
    """
    if name == "parsing":
        return _palette()[maps[frame : frame + 1].labels()[0].clamp(0, len(LABELS) - 1)]
    values = maps[frame : frame + 1].unit(name)[0]
    channels = values.shape[-1]
    if channels == 1:
        return values.expand(-1, -1, 3)
    return torch.nn.functional.pad(values, (0, 3 - channels))


def map_rows(maps: MapSet, size: int) -> list[list[Picture]]:
    """Pictures of maps, named, no side longer than `size` pixels.

    Of one frame, four in a row; of several, a map in a row and a few frames in its columns.
    """
    chosen = evenly(maps.frames, _MOST_FRAMES)
    drawn = {n: [to_picture(map_pixels(maps, n, k), size) for k in chosen] for n in maps.names}
    named = [[captioned(row[0], name, 11), *row[1:]] for name, row in drawn.items()]
    if len(chosen) > 1:
        return named
    flat = [row[0] for row in named]
    return [flat[k : k + _COLUMNS] for k in range(0, len(flat), _COLUMNS)]


def _palette() -> Float[Tensor, "L 3"]:
    """A colour for each label; the background is black."""
    golden = 0.618
    colours = [colorsys.hsv_to_rgb(k * golden % 1, 0.55, 0.95) for k in range(1, len(LABELS))]
    return torch.tensor([(0.0, 0.0, 0.0), *colours])
