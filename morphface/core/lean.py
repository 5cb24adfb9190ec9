"""Libraries of others that import more than they need, made to import that when it is used.

roma asks torch for its compiler as soon as it is imported, MediaPipe for matplotlib and for
the microphone; nothing here uses them. Only what the named modules import is changed, and
only for them: what stands in for a library imports it when something of it is asked for, so that
whoever uses these parts of roma or MediaPipe finds them whole.
"""

import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

__all__ = ["import_lean"]


def import_lean() -> None:
    """From now on, roma and MediaPipe import without what they do not need."""
    if not any(isinstance(finder, _LeanFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LeanFinder())


class _Later(ModuleType):
    """Stands for a module, which is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # who only looks at it
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


def _pyplot() -> ModuleType:
    """What `import matplotlib.pyplot as ...` takes its name from."""
    package = _Later("matplotlib")
    vars(package)["pyplot"] = _Later("matplotlib.pyplot")
    return package


def _torch() -> ModuleType:
    """torch, whose compiler is imported when a function that it shall leave alone is called."""
    torch = _Later("torch")
    if "torch._dynamo" not in sys.modules:
        vars(torch)["_dynamo"] = ModuleType("torch._dynamo")
        vars(torch._dynamo)["disable"] = _disabled
    return torch


def _disabled(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*given: Any) -> Any:
        return import_module("torch._dynamo").disable(function)(*given)

    return call


_MEDIAPIPE = "mediapipe.tasks.python"
_STAND_INS: Mapping[str, Mapping[str, Callable[[], ModuleType]]] = {
    f"{_MEDIAPIPE}.audio.core.audio_record": {"sounddevice": lambda: _Later("sounddevice")},
    f"{_MEDIAPIPE}.vision.drawing_utils": {"matplotlib.pyplot": _pyplot},
    "roma.mappings": {"torch": _torch},
}
"""What stands in for the imports of a module."""


class _LeanFinder(MetaPathFinder):
    """Finds the modules that shall get stand-ins."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _STAND_INS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        spec.loader = _LeanLoader(fullname, spec.loader.path)
        return spec


class _LeanLoader(SourceFileLoader):
    """Runs a module with an `import` of its own."""

    def exec_module(self, module: ModuleType) -> None:
        given = {name: make() for name, make in _STAND_INS[module.__name__].items()}
        own = {**vars(builtins), "__import__": partial(_import, given)}
        vars(module)["__builtins__"] = own
        super().exec_module(module)
        for name, value in list(vars(module).items()):
            if isinstance(value, _Later) and value.__name__ in sys.modules:
                setattr(module, name, sys.modules[value.__name__])


def _import(given: Mapping[str, ModuleType], name: str, *where: Any, **more: Any) -> ModuleType:
    """What the statement `import name` is given."""
    return given[name] if name in given else builtins.__import__(name, *where, **more)
