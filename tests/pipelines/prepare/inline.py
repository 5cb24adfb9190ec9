"""Tasks done at once, in this process: quick, and without what other processes cost."""

from collections import deque

from morphface.core.errors import MorphfaceError
from morphface.core.tasks import Died, Finished, Raised


class Inline:
    """An executor that does one task after the other.

    `order` picks the next of those queued; the tasks named in `deadly` end their processes.
    """

    def __init__(self, order=lambda queue: 0, deadly=()):
        self.queue, self.order, self.done, self.deadly = deque(), order, [], deadly

    def submit(self, task, *, first=False):
        (self.queue.appendleft if first else self.queue.append)(task)

    def each(self, function, items):
        return map(function, items)

    def events(self):
        while self.queue:
            place = self.order(self.queue)
            task = self.queue[place]
            del self.queue[place]
            self.done.append(task.name)
            if task.name in self.deadly:
                yield Died(task, "its process was killed")
                continue
            try:
                value = task.function(*task.arguments, lambda frames: None)
            except MorphfaceError as error:
                yield Raised(task, error)
            else:
                yield Finished(task, value)

    def close(self):
        self.queue.clear()
