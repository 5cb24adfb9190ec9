"""Which models there are, and how to load one."""

from functools import lru_cache
from pathlib import Path

from morphface.core.errors import ModelError
from morphface.models.morphable import MorphableModel
from morphface.models.storage import read_model_file
from morphface.models.subdivide import subdivide_model

__all__ = ["DETAILS", "MODELS", "load_model"]

MODELS = {"open-head": Path(__file__).parent / "data" / "open_head.safetensors"}
DETAILS = ("standard", "high")


def load_model(
    name_or_path: str | Path = "open-head", *, detail: str = "standard"
) -> MorphableModel:
    """A morphable model by name, or from a file in our own format.

    Loaded models are immutable and kept, so a second call is free.

    Args:
        name_or_path: "open-head", which ships with the package, or the path of a model file.
        detail: "standard", or "high" for one level of Loop subdivision (four times the faces).

    Raises:
        ModelError: no model has this name, `detail` is unknown, or the file is not a model.
        MissingFileError: there is no file at the path.
    """
    if detail not in DETAILS:
        raise ModelError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}")
    return _load(_resolve(name_or_path), detail)


def _resolve(name_or_path: str | Path) -> Path:
    name = str(name_or_path)
    if name in MODELS:
        return MODELS[name]
    if Path(name).suffix or "/" in name or Path(name).exists():
        return Path(name).resolve()
    raise ModelError(f"no model is called {name!r}: known are {', '.join(MODELS)}, or give a path")


@lru_cache(maxsize=4)
def _load(path: Path, detail: str) -> MorphableModel:
    if detail == "high":
        return subdivide_model(_load(path, "standard"))
    return read_model_file(path)
