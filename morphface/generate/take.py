"""What one-shot generators are trained with: photos of a person, and frames to make from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.generate.reference import Reference

__all__ = ["Take", "Takes", "stacked_takes"]

_DRIVEN = ("window", "frame", "matte", "mouth", "style", "named")


@dataclass(frozen=True, eq=False)
class Take(Record):
    """T consecutive frames of a person, and reference photos of the same person.

    Args:
        references: at least one; `photo`, `maps` and `matte` of each have a batch of one or T.
        window: maps of the frames of each window, oldest first, from 0 to 1, 0 without surface;
            frames before the first of a clip are what the padding of the configuration says.
        frame: what the camera saw, from -1 to 1.
        matte: where the person is in it, hair and clothes included.
        mouth: middle of the mouth, x right and y down in pixels.
        style: what else drives the frame, such as sound or gaze; S may be 0.
        person: name of the identity.
        clip: name of the clip.
        named: what the first numbers of a latent motion are taught to be, as `taught_values` has
            them; NaN where that is not known, and N may be 0.

    Raises:
        ParameterError: there is no reference.
        ShapeError: the parts differ in frames or size.
    """

    references: tuple[Reference, ...]
    window: Float[Tensor, "T W H S"]
    frame: Float[Tensor, "T 3 H S"]
    matte: Float[Tensor, "T 1 H S"]
    mouth: Float[Tensor, "T 2"]
    style: Float[Tensor, "T N"]
    person: str = ""
    clip: str = ""
    named: Float[Tensor, "T N"] = field(default_factory=lambda: torch.zeros(1, 0))

    def __post_init__(self) -> None:
        if not self.references:
            raise ParameterError("references must be one or more, got none")
        frames, _, *size = self.window.shape
        check_shape("frame", self.frame, frames, 3, *size)
        check_shape("matte", self.matte, frames, 1, *size)
        check_shape("mouth", self.mouth, frames, 2)
        check_shape("style", self.style, frames, None)
        if self.named.shape[1]:
            check_shape("named", self.named, frames, None)
        for reference in self.references:
            check_shape("flow of a reference", reference.flow, frames, 2, *size)

    def frame_at(self, number: int) -> "Take":
        """One of its frames, as a take; they are counted on beyond the last, from the first.

        Args:
            number: of the frame, from 0.
        """
        place = number % len(self.frame)

        def own(values: Tensor) -> Tensor:
            return values if len(values) == 1 else values[place : place + 1]

        parts: dict[str, Any] = {name: own(getattr(self, name)) for name in _DRIVEN}
        references = tuple(reference.map(own) for reference in self.references)
        return replace(self, references=references, **parts)


@runtime_checkable
class Takes(Protocol):
    """Takes by number, the same take for the same number: that makes runs resume exactly."""

    @property
    def count(self) -> int | None:
        """How many there are; None if there is no end of them."""

    @property
    def longest(self) -> int:
        """The most frames that a take of it can have."""

    def take(self, number: int, length: int) -> Take:
        """A take of at most `length` frames."""


def stacked_takes(takes: Sequence[Take]) -> Take:
    """All frames of some takes in one batch; they may belong to different people.

    Args:
        takes: with the same number of references, the same size and the same channels.

    Raises:
        ParameterError: they differ in the number of references, or there are none.
    """
    numbers = {len(take.references) for take in takes}
    if len(numbers) != 1:
        found = " and ".join(map(str, sorted(numbers))) or "no takes"
        raise ParameterError(f"takes must have the same number of references, got {found}")
    references = tuple(
        Reference(*(torch.cat(parts) for parts in zip(*map(_whole, same), strict=True)))
        for same in zip(*(take.references for take in takes), strict=True)
    )
    parts: dict[str, Any] = {
        name: torch.cat([getattr(take, name) for take in takes]) for name in _DRIVEN[:-1]
    }
    return Take(references, **parts, named=_all_named(takes))


def _all_named(takes: Sequence[Take]) -> Float[Tensor, "B N"]:
    """Of all frames; NaN for takes of which nothing is known."""
    count = max(take.named.shape[1] for take in takes)
    if not count:
        return torch.zeros(1, 0)
    rows = [
        take.named if take.named.shape[1] else torch.full((len(take.frame), count), math.nan)
        for take in takes
    ]
    return torch.cat(rows)


def _whole(reference: Reference) -> tuple[Tensor, ...]:
    """Its parts, each with as many entries as it has frames."""
    frames = len(reference.flow)
    single = (reference.photo, reference.maps, reference.matte)
    repeated = (part.expand(frames, *part.shape[1:]) for part in single)
    return (*repeated, reference.flow, reference.valid)
