"""Contact sheets: modes of a model, conditioning maps, and films."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.edit.names import unknown
from morphface.media.images import Photo
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters
from morphface.parameters.track import Track
from morphface.render.maps import MapSet
from morphface.show.canvas import lay_out
from morphface.show.heads import draw_heads, guessed_model
from morphface.show.maps import map_pixels, map_rows
from morphface.show.models import draw_mode, mode_range, rank_of
from morphface.show.pictures import Picture, evenly, sheet, to_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["filmstrip", "plot_maps", "plot_modes"]

_GAP = 4
_STEPS, _MODES = 7, 5


def plot_modes(
    model: MorphableModel | str,
    basis: str = "identity",
    *,
    modes: Sequence[int | str] | None = None,
    size: int = 110,
    axes: "Axes | None" = None,
) -> "Figure":
    """What each coefficient does: a row a mode, from -3 to +3 standard deviations.

    Expressions with bounds go from the lowest to the highest weight.

    Args:
        model: whose modes, or its name.
        basis: "identity", "expression" or "reflectance".
        modes: numbers from 0, or names of expressions; None takes the first five.
        size: of each picture, in pixels.
        axes: to draw in; None makes a figure, which is returned.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: the model has no such basis or mode, or `axes` are no axes of matplotlib.
        ModelError: no model has this name.
    """
    head = load_model(model) if isinstance(model, str) else model
    chosen = _modes(head, basis, modes)
    ranges = [mode_range(head, basis, k) for k in chosen]
    steps = [torch.linspace(low, high, _STEPS) for low, high in ranges]
    rows = [draw_mode(head, basis, k, s, size) for k, s in zip(chosen, steps, strict=True)]
    alike = len(set(ranges)) == 1
    words = [_signed(float(s)) if alike else "" for s in steps[0]]
    if not alike:
        words[0], words[-1] = "lowest", "highest"
    titles = _titles(head, basis, chosen)
    return lay_out(axes, sheet(rows, _GAP), *_ticks(words, titles, size, size))


def plot_maps(
    maps: MapSet,
    names: Sequence[str] | None = None,
    *,
    count: int = 4,
    size: int = 160,
    axes: "Axes | None" = None,
) -> "Figure":
    """Conditioning maps: a row a map, and a column for each of a few frames.

    Of one frame, the maps stand side by side.

    Args:
        maps: of one frame or more.
        names: which maps; None takes all.
        count: of frames, spread from the first to the last.
        size: of each picture's longer side, in pixels.
        axes: to draw in; None makes a figure, which is returned.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: there is no map of a name, or no frame, or `axes` are no axes of
            matplotlib.
    """
    frames = evenly(maps.frames, count)
    wanted = [names] if isinstance(names, str) else list(names or maps.names)
    if not frames:
        raise ParameterError("maps must hold at least one frame, and count be at least 1")
    if len(frames) == 1:
        return lay_out(axes, sheet(map_rows(maps, wanted, frames, size), _GAP), {}, {})
    rows = [[to_picture(map_pixels(maps, n, k), size) for k in frames] for n in wanted]
    width, height = rows[0][0].size
    words = [f"frame {k}" for k in frames]
    return lay_out(axes, sheet(rows, _GAP), *_ticks(words, wanted, width, height))


def filmstrip(
    frames: Any,
    *,
    count: int = 8,
    size: int = 120,
    model: MorphableModel | None = None,
    axes: "Axes | None" = None,
) -> "Figure":
    """A few frames side by side, spread from the first to the last.

    Args:
        frames: pictures as a tensor T x H x W x 3 or a sequence of tensors, photos or frames of
            a video, or a mapping of words to such pictures; a video; or parameters or a track,
            whose heads are drawn.
        count: how many at most.
        size: of each picture's longer side, in pixels.
        model: that parameters belong to; None takes the open head if it fits.
        axes: to draw in; None makes a figure, which is returned.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ParameterError: there are no frames, they are no pictures, the model of parameters is
            not known, or `axes` are no axes of matplotlib.
    """
    shown = _heads(frames, model, count, size) if _is_face(frames) else _film(frames, count, size)
    if not shown:
        raise ParameterError("frames must hold at least one picture, and count be at least 1")
    width, height = shown[0][1].size
    words = [words for words, _ in shown]
    picture = sheet([[picture for _, picture in shown]], _GAP)
    return lay_out(axes, picture, *_ticks(words, [], width, height))


def _ticks(
    columns: Sequence[str], rows: Sequence[str], width: int, height: int
) -> tuple[dict[float, str], dict[float, str]]:
    """Words at the middles of a sheet's columns and rows."""
    across = {k * (width + _GAP) + width / 2: words for k, words in enumerate(columns)}
    return across, {k * (height + _GAP) + height / 2: words for k, words in enumerate(rows)}


