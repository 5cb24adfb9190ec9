"""Frames from a stream of maps, made as the maps come, in memory that does not grow.

The windows are those of `ConditioningWindows`: what the network saw in training is what it sees
here, to the last bit.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate.config import GeneratorConfig

__all__ = ["stream_frames", "stream_windows"]


def stream_windows(
    maps: Iterable[Tensor], config: GeneratorConfig
) -> Iterator[Float[Tensor, "W H S"]]:
    """The window of each frame, as soon as the maps that it looks at are there.

    Args:
        maps: of each frame, C H W: bytes, or from 0 to 1.
        config: says which frames a window has and what stands for those beyond the ends.

    Raises:
        ShapeError: maps of a frame are not of the configuration's channels and size.
    """
    past, future = -min(config.offsets), max(config.offsets)
    kept: deque[Tensor] = deque(maxlen=past + 1 + future)
    newest, target, count = -1, 0, None
    source = iter(maps)
    while count is None or target < count:
        while count is None and newest < target + future:
            found = next(source, None)
            if found is None:
                count = newest + 1
            else:
                kept.append(_checked(found, config))
                newest += 1
        if count is None or target < count:
            yield _window(kept, newest, target, config)
        target += 1


def stream_frames(
    generator: nn.Module, maps: Iterable[Tensor], *, batch: int = 1
) -> Iterator[Float[Tensor, "3 H W"]]:
    """What a generator makes of the maps of consecutive frames, from 0 to 1.

    Args:
        generator: trained, such as `quickened` gives it.
        maps: of each frame, C H W: bytes, or from 0 to 1, in the order of its configuration.
        batch: frames that are made in one go; more need more memory, and are sooner on a GPU.

    Raises:
        ParameterError: `batch` is below 1, or the generator is in training.
        ShapeError: maps of a frame do not fit the generator.
    """
    if batch < 1:
        raise ParameterError(f"batch must be at least 1, got {batch}")
    if generator.training:
        raise ParameterError("generator must be in eval mode to make frames, it is in training")
    config: GeneratorConfig = generator.config  # type: ignore[assignment]  # of every generator
    waiting: list[Tensor] = []
    for window in stream_windows(maps, config):
        waiting.append(window)
        if len(waiting) == batch:
            yield from _made(generator, waiting)
            waiting = []
    if waiting:
        yield from _made(generator, waiting)


def _made(generator: nn.Module, windows: list[Tensor]) -> Float[Tensor, "B 3 H W"]:
    like = next(generator.parameters())
    given = torch.stack(windows).to(like.device, like.dtype)
    with torch.inference_mode():
        made = generator(given.contiguous(memory_format=torch.channels_last))
    return made.float().cpu().div(2).add(0.5).clamp(0, 1)


def _checked(maps: Tensor, config: GeneratorConfig) -> Float[Tensor, "C H W"]:
    """The maps of a frame, as the network wants their values."""
    wanted = (sum(config.channels), config.resolution, config.resolution)
    if tuple(maps.shape) != wanted:
        raise ShapeError(f"maps of a frame must be C x H x W, {wanted}, got {tuple(maps.shape)}")
    values = maps.float()  # the operations of `to_signed`, in its order: the same bits
    top = 255 if maps.dtype == torch.uint8 else 1
    return values.mul(2 / top).sub(1) if config.signed else values.div(top)


def _window(
    kept: deque[Tensor], newest: int, target: int, config: GeneratorConfig
) -> Float[Tensor, "W H S"]:
    """The maps about frame `target`; `kept` are those of the frames up to `newest`."""
    parts = []
    for offset in config.offsets:
        wanted = target + offset
        inside = min(max(wanted, 0), newest)
        part = kept[inside - newest - 1]
        if config.padding == "zero" and inside != wanted:
            part = torch.full_like(part, -1.0 if config.signed else 0.0)
        parts.append(part)
    return torch.cat(parts)
