"""Readers of morphable models, one module a family, chosen by what a file holds.

A reader is a module with `NAME` (what it reads, for messages, with an article: "a FLAME model
(.pkl)"), `recognises(content) -> bool`, and `read(content, *, expression=None, ...)`, which
returns a `MorphableModel` in the units and axes of the package. It is imported on first use.
Keyword arguments of `read` are the options that `read_model` passes on.
"""

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from morphface.core.errors import ModelError
from morphface.models.morphable import MorphableModel
from morphface.models.readers.content import Content, look

__all__ = ["READERS", "Content", "about", "choose_reader", "look", "read_model", "reader_of"]

READERS = (
    *("native", "bfm_hdf5", "bfm_front", "bfm2009", "lsfm", "tddfa", "tddfa_v3"),
    *("flame", "gnm", "ict", "surrey"),
)
"""Modules of this package, in the order in which they are asked."""


def read_model(path: str | Path, *, expected: str | None = None, **options: Any) -> MorphableModel:
    """Read a model of any known kind; the kind is found out from the content.

    Args:
        path: of a file or a folder.
        expected: name of the reader module that the file must be one for; None allows any.
        options: passed on to the reader, such as `expression`, the file of a separate expression
            basis. Those that are None count as not given.

    Raises:
        MissingFileError: there is nothing at the path.
        ModelError: no reader knows the content, another one than `expected` does, the reader has
            no such option, or the file is damaged. The message says what the file looks like.
    """
    content = look(path)
    reader = choose_reader(content)
    if expected is not None and reader is not _reader(expected):
        seen = content.describe() if reader is None else reader.NAME
        raise ModelError(f"{path} looks like {seen}, but {_reader(expected).NAME} was expected")
    if reader is None:
        known = "; ".join(_reader(name).NAME for name in READERS)
        raise ModelError(f"{path} is {content.describe()}, not a model known here: {known}")
    given = {name: value for name, value in options.items() if value is not None}
    _check_options(reader, given)
    return reader.read(content, **given)


def about(path: str | Path) -> tuple[str, str]:
    """What a model's file is read as, and in which units and axes such files have their values.

    Raises:
        MissingFileError: there is nothing at the path.
        ModelError: no reader knows the content.
    """
    content = look(path)
    reader = choose_reader(content)
    if reader is None:
        raise ModelError(f"{path} is {content.describe()}, not a model known here")
    paragraphs = (inspect.getdoc(reader) or "").split("\n\n")
    return reader.NAME, " ".join(paragraphs[min(1, len(paragraphs) - 1)].split())


def reader_of(path: str | Path) -> str | None:
    """Name of the module that would read what is at `path`, or None.

    Raises:
        MissingFileError: there is nothing at the path.
    """
    reader = choose_reader(look(path))
    return None if reader is None else reader.__name__.rpartition(".")[2]


def choose_reader(content: Content) -> ModuleType | None:
    """The reader for this content, or None."""
    for name in READERS:
        reader = _reader(name)
        if reader.recognises(content):
            return reader
    return None


def _reader(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")


def _check_options(reader: ModuleType, options: dict[str, Any]) -> None:
    known = list(inspect.signature(reader.read).parameters)[1:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        has = f"only {', '.join(known)}" if known else "none"
        raise ModelError(f"{reader.NAME} has no option {', '.join(unknown)}: it takes {has}")
