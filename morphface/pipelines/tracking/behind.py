"""Work that may lag behind whoever orders it, in a thread of its own."""

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Behind"]

_Item = TypeVar("_Item")
_END: Any = object()


class Behind(Generic[_Item]):
    """Does `work` with each item in order, a few of them late, to be used in a `with` statement.

    What the work raises is raised by the next `put`, or at the end of the block. If the block
    fails, items that wait are dropped.

    Args:
        work: what is done with an item.
        depth: how many items may wait.
    """

    def __init__(self, work: Callable[[_Item], None], depth: int = 8) -> None:
        self._work = work
        self._items: queue.Queue[_Item] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._run, name="morphface-behind", daemon=True)

    def __enter__(self) -> "Behind[_Item]":
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._dropping = error is not None
        self._items.put(_END)
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def put(self, item: _Item) -> None:
        """Order the work with `item`; waits while too many are waiting."""
        if self._error is not None:
            raise self._error
        self._items.put(item)

    def _run(self) -> None:
        while (item := self._items.get()) is not _END:
            if self._dropping or self._error is not None:
                continue
            try:
                self._work(item)
            except BaseException as error:  # it is raised where the work is ordered
                self._error = error
