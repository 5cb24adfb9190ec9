"""Takes of two sources in turn."""

from morphface.generate.take import Take, Takes

__all__ = ["MixedTakes"]


class MixedTakes:
    """Takes of two sources in turn; it has no end if one of them has none.

    Args:
        first: gives the even numbers.
        second: gives the odd ones.
    """

    def __init__(self, first: Takes, second: Takes) -> None:
        self._sources = first, second

    @property
    def count(self) -> int | None:
        """Twice the larger number of both; takes of the smaller come again."""
        counts = [source.count for source in self._sources]
        return None if None in counts else 2 * max(count or 0 for count in counts)

    @property
    def longest(self) -> int:
        """Of the source that can give more."""
        return max(source.longest for source in self._sources)

    def take(self, number: int, length: int) -> Take:
        """A take of the source whose turn it is."""
        place, turn = divmod(number, 2)
        source = self._sources[turn]
        return source.take(place % source.count if source.count else place, length)
