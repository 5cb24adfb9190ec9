"""Tasks for the tests of pools and clusters."""

import gc
import os
import signal
import time
from pathlib import Path

from morphface.core.errors import OutputError


def double(value, tell):
    tell(value)
    return 2 * value


def die(mark, always, tell):
    """End this process as a lack of memory does; only the first time unless `always`."""
    first = not Path(mark).exists()
    Path(mark).touch()
    if first or always:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def leave(code, tell):
    os._exit(code)


def refuse(tell):
    raise OutputError("the disk is full")


def blunder(tell):
    raise ZeroDivisionError("oh")


def threads(tell):
    import torch

    return torch.get_num_threads()


def sleep(mark, tell):
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)


def length(path):
    return len(Path(path).read_bytes())


def young(tell):
    """After how many new objects the process looks for garbage."""
    return gc.get_threshold()[0]
