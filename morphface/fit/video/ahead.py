"""Work that runs ahead of who needs it, in a thread of its own, by a bounded number of items."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ["Ahead"]

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_WAIT = 0.1  # seconds between looks at whether anybody still wants the results


class Ahead(Generic[_Out]):
    """Iterates over `work(item)` for each item, which a thread computes ahead.

    What the thread raises is raised here, after the results before it. It ends when this is
    closed, or left by `with`.

    Args:
        items: where the thread takes them from, one by one.
        work: what it does with each.
        depth: how many results may wait.
    """

    def __init__(self, items: Iterable[_In], work: Callable[[_In], _Out], depth: int) -> None:
        self._results: queue.Queue[tuple[str, object]] = queue.Queue(depth)
        self._stop = threading.Event()
        self._ended = False
        self._thread = threading.Thread(
            target=self._run, args=(iter(items), work), name="morphface-ahead", daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Iterator[_Out]:
        return self

    def __next__(self) -> _Out:
        """The next result, when it is there."""
        if self._ended:
            raise StopIteration
        kind, value = self._results.get()
        if kind == "item":
            return value  # type: ignore[return-value]
        self._ended = True
        if isinstance(value, BaseException):
            raise value
        raise StopIteration

    def close(self) -> None:
        """End the thread; what it has found so far is dropped."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._results.get(timeout=_WAIT)
            except queue.Empty:
                continue
        self._ended = True

    def __enter__(self) -> "Ahead[_Out]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, items: Iterator[_In], work: Callable[[_In], _Out]) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = next(items)
                except StopIteration:
                    break
                if not self._put("item", work(item)):
                    return
            self._put("end", None)
        except BaseException as error:  # handed over to whoever iterates
            self._put("end", error)

    def _put(self, kind: str, value: object) -> bool:
        while not self._stop.is_set():
            try:
                self._results.put((kind, value), timeout=_WAIT)
            except queue.Full:
                continue
            return True
        return False
