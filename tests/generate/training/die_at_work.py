"""Run in a process of its own: trains on the discs, and is killed in a step by a real signal."""

import os
import signal
import sys

from morphface.generate.training import Observer, train_generator
from tests.generate.training.toy import CONFIG, SETTINGS, Discs

FATAL = 5


def die(step, _):
    """No exception: nothing in the process can run any more."""
    if step == FATAL:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    train_generator(CONFIG, Discs(), sys.argv[1], settings=SETTINGS, observer=Observer(after=die))
