"""Which models there are, and how to load one."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.folder import companions_of, file_of_known, models_folder, own_models
from morphface.models.known import KNOWN, KnownModel, find_known
from morphface.models.landmark_file import landmark_file, with_landmarks
from morphface.models.morphable import MorphableModel
from morphface.models.readers import read_model, reader_of
from morphface.models.subdivide import subdivide_model

__all__ = ["DETAILS", "MODELS", "how_to_get", "load_model", "model_path"]

MODELS = {"open-head": Path(__file__).parent / "data" / "open_head.safetensors"}
DETAILS = ("standard", "high")


@dataclass(frozen=True)
class _Request:
    """What a loaded model was asked for with, and when its files were written."""

    path: Path
    reader: str | None
    detail: str
    options: tuple[tuple[str, Any], ...]
    changed: tuple[int, ...]


def load_model(
    name_or_path: str | Path = "open-head",
    *,
    detail: str = "standard",
    expression: str | Path | None = None,
    **options: Any,
) -> MorphableModel:
    """A morphable model by name, or from a file or folder of any known kind.

    What a file holds decides how it is read, not what it is called. Landmark embeddings that were
    computed before are added. Loaded models are immutable and the last few are kept, so that a
    second call is free.

    Args:
        name_or_path: "open-head", which ships with the package; a path; the name of a model that
            was converted into the folder for models; or that of a published model, such as
            "bfm2019" or "flame", whose file was put there.
        detail: "standard", or "high" for one level of Loop subdivision (four times the faces).
        expression: the file of a separate expression basis, for models that come without. One
            that the model's authors name and that lies beside the model is found by itself.
        options: further files or settings that the reader of this kind of model takes.

    Raises:
        ModelError: no model has this name, `detail` or an option is unknown, or the content is
            not that of a model, or of another than its name says.
        MissingFileError: there is nothing at the path, or the model is one that must be
            obtained first; the message says where, and where to put it.
    """
    if detail not in DETAILS:
        raise ModelError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}")
    path, reader = _resolve(name_or_path)
    chosen = options | {"expression": expression and Path(expression)}
    kept = tuple((name, _fixed(chosen[name])) for name in sorted(chosen))
    return _load(_Request(path, reader, detail, kept, _changed(path)))


def model_path(name_or_path: str | Path) -> Path:
    """The file or folder that `load_model` would read.

    Raises:
        ModelError: no model has this name.
        MissingFileError: the model is one that must be obtained first.
    """
    return _resolve(name_or_path)[0]


def how_to_get(model: KnownModel, *, licence: bool = True) -> str:
    """One sentence: where a published model is to be had, and where to put it.

    Args:
        model: which one.
        licence: say under which licence, too.
    """
    first = " or ".join(model.files[:2])
    under = f" (licence: {model.licence})" if licence else ""
    place = f"put {first} into {models_folder()}, or give its path"
    return f"obtain it from {model.url}{under}, then {place}"


def _resolve(name_or_path: str | Path) -> tuple[Path, str | None]:
    """Where the model is, and the reader that it must be one for."""
    name = str(name_or_path)
    if name in MODELS:
        return MODELS[name], None
    if isinstance(name_or_path, Path) or "/" in name or "\\" in name or Path(name).exists():
        return Path(name).expanduser().absolute(), None
    own, known = own_models(), find_known(name)
    if name in own:
        return own[name], None
    if known is not None:
        found = file_of_known(known)
        if found is None:
            raise MissingFileError(f"model {name!r} is not here: {how_to_get(known)}")
        return found, known.reader
    if Path(name).suffix:
        return Path(name).absolute(), None
    names = [*MODELS, *own, *(item.name for item in KNOWN)]
    raise ModelError(f"no model is called {name!r}: known are {', '.join(names)}, or give a path")


def _fixed(option: Any) -> Any:
    """A list of files as a tuple, so that what was asked for can be remembered."""
    return tuple(option) if isinstance(option, list) else option


def _changed(path: Path) -> tuple[int, ...]:
    """When the model and its landmarks were last written, 0 for what is not there."""
    places = (path, landmark_file(path))
    return tuple(place.stat().st_mtime_ns if place.exists() else 0 for place in places)


@lru_cache(maxsize=4)
def _load(request: _Request) -> MorphableModel:
    if request.detail == "high":
        return subdivide_model(_load(replace(request, detail="standard")))
    beside = companions_of(request.path, reader_of(request.path) or "")
    chosen = {name: value for name, value in request.options if value is not None}
    model = read_model(request.path, expected=request.reader, **(beside | chosen))
    return with_landmarks(model, request.path)
