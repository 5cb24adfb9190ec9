"""Pictures of rendered people with points, drawn once and kept, that implicit heads learn from.

python -m benchmarks.implicit_pool FOLDER [--count N]
"""

import argparse
from pathlib import Path

import torch
from torch.nn.functional import avg_pool2d

from morphface.core.files import atomic_write
from morphface.generate.implicit import Probes
from morphface.synthetic import Dice, SyntheticHeads

SIDE = 256
POINTS = 6000
"""Of each picture, of which a step sees some."""
COUNT = 160
ROUND, FRESH = 32, 8
"""Of so many numbers in a row, the first show another person each; only they are drawn."""
ROUNDS = 1000
"""How often the pictures come again, each time with other points."""


def drawn(cache: Path, count: int) -> list[Probes]:
    """The first pictures, from files where they were drawn before."""
    people = SyntheticHeads(0, SIDE, points=POINTS)
    cache.mkdir(parents=True, exist_ok=True)
    found = []
    for place in range(count):
        number = place // FRESH * ROUND + place % FRESH
        file = cache / f"{number:04d}.pt"
        if not file.is_file():
            one = people.probes(number)
            with atomic_write(file) as temporary:
                torch.save(_packed(one), temporary)
        found.append(Probes(**torch.load(file, weights_only=True)))
    return found


def _packed(one: Probes) -> dict:
    return vars(one) | {"picture": (one.picture.clamp(0, 1) * 255).round().byte()}


class Pool:
    """Pictures in memory, with some of their points.

    Args:
        some: pictures in bytes.
        points: of each in a step.
        side: of pictures in pixels.
    """

    def __init__(self, some: list[Probes], points: int, side: int = SIDE) -> None:
        self._some, self._points, self._side = some, points, side

    @property
    def count(self) -> int:
        """How many numbers there are; pictures come again with other points."""
        return ROUNDS * len(self._some)

    def probes(self, number: int) -> Probes:
        """A picture with points."""
        round_, place = divmod(number, len(self._some))
        one = self._some[place]
        chosen = Dice(round_, place).whole(one.inside.shape[1], self._points)
        return Probes(
            avg_pool2d(one.picture.float() / 255, SIDE // self._side),
            one.places[:, chosen],
            one.space[:, chosen],
            one.inside[:, chosen],
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    drawn(options.cache, options.count)
