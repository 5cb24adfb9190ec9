"""Machines of a Ray cluster that run tasks, one core each.

Ray carries tasks and their small results; what they write lies on storage that all machines
share, under the same path. A task whose machine or process is lost is begun once more.
"""

import os
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from morphface.core.errors import BackendError, MissingDependencyError, MorphfaceError
from morphface.core.tasks.pool import ONE_THREAD
from morphface.core.tasks.task import ATTEMPTS, Died, Event, Finished, Raised, Task

__all__ = ["Cluster"]

LOCAL = "local"
"""The address of a cluster that is started here, and ends with the run."""

_AHEAD = 2
"""Tasks that wait in the cluster, a core: enough to keep it busy, few enough to change plans."""

_PATIENCE_SECONDS = 5


class Cluster:
    """A Ray cluster.

    Args:
        address: "local" starts one here, "auto" finds the one that this machine belongs to,
            anything else is the address of one, as `host:port`.
        workers: how many cores a local one has.

    Raises:
        MissingDependencyError: Ray is not installed.
        BackendError: there is no such cluster.
    """

    def __init__(self, address: str, workers: int) -> None:
        self._ray = _import_ray()
        self._started = not self._ray.is_initialized()
        if self._started:
            _connect(self._ray, address, workers)
        self._call = self._ray.remote(num_cpus=1, max_retries=0)(_outcome)
        self._each = self._ray.remote(num_cpus=1)(_apply)
        self._queue: deque[Task] = deque()
        self._running: dict[Any, Task] = {}
        self._attempts: Counter[str] = Counter()

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Queue a task; see `Executor`."""
        (self._queue.appendleft if first else self._queue.append)(task)

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """`function` of every item, in order, on the machines of the cluster."""
        waiting: deque[Any] = deque()
        for item in items:
            waiting.append(self._each.remote(function, item))
            if len(waiting) >= self._most():
                yield self._ray.get(waiting.popleft())
        while waiting:
            yield self._ray.get(waiting.popleft())

    def events(self) -> Iterator[Event]:
        """What happens; see `Executor`. Tasks do not say how far they are."""
        while True:
            while self._queue and len(self._running) < self._most():
                self._begin(self._queue.popleft())
            if not self._running:
                return
            ready, _ = self._ray.wait(list(self._running), num_returns=1)
            for reference in ready:
                event = self._hear(reference, self._running.pop(reference))
                if event is not None:
                    yield event

    def close(self) -> None:
        """End what is under way, and the cluster if it was started here."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        if self._started:
            self._ray.shutdown()

    def _most(self) -> int:
        return _AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _begin(self, task: Task) -> None:
        self._attempts[task.name] += 1
        self._running[self._call.remote(task.function, task.arguments, task.name)] = task

    def _hear(self, reference: Any, task: Task) -> Event | None:
        """What became of a task; None where its process died and it is begun again."""
        try:
            kind, value = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if self._attempts[task.name] < ATTEMPTS:
                self._queue.appendleft(task)
                return None
            return Died(task, f"its process on the cluster ended ({type(error).__name__})")
        return Finished(task, value) if kind == "finished" else Raised(task, value)


def _import_ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise MissingDependencyError(
            "a cluster needs Ray, which is not installed; run: pip install 'morphface[cluster]', "
            "or use the processes of this machine"
        ) from error
    return ray


def _connect(ray: Any, address: str, workers: int) -> None:
    options: dict[str, Any] = {"runtime_env": {"env_vars": ONE_THREAD}, "log_to_driver": False}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
        options |= {"num_cpus": workers, "include_dashboard": False}
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray warns otherwise
    try:
        _knock(address)
        ray.init(address=address, logging_level="ERROR", **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise BackendError(
            f"there is no Ray cluster at {address!r}; start one with `ray start --head`, or name "
            "'local' for one on this machine"
        ) from error


def _knock(address: str) -> None:
    """Fail at once where nobody answers: Ray would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS).close()


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...], name: str) -> Any:
    """A task on a machine of the cluster."""
    try:
        return "finished", function(*arguments, _ignore)
    except MorphfaceError as error:
        return "raised", error
    except Exception as error:
        return "raised", RuntimeError(f"{type(error).__name__} in {name}: {error}")


def _apply(function: Callable[[Any], Any], item: Any) -> Any:
    return function(item)


def _ignore(frames: int) -> None:
    """Progress of a task, which is not sent through the cluster."""
