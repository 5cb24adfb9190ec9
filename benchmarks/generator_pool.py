"""Takes of rendered people, drawn once and kept, that every kind of generator is trained with."""

from dataclasses import replace
from pathlib import Path

import torch

from morphface.generate import GeneratorConfig, Reference, Take
from morphface.synthetic import SyntheticPeople

SIDE = 64
PHOTOS = 4
TRAINED, HELD = 240, 24
MAPS, POINTS = {"correspondence": 3, "depth": 1, "mask": 1}, 15
"""Channels of what is drawn, of which each kind sees some."""
SEEDS = {"trained": 0, "held": 99}
LIVES = 30
"""Takes of a person, whose frames are six."""


def drawn(cache: Path, part: str, count: int) -> list[Take]:
    """The takes of a part, from the file if they were drawn before."""
    file = cache / f"{part}_{count}.pt"
    if not file.is_file():
        people = SyntheticPeople(SEEDS[part], SIDE, photos=PHOTOS, maps=tuple(MAPS), points=POINTS)
        step = max(LIVES * 8 // count, 1) if part == "held" else 1
        takes = [people.take(number * step) for number in range(count)]
        cache.mkdir(parents=True, exist_ok=True)
        torch.save([_plain(take) for take in takes], file)
    return [_take(parts) for parts in torch.load(file, weights_only=True)]


def _plain(take: Take) -> dict:
    own = {n: getattr(take, n) for n in ("window", "frame", "matte", "mouth", "style")}
    return own | {"references": [vars(one) for one in take.references]}


def _take(parts: dict) -> Take:
    references = tuple(Reference(**one) for one in parts.pop("references"))
    return Take(references, **parts)


class Pool:
    """Takes in memory, as a kind of generator wants them.

    Args:
        takes: of whole windows and all photos.
        config: of the generator.
        photos: of a take.
    """

    longest = 1

    def __init__(self, takes: list[Take], config: GeneratorConfig, photos: int = 1) -> None:
        self._takes, self._photos = takes, photos
        self._frames, self._styled = len(config.offsets), config.style == ("points",)
        firsts = dict(zip(MAPS, (0, 3, 4), strict=True))
        self._seen = [firsts[name] + k for name in config.maps for k in range(MAPS[name])]

    @property
    def count(self) -> int:
        """How many."""
        return len(self._takes)

    def take(self, number: int, length: int = 1) -> Take:
        """A take, with the newest maps that the generator looks at."""
        take = self._takes[number]
        frames = take.window.unflatten(1, (-1, sum(MAPS.values())))[:, -self._frames :]
        references = tuple(
            replace(one, maps=one.maps[:, self._seen]) for one in take.references[: self._photos]
        )
        style = take.style if self._styled else take.style[:, :0]
        window = frames[:, :, self._seen].flatten(1, 2)
        return replace(take, references=references, window=window, style=style)
