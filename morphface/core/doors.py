"""Public names of a package that are imported when they are first used.

Importing a room is then quick, whatever its names need.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose names live elsewhere; `dir` lists them, too.

    Args:
        package: its own name.
        homes: the module of each name, within the package.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    module = sys.modules[package]
    module.__dir__ = lambda: sorted({*vars(module), *homes})  # type: ignore[method-assign]
    return find
