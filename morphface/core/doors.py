"""Public names of a package that are imported when they are first used.

Importing a room is then quick, whatever its names need.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose names live elsewhere; `dir` lists them, too.

    A name that a module has as well, such as `rasterize` of `rasterize.py`, stands for what is in
    it, whether the module was imported before or not.

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

    class Door(ModuleType):
        """The package, when a module of it is put into it by an import."""

        def __setattr__(self, name: str, value: Any) -> None:
            named = isinstance(value, ModuleType) and homes.get(name) == name
            super().__setattr__(name, getattr(value, name) if named else value)

        def __dir__(self) -> list[str]:
            return sorted({*vars(self), *homes, *vars(self).get("__all__", ())})

    sys.modules[package].__class__ = Door
    return find
