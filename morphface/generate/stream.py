"""Frames from a stream of maps, made as the maps come, in memory that does not grow.

The windows are those of `ConditioningWindows`: what the network saw in training is what it sees
here, to the last bit.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate.config import GeneratorConfig
from morphface.generate.reference import Reference

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
    generator: nn.Module,
    maps: Iterable[Tensor],
    *,
    batch: int = 1,
    references: Iterable[Sequence[Reference]] | None = None,
    styles: Iterable[Float[Tensor, " N"]] | None = None,
) -> Iterator[Float[Tensor, "3 H W"]]:
    """What a generator makes of the maps of consecutive frames, from 0 to 1.

    Args:
        generator: trained, such as `quickened` gives it.
        maps: of each frame, C H W: bytes, or from 0 to 1, in the order of its configuration.
        batch: frames that are made in one go; more need more memory, and are sooner on a GPU.
        references: for each frame the photos, with the flow that leads from it into each; the
            photos are the same ones for all frames, and are encoded once. None for generators
            that take none.
        styles: for each frame what else drives it; None for generators that take none.

    Raises:
        ParameterError: `batch` is below 1, or the generator is in training; or there are fewer
            references or styles than frames.
        ShapeError: maps of a frame do not fit the generator.
    """
    if batch < 1:
        raise ParameterError(f"batch must be at least 1, got {batch}")
    if generator.training:
        raise ParameterError("generator must be in eval mode to make frames, it is in training")
    config: GeneratorConfig = generator.config  # type: ignore[assignment]  # of every generator
    maker = _Maker(generator)
    others = [iter(part) for part in (references, styles) if part is not None]
    waiting: list[tuple[Any, ...]] = []
    for window in stream_windows(maps, config):
        beside = [next(part, None) for part in others]
        if any(part is None for part in beside):
            raise ParameterError("references and styles must be there for every frame of the maps")
        waiting.append((window, *beside))
        if len(waiting) == batch:
            yield from maker.made(waiting, references is not None, styles is not None)
            waiting = []
    if waiting:
        yield from maker.made(waiting, references is not None, styles is not None)


class _Maker:
    """A generator, and what it knows of the photos of a stream."""

    def __init__(self, generator: nn.Module) -> None:
        self._generator, self._like = generator, next(generator.parameters())
        self._photos: tuple[Reference, ...] = ()
        self._features: list[Any] = []

    def made(
        self, waiting: list[tuple[Any, ...]], referred: bool, styled: bool
    ) -> Float[Tensor, "B 3 H W"]:
        """The frames of some windows, each with its references and style if there are any."""
        columns = list(zip(*waiting, strict=True))
        given = torch.stack(columns[0]).to(self._like.device, self._like.dtype)
        beside: dict[str, Any] = {}
        with torch.inference_mode():
            if referred:
                beside = self._referred(columns[1])
            if styled:
                beside["style"] = torch.stack(columns[-1]).float().to(given.device)
            made = self._generator(given.contiguous(memory_format=torch.channels_last), **beside)
        return made.float().cpu().div(2).add(0.5).clamp(0, 1)

    def _referred(self, rows: Sequence[Sequence[Reference]]) -> dict[str, Any]:
        """References of all frames, and the features of their photos."""
        if not self._photos:
            device = self._like.device
            self._photos = tuple(reference.to(device) for reference in rows[0])
            self._features = [self._generator.encode(each) for each in self._photos]  # type: ignore[operator]
        joined = [
            replace(
                known,
                flow=torch.cat([one.flow for one in same]).to(known.flow),
                valid=torch.cat([one.valid for one in same]).to(known.flow),
            )
            for known, same in zip(self._photos, zip(*rows, strict=True), strict=True)
        ]
        return {"references": joined, "features": self._features}


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
