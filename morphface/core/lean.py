"""Libraries of others that import more than they need, made to import that when it is used.

roma asks torch for its compiler as soon as it is imported, MediaPipe for matplotlib and for
the microphone; nothing here uses them. Only what the named modules import is changed, and
only for them: what stands in for a library imports it when something of it is asked for, so that
whoever uses these parts of roma or MediaPipe finds them whole.

A program that is ours from its first line may spare more: see `import_alone`.
"""

import builtins
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

__all__ = ["import_alone", "import_lean"]


def import_lean() -> None:
    """From now on, roma and MediaPipe import without what they do not need."""
    _finder().stand_ins |= _LEAN


def import_alone() -> None:
    """From now on, torch and scipy import without what only other programs need.

    That is a third of `import torch`: what operations do to tensors without values, said in Python,
    of which its compiler is the only user; it comes with the compiler. And notes that scipy puts
    into the docstrings of its functions, and numpy's wrapper of Fortran, which scipy looks at. For
    a process that belongs to us; does nothing for what was imported before.
    """
    finder = _finder()
    finder.stand_ins |= _ALONE
    finder.put_off |= _PUT_OFF


def _finder() -> "_LeanFinder":
    for finder in sys.meta_path:
        if isinstance(finder, _LeanFinder):
            return finder
    sys.meta_path.insert(0, _LeanFinder())
    return _finder()


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


class _Documented(dict[str, list[Any]]):
    """Stands for scipy's reader of the docstring of a function, which it takes apart to add notes.

    It reads nothing and adds nothing.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self._text = function.__doc__ or ""

    def __missing__(self, key: str) -> list[Any]:
        return []

    def __str__(self) -> str:
        return f"\n\n{self._text}"  # who asks takes the first line away


def _docscrape() -> ModuleType:
    """The module of that, with anything else that is asked of it."""
    module = _Later("scipy._lib._docscrape")
    vars(module).update(FunctionDoc=_Documented, Parameter=tuple)  # no docstring has parameters
    return module


def _numpy() -> ModuleType:
    """numpy, which would import its wrapper of Fortran when its names are looked at one by one."""
    numpy = import_module("numpy")
    vars(numpy).setdefault("f2py", _Later("numpy.f2py"))
    return numpy


def _inspect() -> ModuleType:
    """`inspect`, which tells where a function was called without reading that file.

    To say of which module the file is it would look up the files of all modules.
    """
    module = ModuleType("inspect")
    vars(module).update(vars(inspect), getframeinfo=partial(inspect.getframeinfo, context=0))
    return module


_MEDIAPIPE = "mediapipe.tasks.python"
_LEAN: Mapping[str, Mapping[str, Callable[[], ModuleType]]] = {
    f"{_MEDIAPIPE}.audio.core.audio_record": {"sounddevice": lambda: _Later("sounddevice")},
    f"{_MEDIAPIPE}.vision.drawing_utils": {"matplotlib.pyplot": _pyplot},
    "roma.mappings": {"torch": _torch},
}
"""What stands in for the imports of a module."""
_ALONE: Mapping[str, Mapping[str, Callable[[], ModuleType]]] = {
    "scipy._lib._array_api": {"scipy._lib._docscrape": _docscrape},
    "scipy._lib._util": {"scipy._lib._docscrape": _docscrape},
    "scipy._lib.deprecation": {"scipy._lib._docscrape": _docscrape},
    "scipy._lib.array_api_compat.numpy": {"numpy": _numpy},
    "torch._library.utils": {"inspect": _inspect},
}
"""The same, where no other program is concerned."""
_PUT_OFF = {"torch._meta_registrations", "torch.distributed._meta_registrations"}
"""Modules that are imported for what they register, and what that is for."""
_COMPILERS = {"torch._dynamo", "torch._inductor", "torch.export._trace"}
"""Modules with which those come that were put off."""


class _LeanFinder(MetaPathFinder):
    """Finds the modules that shall get stand-ins, and those that are put off."""

    def __init__(self) -> None:
        self.stand_ins: dict[str, Mapping[str, Callable[[], ModuleType]]] = {}
        self.put_off: set[str] = set()
        self._empty: list[tuple[SourceFileLoader, ModuleType]] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _COMPILERS:
            self._fill()
        if fullname not in self.stand_ins and fullname not in self.put_off:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        place = spec.loader.path
        if fullname in self.put_off:
            spec.loader = _LateLoader(fullname, place, self._empty)
        else:
            spec.loader = _LeanLoader(fullname, place, self.stand_ins[fullname])
        return spec

    def _fill(self) -> None:
        """Run what was put off."""
        self.put_off.clear()
        while self._empty:
            loader, module = self._empty.pop(0)
            SourceFileLoader.exec_module(loader, module)


class _LateLoader(SourceFileLoader):
    """Leaves a module empty for now."""

    def __init__(
        self, fullname: str, path: str, empty: list[tuple[SourceFileLoader, ModuleType]]
    ) -> None:
        super().__init__(fullname, path)
        self._empty = empty

    def exec_module(self, module: ModuleType) -> None:
        self._empty.append((self, module))


class _LeanLoader(SourceFileLoader):
    """Runs a module with an `import` of its own."""

    def __init__(
        self, fullname: str, path: str, stand_ins: Mapping[str, Callable[[], ModuleType]]
    ) -> None:
        super().__init__(fullname, path)
        self._stand_ins = stand_ins

    def exec_module(self, module: ModuleType) -> None:
        given = {name: make() for name, make in self._stand_ins.items()}
        own = {**vars(builtins), "__import__": partial(_import, given)}
        vars(module)["__builtins__"] = own
        super().exec_module(module)
        for name, value in list(vars(module).items()):
            if isinstance(value, _Later) and value.__name__ in sys.modules:
                setattr(module, name, sys.modules[value.__name__])


def _import(given: Mapping[str, ModuleType], name: str, *where: Any, **more: Any) -> ModuleType:
    """What the statement `import name` is given."""
    return given[name] if name in given else builtins.__import__(name, *where, **more)