def _signed(value: float) -> str:
    return f"{value:+.2g}" if abs(value) > 1e-6 else "0"


def _modes(model: MorphableModel, basis: str, modes: Sequence[int | str] | None) -> list[int]:
    rank = rank_of(model, basis)
    if not rank:
        raise ParameterError(f"model {model.name!r} has no modes of {basis}")
    if modes is None:
        return list(range(min(_MODES, rank)))
    wanted = [modes] if isinstance(modes, str | int) else modes
    names = model.expression.names if basis == "expression" else ()
    out = []
    for mode in wanted:
        if isinstance(mode, str) and mode not in names:
            raise ParameterError(unknown(f"{basis} mode", mode, names or ("0", f"{rank - 1}")))
        place = names.index(mode) if isinstance(mode, str) else int(mode)
        if not 0 <= place < rank:
            raise ParameterError(f"modes of {basis} must be 0 to {rank - 1}, got {place}")
        out.append(place)
    if not out:
        raise ParameterError("modes must name at least one mode, got none")
    return out


def _titles(model: MorphableModel, basis: str, chosen: list[int]) -> list[str]:
    if basis == "expression":
        return [model.expression.names[k] for k in chosen]
    return [f"{basis} {k}" for k in chosen]


def _is_face(frames: Any) -> bool:
    return isinstance(frames, FaceParameters | Track)


def _heads(
    frames: FaceParameters | Track, model: MorphableModel | None, count: int, size: int
) -> list[tuple[str, Picture]]:
    face = frames.parameters if isinstance(frames, Track) else frames
    head = model or guessed_model(face)
    if head is None:
        raise ParameterError("frames are parameters of an unknown model; pass it as model=")
    chosen = evenly(face.frames, count)
    if not chosen:
        return []
    drawn = draw_heads(face, head, size, frames=chosen)
    seconds = frames.times.tolist() if isinstance(frames, Track) else None
    words = [f"{seconds[k]:.2f} s" if seconds else str(k) for k in chosen]
    return list(zip(words, drawn, strict=True))


def _film(frames: Any, count: int, size: int) -> list[tuple[str, Picture]]:
    captions: list[Any] = []
    if isinstance(frames, Mapping):
        captions, frames = list(frames), list(frames.values())
    if hasattr(frames, "spread"):  # a video
        frames = frames.spread(count)
    if not hasattr(frames, "__len__") or not hasattr(frames, "__getitem__"):
        raise ParameterError(
            "frames must be a sequence of pictures, a video, parameters or a track, got "
            f"{type(frames).__name__}"
        )
    out = []
    for k in evenly(len(frames), count):
        frame = frames[k]
        words = f"{frame.time:.2f} s" if hasattr(frame, "time") else str(k)
        words = str(captions[k]) if captions else words
        out.append((words, to_picture(_pixels(frame), size)))
    return out


def _pixels(frame: Any) -> Tensor | Photo:
    frame = getattr(frame, "photo", frame)
    if isinstance(frame, Photo):
        return frame
    pixels = torch.as_tensor(frame)
    if pixels.ndim != 3 or pixels.shape[-1] != 3 or not pixels.numel():
        raise ParameterError(f"each frame must be a picture H x W x 3, got {tuple(pixels.shape)}")
    return pixels
