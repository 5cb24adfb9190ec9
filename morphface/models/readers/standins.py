"""What stands in for the classes and functions that pickles of models name.

Each knows how to take its state and nothing else. None can be changed by a pickle, and no array
is made whose bytes are not there.
"""

import re
from collections.abc import Callable
from math import prod
from typing import Any, NoReturn

import numpy as np

from morphface.core.errors import ModelError

__all__ = ["ADMITTED", "Array", "DType", "State", "text"]

_LIMIT = 2**32  # entries along an axis
_DTYPE = re.compile(r"[<>|=]?(\?|b1|[iu][1248]|f[248]|c8|c16|[SU][1-9]\d{0,3})")


def text(value: object) -> str:
    """Text, of Python 2 or 3; bytes are taken as Latin-1."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class DType:
    """Stands in for `numpy.dtype`: numbers and text only, whatever its state claims."""

    __slots__ = ("objects", "value")

    def __init__(self, code: object, align: object = False, copy: object = False) -> None:
        name = text(code)
        self.objects = name in ("O", "O4", "O8")
        self.value = np.dtype(np.uint8)
        if not self.objects:
            if not _DTYPE.fullmatch(name):
                raise ModelError(f"its pickle has an array of type {name[:40]!r}, not of numbers")
            self.value = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order, *compound = (text(state[1]), *state[2:5])
        if any(part is not None for part in compound) or order not in ("<", ">", "|", "="):
            raise ModelError("its pickle has an array of records, not of numbers")
        self.value = self.value.newbyteorder(order)  # type: ignore[arg-type]  # checked above

    def array(self, raw: object, shape: tuple[int, ...]) -> np.ndarray:
        """`raw` as an array, which must have exactly the bytes that `shape` needs."""
        buffer = raw.encode("latin-1") if isinstance(raw, str) else raw
        if self.objects or not isinstance(buffer, bytes | bytearray):
            raise ModelError("its pickle has an array of objects, not of numbers")
        needed = _count(shape) * self.value.itemsize
        if len(buffer) != needed:
            raise ModelError(
                f"its pickle has an array of shape {shape} that needs {needed} bytes, "
                f"with {len(buffer)}"
            )
        if not needed:
            return np.zeros(shape, self.value)
        return np.frombuffer(buffer, self.value).reshape(-1)


class Array:
    """Stands in for `numpy.ndarray` while its state is still to come."""

    __slots__ = ("objects", "value")
    value: np.ndarray | None
    objects: list[object] | None

    def __new__(cls) -> "Array":  # noqa: D102
        made = super().__new__(cls)
        made.value, made.objects = None, None
        return made

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, dtype, fortran, raw = state[-4:]
        if not isinstance(dtype, DType):
            raise ModelError("its pickle has an array without a type")
        if dtype.objects and shape == () and isinstance(raw, list) and len(raw) == 1:
            self.objects = raw
        else:
            self.value = _shaped(dtype.array(raw, shape), shape, fortran)


def _count(shape: object) -> int:
    sizes = shape if isinstance(shape, tuple) and len(shape) <= 8 else (-1,)
    if any(type(size) is not int or not 0 <= size <= _LIMIT for size in sizes):
        raise ModelError(f"its pickle has an array of shape {str(shape)[:60]}")
    return prod(sizes)


def _shaped(flat: np.ndarray, shape: tuple[int, ...], fortran: object) -> np.ndarray:
    return flat.reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: object, shape: object, code: object) -> Array:
    if kind is not Array or shape != (0,):
        raise ModelError("its pickle builds an array in an unknown way")
    return Array()


def _scalar(dtype: DType, raw: object = None) -> object:
    return dtype.array(raw, ())[0].item()


def _from_buffer(raw: object, dtype: DType, shape: tuple[int, ...], order: object) -> Array:
    array = Array()
    array.value = _shaped(dtype.array(raw, shape), shape, text(order) == "F")
    return array


def _encode(characters: str, encoding: object = "latin1") -> bytes:
    if text(encoding) not in ("latin1", "latin-1"):
        raise ModelError("its pickle holds text in an unknown encoding")
    return characters.encode("latin-1")


def _no_bytes() -> bytes:
    """Protocols below 3 write empty bytes as a call without arguments."""
    return b""


def _path(*parts: object) -> str:
    return "/".join(text(part) for part in parts)


def _new_object(kind: object, base: object, state: object) -> object:
    """What `copyreg._reconstructor` does, for the stand-ins of this module alone."""
    if not (isinstance(kind, type) and issubclass(kind, State)) or state is not None:
        raise ModelError("its pickle builds an object in an unknown way")
    return kind()


def _nothing(*arguments: object) -> None:
    """What a tensor of torch becomes: the one file that has some needs none of them."""


class State:
    """Stands in for an object of numpy's company; keeps its state and knows nothing else."""

    __slots__ = ("state",)
    state: dict[Any, Any]
    module = name = ""

    def __new__(cls) -> "State":  # noqa: D102
        made = super().__new__(cls)
        made.state = {}
        return made

    def __setstate__(self, state: object) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if part is not None and not isinstance(part, dict):
                raise ModelError(f"its pickle has a {self.name} in an unknown form")
            self.state = {**self.state, **(part or {})}


class Function:
    """A function that a pickle may call, and cannot change."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call

    def __call__(self, *arguments: object) -> object:
        return self._call(*arguments)

    def __setstate__(self, state: object) -> NoReturn:
        raise ModelError("its pickle tries to change a function")


_CORES = ("numpy.core", "numpy._core")
ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Function(DType),
    ("_codecs", "encode"): Function(_encode),
    ("collections", "OrderedDict"): Function(dict),
    ("torch._utils", "_rebuild_tensor_v2"): Function(_nothing),
    ("torch.storage", "_load_from_bytes"): Function(_nothing),
    **{("pathlib", f"{kind}Path"): Function(_path) for kind in ("Pure", "PurePosix", "Posix")},
    **{(f"{core}.multiarray", "_reconstruct"): Function(_reconstruct) for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): Function(_scalar) for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): Function(_from_buffer) for core in _CORES},
    **{(name, "_reconstructor"): Function(_new_object) for name in ("copyreg", "copy_reg")},
    **{(name, "object"): None for name in ("builtins", "__builtin__")},
    **{(name, "set"): Function(list) for name in ("builtins", "__builtin__")},
    **{(name, "bytes"): Function(_no_bytes) for name in ("builtins", "__builtin__")},
}
