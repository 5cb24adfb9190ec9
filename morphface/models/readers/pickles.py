"""What old model files pickled, read without running anything of theirs.

Admitted are numpy arrays, dtypes and scalars, scipy.sparse matrices, chumpy and menpo objects
(as inert records), and the builtin containers. Every one is built by a stand-in of this module,
so that no class or function that a file names is ever imported. The opcodes are walked once
before anything is loaded: those that could reach further are refused, and so are sizes that the
file cannot hold.
"""

import mmap
import pickle
import pickletools
import re
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
from numpy.lib import format as npy

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.readers.inert import Record, evaluate, sparse_matrix

__all__ = ["read_pickle"]

_LIMIT = 2**32  # bytes of a file
_MOST_OPCODES = 4_000_000
_MOST_TUPLES = 100_000  # more than any model has; hashing a deep nest of them overflows the stack
_DEEPEST = 48
_REFUSED = {
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), "the extension registry"),
    **dict.fromkeys(("PERSID", "BINPERSID"), "a persistent id"),
    **dict.fromkeys(("INST", "OBJ", "NEWOBJ_EX"), "an object of an unknown class"),
    **dict.fromkeys(("NEXT_BUFFER", "READONLY_BUFFER"), "a buffer outside the file"),
}
_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_DTYPE = re.compile(r"[<>|=]?(\?|b1|[iu][1248]|f[248]|c8|c16|[SU][1-9]\d{0,3})")
_SPARSE = re.compile(r"scipy\.sparse(\._?(csc|csr|coo))?")
_RECORDS = re.compile(r"(chumpy|menpo)(\.\w+)*")


def read_pickle(path: Path) -> object:
    """The contents of a pickle, or of a `.npy` file around one, with nothing executed.

    Protocols 0 to 5, of Python 2 (text is taken as Latin-1) and 3. Arrays are read-only views of
    the bytes read; sparse matrices are those of scipy; chumpy objects become the arrays they
    stand for, where they only hold or select values, and a `Record` otherwise.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it is not a pickle, is truncated, or asks for anything but data.
    """
    if not path.is_file():
        raise MissingFileError(f"there is no model file at {path}")
    size = path.stat().st_size
    if not 0 < size <= _LIMIT:
        raise ModelError(f"{path} has {size} bytes: a pickled model has 1 to {_LIMIT}")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _load(data)
        except ModelError as error:
            raise ModelError(f"{path} is not loaded: {error}") from None
        except Exception as error:  # a damaged pickle can raise anything
            reason = str(error) or type(error).__name__
            raise ModelError(f"{path} is no pickle, or is damaged: {reason}") from None


def _load(data: mmap.mmap) -> object:
    wrapped = data[:6] == b"\x93NUMPY"
    if wrapped:
        _check_wrapper(data)
    start = data.tell()
    _check_opcodes(data)
    data.seek(start)
    loaded = _Unpickler(data, encoding="bytes").load()
    if wrapped and isinstance(loaded, _Array) and loaded.objects is not None:
        loaded = loaded.objects[0]
    return _plain(loaded, {}, 0)


def _check_wrapper(data: mmap.mmap) -> None:
    """Step over the header of a `.npy` file that holds one pickled object."""
    version = npy.read_magic(data)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(data)
    if shape != () or dtype != np.dtype(object):
        raise ModelError(f"it holds an array of {dtype}, not one pickled object")


def _check_opcodes(data: mmap.mmap) -> None:
    """Refuse what reaches beyond plain data, and a memo larger than the pickle could fill."""
    tuples = 0
    for count, (name, argument) in enumerate(_opcodes(data)):
        if name in _REFUSED:
            raise ModelError(f"its pickle asks for {_REFUSED[name]}, which no model needs")
        if name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= int(argument or 0) <= count + 1:
            raise ModelError(f"its pickle has a memo index {argument} out of order")
        tuples += name.startswith("TUPLE")
        if count > _MOST_OPCODES or tuples > _MOST_TUPLES:
            raise ModelError("its pickle has more parts than any model has")


def _opcodes(data: Any) -> Iterator[tuple[str, Any]]:
    """As `pickletools.genops`, which refuses the byte strings of Python 2's text protocol."""
    name = ""
    while name != "STOP":
        opcode = _OPCODES.get(data.read(1))
        if opcode is None:
            raise ModelError("it ends too early, or has an unknown opcode")
        name = opcode.name
        if name == "STRING":
            yield name, data.readline()
        else:
            yield name, None if opcode.arg is None else opcode.arg.reader(data)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _DType:
    """Stands in for `numpy.dtype`: numbers and text only, whatever its state claims."""

    __slots__ = ("objects", "order", "value")

    def __init__(self, code: object, align: object = False, copy: object = False) -> None:
        text = _text(code)
        self.objects = text in ("O", "O4", "O8")
        self.value = np.dtype(np.uint8)
        if not self.objects:
            if not _DTYPE.fullmatch(text):
                raise ModelError(f"its pickle has an array of type {text[:40]!r}, not of numbers")
            self.value = np.dtype(text)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order, *compound = (_text(state[1]), *state[2:5])
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


class _Array:
    """Stands in for `numpy.ndarray` while its state is still to come."""

    __slots__ = ("objects", "value")
    value: np.ndarray | None
    objects: list[object] | None

    def __new__(cls) -> Self:
        made = super().__new__(cls)
        made.value, made.objects = None, None
        return made

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, dtype, fortran, raw = state[-4:]
        if not isinstance(dtype, _DType):
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


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    if kind is not _Array or shape != (0,):
        raise ModelError("its pickle builds an array in an unknown way")
    return _Array()


