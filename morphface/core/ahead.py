"""What a program that will compute can do while it still reads its arguments."""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

__all__ = ["load_torch_ahead"]

_LIBRARY = "lib/libtorch_python.so"


def load_torch_ahead() -> None:
    """Begin to load torch's libraries beside whatever comes next; returns at once.

    That is a part of `import torch`, the only one that needs no interpreter lock: the
    loader of the system is called as a foreign function, since `ctypes.CDLL` keeps the lock. Does
    nothing where there is no such library, or torch is there already.
    """
    if "torch" in sys.modules or not sys.platform.startswith("linux"):
        return
    spec = find_spec("torch")
    places = [] if spec is None else spec.submodule_search_locations or []
    found = [place for place in places if (Path(place) / _LIBRARY).is_file()]
    if found:
        path = os.fsencode(Path(found[0]) / _LIBRARY)
        Thread(target=_load, args=(path,), name="morphface-ahead", daemon=True).start()


def _load(path: bytes) -> None:
    try:
        system = ctypes.CDLL(None)
        system.dlopen.argtypes, system.dlopen.restype = (
            (ctypes.c_char_p, ctypes.c_int),
            ctypes.c_void_p,
        )
        system.dlopen(path, os.RTLD_NOW | os.RTLD_LOCAL)
    except (OSError, AttributeError):  # torch will say itself what is wrong
        return
