"""Work that goes to other processes or machines, and survives the loss of some of them.

Nothing heavy is imported here, so that a process starts quickly: what a task needs comes with it.
"""

from morphface.core.tasks.task import Died, Event, Executor, Finished, Raised, Task, Tell, Told

__all__ = ["Died", "Event", "Executor", "Finished", "Raised", "Task", "Tell", "Told"]
