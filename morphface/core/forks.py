"""Processes that are forked after torch has computed.

The threads of OpenMP do not survive a fork, but the child believes that they are there and waits
for them for ever: the first parallel operation of torch hangs. A child computes on one thread.
"""

import os
import sys

__all__ = ["safe_to_fork"]


def safe_to_fork() -> None:
    """From now on, children of this process compute with torch on one thread each.

    That is also what a pool of processes wants, one for each core. A child that wants more can
    start by `spawn`.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_one_thread)


def _one_thread() -> None:
    """Of torch, if it was imported; importing it here would slow down every fork."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):
        torch.set_num_threads(1)
