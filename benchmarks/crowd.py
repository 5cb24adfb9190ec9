"""Rendered people, drawn once and kept: all frames of each, and what leads between any two."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from morphface.edit.named import named_values, names_of
from morphface.generate import GeneratorConfig, Reference, Take, Takes
from morphface.generate.bridge import taught_values
from morphface.models import load_model
from morphface.synthetic import SyntheticPeople

SIDE, FRAMES = 64, 6
PAIRS = [(a, b) for a in range(FRAMES) for b in range(FRAMES) if a != b]
TWINS = [(k, k ^ 1) for k in range(FRAMES)]
"""Pairs of frames that differ in the jaw, of people whose every second frame is such a one."""
MAPS, POINTS = {"correspondence": 3, "depth": 1, "mask": 1}, 15
CHUNK = 50
"""People in a file."""
EVERY = 6
"""One take in so many is of the clip."""


def drawn(
    folder: Path, seed: int, people: int, *, maps: bool = False, jaws: bool = False
) -> list[dict[str, Tensor]]:
    """People, from files where they were drawn before.

    Args:
        folder: of the files.
        seed: of the people.
        people: how many.
        maps: draw maps and key points, too, which kinds of generators but lia need.
        jaws: every second frame is the one before it with another jaw.
    """
    drawer = SyntheticPeople(
        seed,
        SIDE,
        frames=FRAMES,
        maps=tuple(MAPS) if maps else (),
        offsets=(-2, -1, 0) if maps else (0,),
        points=POINTS if maps else 0,
        jaws=jaws,
    )
    name = ("mapped" if maps else "plain") + "_jaws" * jaws
    folder.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Tensor]] = []
    for first in range(0, people, CHUNK):
        file = folder / f"{name}_{seed}_{first}.pt"
        if not file.is_file():
            many = range(first, first + CHUNK)
            torch.save([_person(drawer, who) for who in many], file.with_suffix(".part"))
            file.with_suffix(".part").rename(file)
        found += torch.load(file, weights_only=True)
    return found[:people]


def _person(drawer: SyntheticPeople, who: int) -> dict[str, Tensor]:
    scene = drawer.scene(who)
    takes = [drawer.pair(who, *pair) for pair in PAIRS]
    return {
        "frame": _bytes(torch.stack([shot.image for shot in scene.shots]).permute(0, 3, 1, 2)),
        "matte": _bytes(torch.stack([shot.matte for shot in scene.shots])[:, None]),
        "mouth": scene.mouths,
        "window": scene.windows.half(),
        "named": named_values(scene.poses),
        "flow": torch.cat([take.references[0].flow for take in takes]).half(),
        "valid": _bytes(torch.cat([take.references[0].valid for take in takes])),
        "style": torch.cat([take.style for take in takes]),
    }


class Mixed:
    """Takes of a crowd, of which one in so many is of another source.

    Args:
        crowd: gives most of them.
        other: gives the rest, spread over all of its takes.
        every: one take in so many is of the other source.
    """

    def __init__(self, crowd: Takes, other: Takes, every: int = EVERY) -> None:
        self._crowd, self._other, self._every = crowd, other, every
        self.longest = min(crowd.longest, other.longest)

    @property
    def count(self) -> int:
        """As many as show all of the crowd."""
        return (self._crowd.count or 0) * self._every // (self._every - 1)

    def take(self, number: int, length: int = 1) -> Take:
        """One of the takes.

        Args:
            number: from 0.
            length: of frames at most.
        """
        turn, place = divmod(number, self._every)
        if place < self._every - 1:
            return self._crowd.take(turn * (self._every - 1) + place, length)
        return self._other.take(turn % (self._other.count or 1), length)


def signed_bytes(pictures: Tensor) -> Tensor:
    """Pictures as they are kept, from -1 to 1."""
    return pictures.float() / 127.5 - 1


def _bytes(values: Tensor) -> Tensor:
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)


class Crowd:
    """Takes of people that were drawn, as a kind of generator wants them.

    Args:
        people: what `drawn` gives.
        config: of the generator.
        photos: of a take.
        pairs: of frames of each person, the photo and the one to make.
    """

    longest = 1

    def __init__(
        self,
        people: list[dict[str, Tensor]],
        config: GeneratorConfig,
        photos: int = 1,
        *,
        pairs: Sequence[tuple[int, int]] = tuple(PAIRS),
    ) -> None:
        self._people, self._photos, self._pairs = people, photos, pairs
        self._frames, self._styled = len(config.offsets), config.style == ("points",)
        firsts = dict(zip(MAPS, (0, 3, 4), strict=True))
        self._seen = [firsts[name] + k for name in config.maps for k in range(MAPS[name])]
        self._names = names_of(load_model())

    @property
    def count(self) -> int:
        """Pairs of frames of all people."""
        return len(self._people) * len(self._pairs)

    def take(self, number: int, length: int = 1) -> Take:
        """A pair of frames of somebody, or further photos with it.

        Args:
            number: from 0; people follow one another.
            length: is 1 whatever is asked for.
        """
        who, place = divmod(number, len(self._pairs))
        person, (source, target) = self._people[who], self._pairs[place]
        place = PAIRS.index((source, target))
        others = [k % FRAMES for k in range(source + 1, source + FRAMES) if k % FRAMES != target]
        sources = (source, *others[: self._photos - 1])
        rows = slice(target, target + 1)
        window = self._window(person["window"][target])
        return Take(
            tuple(self._reference(person, one, target) for one in sources),
            window=window,
            frame=signed_bytes(person["frame"][rows]),
            matte=person["matte"][rows].float() / 255,
            mouth=person["mouth"][rows],
            style=person["style"][[place]] if self._styled else torch.zeros(1, 0),
            person=str(who),
            clip=str(who),
            named=taught_values(person["named"][rows], self._names),
        )

    def _window(self, window: Tensor) -> Tensor:
        """The newest maps of a window that the generator looks at."""
        if not self._seen:
            return torch.zeros(1, 0, SIDE, SIDE)
        frames = window.float().unflatten(0, (-1, sum(MAPS.values())))
        return frames[-self._frames :, self._seen].flatten(0, 1)[None]

    def _reference(self, person: dict[str, Tensor], source: int, target: int) -> Reference:
        place = PAIRS.index((source, target))
        maps = self._window(person["window"][source])[:, -max(len(self._seen), 1) :]
        return Reference(
            signed_bytes(person["frame"][[source]]),
            maps,
            person["matte"][[source]].float() / 255,
            person["flow"][[place]].float(),
            person["valid"][[place]].float() / 255,
        )


if __name__ == "__main__":
    import sys

    torch.set_num_threads(1)
    drawn(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), maps=sys.argv[4] == "maps")
