"""Values that are asked for one by one, computed a little ahead by threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from morphface.core.threads import threaded_as_here

__all__ = ["computed_ahead"]

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def computed_ahead(
    function: Callable[[_Given], _Made], given: Iterable[_Given], *, threads: int = 2
) -> Iterator[_Made]:
    """The function's values in order; while one is used, the next ones are computed.

    The first is computed alone, so that what the function keeps for all is computed once. At most
    one value a thread waits to be used.

    Args:
        function: may run in several threads at a time; what it raises is raised in its turn.
        given: what it is called with, taken when it is needed.
        threads: how many compute.
    """
    left, function = iter(given), threaded_as_here(function)
    yield from map(function, islice(left, 1))
    with ThreadPoolExecutor(threads, thread_name_prefix="morphface-ahead") as pool:
        running = deque(pool.submit(function, one) for one in islice(left, threads))
        try:
            while running:
                made = running.popleft().result()
                running.extend(pool.submit(function, one) for one in islice(left, 1))
                yield made
        finally:
            for one in running:
                one.cancel()