def _scalar(dtype: _DType, raw: object = None) -> object:
    return dtype.array(raw, ())[0].item()


def _from_buffer(raw: object, dtype: _DType, shape: tuple[int, ...], order: object) -> _Array:
    array = _Array()
    array.value = _shaped(dtype.array(raw, shape), shape, _text(order) == "F")
    return array


def _encode(text: str, encoding: object = "latin1") -> bytes:
    if _text(encoding) not in ("latin1", "latin-1"):
        raise ModelError("its pickle holds text in an unknown encoding")
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    """Protocols below 3 write empty bytes as a call without arguments."""
    return b""


def _path(*parts: object) -> str:
    return "/".join(_text(part) for part in parts)


def _new_object(kind: object, base: object, state: object) -> object:
    """What `copyreg._reconstructor` does, for the stand-ins of this module alone."""
    if not (isinstance(kind, type) and issubclass(kind, _State)) or state is not None:
        raise ModelError("its pickle builds an object in an unknown way")
    return kind()


def _nothing(*arguments: object) -> None:
    """What a tensor of torch becomes: the one file that has some needs none of them."""


class _State:
    """Stands in for an object of numpy's company; keeps its state and knows nothing else."""

    __slots__ = ("state",)
    state: dict[Any, Any]
    module = name = ""

    def __new__(cls) -> Self:
        made = super().__new__(cls)
        made.state = {}
        return made

    def __setstate__(self, state: object) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if part is not None and not isinstance(part, dict):
                raise ModelError(f"its pickle has a {self.name} in an unknown form")
            self.state = {**self.state, **(part or {})}


class _Function:
    """A function that a pickle may call, and cannot change."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call

    def __call__(self, *arguments: object) -> object:
        return self._call(*arguments)

    def __setstate__(self, state: object) -> NoReturn:
        raise ModelError("its pickle tries to change a function")


_CORES = ("numpy.core", "numpy._core")
_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Function(_DType),
    ("_codecs", "encode"): _Function(_encode),
    ("collections", "OrderedDict"): _Function(dict),
    ("torch._utils", "_rebuild_tensor_v2"): _Function(_nothing),
    ("torch.storage", "_load_from_bytes"): _Function(_nothing),
    **{("pathlib", f"{kind}Path"): _Function(_path) for kind in ("Pure", "PurePosix", "Posix")},
    **{(f"{core}.multiarray", "_reconstruct"): _Function(_reconstruct) for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _Function(_scalar) for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _Function(_from_buffer) for core in _CORES},
    **{(name, "_reconstructor"): _Function(_new_object) for name in ("copyreg", "copy_reg")},
    **{(name, "object"): None for name in ("builtins", "__builtin__")},
    **{(name, "set"): _Function(list) for name in ("builtins", "__builtin__")},
    **{(name, "bytes"): _Function(_no_bytes) for name in ("builtins", "__builtin__")},
}


class _Unpickler(pickle.Unpickler):
    """Resolves names to the stand-ins above, and no name to anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ADMITTED:
            return _ADMITTED[module, name]
        sparse = _SPARSE.fullmatch(module) and re.fullmatch(r"(csc|csr|coo)_(matrix|array)", name)
        if sparse or (_RECORDS.fullmatch(module) and re.fullmatch(r"\w+", name)):
            return type(name, (_State,), {"__slots__": (), "module": module, "name": name})
        raise ModelError(
            f"its pickle asks for {module}.{name}, which is not data; a model needs numpy, "
            "scipy.sparse and chumpy alone"
        )


def _plain(value: object, done: dict[int, object], depth: int) -> object:
    """`value` with every stand-in replaced by what it stands for."""
    if depth > _DEEPEST:
        raise ModelError("its pickle is nested deeper than any model")
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value))
    if value is None or isinstance(value, bool | int | float | complex | str):
        return value
    if id(value) not in done:
        if isinstance(value, list | dict):
            return _filled(value, done, depth)
        done[id(value)] = _replaced(value, done, depth)
    return done[id(value)]


def _filled(value: list[Any] | dict[Any, Any], done: dict[int, object], depth: int) -> object:
    """A list or a dict, which may contain itself."""
    if isinstance(value, list):
        items: list[object] = []
        done[id(value)] = items
        items.extend(_plain(item, done, depth + 1) for item in value)
        return items
    entries: dict[object, object] = {}
    done[id(value)] = entries
    for key, item in value.items():
        name = _text(key) if isinstance(key, bytes) else key
        if not isinstance(name, str | int | float | None):
            raise ModelError("its pickle has a dictionary with unreadable keys")
        entries[name] = _plain(item, done, depth + 1)
    return entries


def _replaced(value: object, done: dict[int, object], depth: int) -> object:
    if isinstance(value, _Array):
        if value.value is None:
            raise ModelError("its pickle has an array without values")
        return value.value
    if isinstance(value, tuple):
        return tuple(_plain(item, done, depth + 1) for item in value)
    if isinstance(value, set | frozenset):
        return [_plain(item, done, depth + 1) for item in value]
    if isinstance(value, _DType):
        return value.value
    if isinstance(value, _State):
        return _object(value, done, depth)
    raise ModelError("its pickle holds the name of a function, not data")


def _object(value: _State, done: dict[int, object], depth: int) -> object:
    state = {_text(key): _plain(item, done, depth + 1) for key, item in value.state.items()}
    if value.module.startswith("scipy"):
        return sparse_matrix(value.name[:3], state)
    return evaluate(Record(f"{value.module}.{value.name}", state))
