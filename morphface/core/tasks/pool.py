"""Processes of this machine that run tasks, one thread each.

The standard pools give up altogether when one of their processes dies, and do not say which task
it had. Here a process that dies, as one that runs out of memory does, is replaced and its task is
begun once more. Processes end with the one that started them, however that ended.
"""

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from morphface.core.errors import MorphfaceError
from morphface.core.garbage import collect_seldom
from morphface.core.lean import import_alone
from morphface.core.tasks.task import (
    ATTEMPTS,
    Died,
    Event,
    Finished,
    Raised,
    Task,
    Told,
)

__all__ = ["ONE_THREAD", "Pool"]

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""What keeps the libraries of a process to one thread."""

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE_SECONDS = 5


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: Task | None = None


class Pool:
    """Up to so many processes, started when there is work for them.

    Args:
        workers: how many processes.
    """

    def __init__(self, workers: int) -> None:
        self._most = workers
        self._queue: deque[Task] = deque()
        self._workers: list[_Worker] = []
        self._attempts: Counter[str] = Counter()

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Queue a task; see `Executor`."""
        (self._queue.appendleft if first else self._queue.append)(task)

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """`function` of every item, in order, on threads: it waits for the disk."""
        with ThreadPoolExecutor(self._most) as threads:
            yield from threads.map(function, items)

    def events(self) -> Iterator[Event]:
        """What happens; see `Executor`."""
        while True:
            self._hand_out()
            busy = [worker for worker in self._workers if worker.task]
            if not busy:
                return
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in ready:
                    event = self._hear(worker)
                    if event is not None:
                        yield event

    def close(self) -> None:
        """End the processes; what they write under temporary names is lost."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join(_PATIENCE_SECONDS)
            worker.connection.close()
        self._workers.clear()

    def _hand_out(self) -> None:
        while self._queue:
            worker = next((worker for worker in self._workers if worker.task is None), None)
            if worker is None:
                if len(self._workers) >= self._most:
                    return
                worker = _start()
                self._workers.append(worker)
            task = self._queue.popleft()
            worker.task = task
            self._attempts[task.name] += 1
            with suppress(OSError):  # it died while it waited, which is heard at once
                worker.connection.send(task)

    def _hear(self, worker: _Worker) -> Event | None:
        """What a worker says; None where a process died and its task is begun again."""
        task = worker.task
        if task is None:
            return None
        try:
            kind, value = worker.connection.recv()
        except (EOFError, OSError):
            return self._bury(worker, task)
        if kind == "told":
            return Told(task, value)
        worker.task = None
        return Finished(task, value) if kind == "finished" else Raised(task, value)

    def _bury(self, worker: _Worker, task: Task) -> Event | None:
        worker.process.join(_PATIENCE_SECONDS)
        worker.connection.close()
        self._workers.remove(worker)
        if self._attempts[task.name] < ATTEMPTS:
            self._queue.appendleft(task)
            return None
        return Died(task, _cause(worker.process.exitcode))


def _cause(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, perhaps because memory ran out"
    if code is not None and code < 0:
        return f"its process was ended by the signal {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


def _start() -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(theirs,), name="morphface-worker")
    with _environment(ONE_THREAD):
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """While it lasts, processes that are started see these variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection) -> None:
    """What a process of the pool does: tasks, until there is nobody left to send them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; one decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    collect_seldom()
    import_alone()
    while True:
        try:
            task: Task = connection.recv()
            connection.send(_outcome(task, connection))
        except (EOFError, BrokenPipeError):
            return


def _outcome(task: Task, connection: Connection) -> tuple[str, Any]:
    try:
        value = task.function(*task.arguments, lambda frames: connection.send(("told", frames)))
    except MorphfaceError as error:
        return "raised", error
    except Exception as error:  # our mistake: it is told where it is seen
        return "raised", RuntimeError(f"{type(error).__name__} in {task.name}: {error}")
    return "finished", value


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
