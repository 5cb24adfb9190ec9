"""What old model files pickled, read without running anything of theirs.

Admitted are numpy arrays, dtypes and scalars, scipy.sparse matrices, chumpy and menpo objects
(as inert records), and the builtin containers; tensors of torch are passed over. Every one is
built by a stand-in (`standins`), so that no class or function that a file names is imported. The
opcodes are walked once before anything is loaded: those that could reach further are refused, and
so are sizes that the file cannot hold.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.readers.inert import Record, evaluate, sparse_matrix
from morphface.models.readers.standins import ADMITTED, Array, DType, State, text

__all__ = ["load_pickle", "read_pickle"]

_LIMIT = 2**32  # bytes of a file
_MOST_OPCODES = 4_000_000
_MOST_TUPLES = 10_000  # more than any model has; hashing a deep nest of them overflows the stack
_DEEPEST = 48
_REFUSED = {
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), "the extension registry"),
    **dict.fromkeys(("PERSID", "BINPERSID"), "a persistent id"),
    **dict.fromkeys(("INST", "OBJ", "NEWOBJ_EX"), "an object of an unknown class"),
    **dict.fromkeys(("NEXT_BUFFER", "READONLY_BUFFER"), "a buffer outside the file"),
}
_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_PREFIXES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
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
    with path.open("rb") as file:
        try:
            return load_pickle(file, size)
        except ModelError as error:
            raise ModelError(f"{path} is not loaded: {error}") from None
        except Exception as error:  # a damaged pickle can raise anything
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(f"{path} is no pickle, or is damaged: {reason}") from None


def load_pickle(file: BinaryIO, size: int) -> object:
    """What `read_pickle` reads, of an open file.

    Args:
        file: that can be sought in, at its beginning.
        size: of it, in bytes.

    Raises:
        ModelError: it asks for anything but data, or is truncated.
        Exception: whatever a damaged pickle makes Python raise.
    """
    wrapped = file.read(6) == b"\x93NUMPY"
    file.seek(0)
    if wrapped:
        _check_wrapper(file)
    start = file.tell()
    _check_opcodes(file, size)
    file.seek(start)
    loaded = _Unpickler(file, encoding="bytes").load()
    if wrapped and isinstance(loaded, Array) and loaded.objects is not None:
        loaded = loaded.objects[0]
    return _plain(loaded, {}, 0)


def _check_wrapper(file: BinaryIO) -> None:
    """Step over the header of a `.npy` file that holds one pickled object."""
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(file)
    if shape != () or dtype != np.dtype(object):
        raise ModelError(f"it holds an array of {dtype}, not one pickled object")


def _check_opcodes(file: BinaryIO, size: int) -> None:
    """Refuse what reaches beyond plain data, and a memo larger than the pickle could fill."""
    tuples = 0
    for count, (name, argument) in enumerate(_opcodes(file, size)):
        if name in _REFUSED:
            raise ModelError(f"its pickle asks for {_REFUSED[name]}, which no model needs")
        if name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= int(argument or 0) <= count + 1:
            raise ModelError(f"its pickle has a memo index {argument} out of order")
        tuples += name.startswith("TUPLE")
        if count > _MOST_OPCODES or tuples > _MOST_TUPLES:
            raise ModelError("its pickle has more parts than any model has")


def _opcodes(file: BinaryIO, size: int) -> Iterator[tuple[str, Any]]:
    """Names and short arguments. Long ones are stepped over, so that no memory is spent on them."""
    name = ""
    while name != "STOP":
        opcode = _OPCODES.get(file.read(1))
        if opcode is None:
            raise ModelError("it ends too early, or has an unknown opcode")
        name, argument = opcode.name, opcode.arg
        if name == "FRAME":
            _check_length(file, size, int.from_bytes(file.read(8), "little"))
            yield name, None
        elif argument is not None and argument.n in _PREFIXES:
            length = int.from_bytes(file.read(_PREFIXES[argument.n]), "little")
            _check_length(file, size, length)
            file.seek(length, io.SEEK_CUR)
            yield name, None
        elif name == "STRING":  # as bytes: Python 2 wrote others than text in it
            yield name, file.readline()
        else:
            yield name, None if argument is None else argument.reader(file)


def _check_length(file: BinaryIO, size: int, length: int) -> None:
    left = size - file.tell()
    if length > left:
        raise ModelError(f"it claims {length} bytes where {left} follow: truncated")


class _Unpickler(pickle.Unpickler):
    """Resolves names to the stand-ins above, and no name to anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in ADMITTED:
            return ADMITTED[module, name]
        sparse = _SPARSE.fullmatch(module) and re.fullmatch(r"(csc|csr|coo)_(matrix|array)", name)
        if sparse or (_RECORDS.fullmatch(module) and re.fullmatch(r"\w+", name)):
            return type(name, (State,), {"__slots__": (), "module": module, "name": name})
        wanted = f"{module}.{name}"[:100]
        shown = wanted if wanted.isprintable() else ascii(wanted)
        raise ModelError(
            f"its pickle asks for {shown}, which is not data; a model needs numpy, "
            "scipy.sparse and chumpy alone"
        )


def _plain(value: object, done: dict[int, object], depth: int) -> object:
    """`value` with every stand-in replaced by what it stands for."""
    if depth > _DEEPEST:
        raise ModelError("its pickle is nested deeper than any model")
    if isinstance(value, bytes | bytearray):
        return text(bytes(value))
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
        name = text(key) if isinstance(key, bytes) else key
        if not isinstance(name, str | int | float | None):
            raise ModelError("its pickle has a dictionary with unreadable keys")
        entries[name] = _plain(item, done, depth + 1)
    return entries


def _replaced(value: object, done: dict[int, object], depth: int) -> object:
    if isinstance(value, Array):
        if value.value is None:
            raise ModelError("its pickle has an array without values")
        return value.value
    if isinstance(value, tuple):
        return tuple(_plain(item, done, depth + 1) for item in value)
    if isinstance(value, set | frozenset):
        return [_plain(item, done, depth + 1) for item in value]
    if isinstance(value, DType):
        return value.value
    if isinstance(value, State):
        return _object(value, done, depth)
    raise ModelError("its pickle holds the name of a function, not data")


def _object(value: State, done: dict[int, object], depth: int) -> object:
    state = {text(key): _plain(item, done, depth + 1) for key, item in value.state.items()}
    if value.module.startswith("scipy"):
        return sparse_matrix(value.name[:3], state)
    return evaluate(Record(f"{value.module}.{value.name}", state))
