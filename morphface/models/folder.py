"""The user's folder for models: what was put or converted there is loaded by its name."""

import os
from pathlib import Path

from morphface.models.known import KNOWN, KnownModel

__all__ = [
    "FOLDER_VARIABLE",
    "companions_of",
    "file_of_known",
    "known_model_at",
    "models_folder",
    "own_models",
]

FOLDER_VARIABLE = "MORPHFACE_MODELS"
"""The environment variable that names another folder for models."""
_ENDING = ".safetensors"


def models_folder() -> Path:
    """Where models are looked for by name; it need not exist.

    The folder `models` in morphface's folder of the user's cache, unless the environment variable
    MORPHFACE_MODELS names another.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("morphface")) / "models"


def own_models() -> dict[str, Path]:
    """Models in our own format in the folder, by name."""
    folder = models_folder()
    found = sorted(folder.glob(f"*{_ENDING}")) if folder.is_dir() else []
    return {path.name.removesuffix(_ENDING): path for path in found if _is_model(path)}


def _is_model(path: Path) -> bool:
    return path.is_file() and "." not in path.name.removesuffix(_ENDING)


def file_of_known(model: KnownModel) -> Path | None:
    """Where a published model lies in the folder, or in its subfolder of the model's name."""
    root = models_folder()
    for folder in (root, root / model.name):
        for name in model.files:
            if (folder / name).exists():
                return folder / name
    return None


def known_model_at(path: Path) -> KnownModel | None:
    """The published model whose file this is by its name and place in the folder for models."""
    return next((model for model in KNOWN if file_of_known(model) == path), None)


def companions_of(path: Path, reader: str) -> dict[str, Path | tuple[Path, ...]]:
    """Files beside a published model that its reader takes as options, by option.

    Args:
        path: of the model.
        reader: the module that will read it; a file that is only named like a published model
            gets nothing.
    """
    found: dict[str, Path | tuple[Path, ...]] = {}
    for model in KNOWN:
        if path.name in model.files and reader == model.reader:
            for option, names in model.companions:
                places = tuple(path.with_name(name) for name in names)
                there = tuple(place for place in places if place.is_file())
                if there:
                    found[option] = there[0] if len(there) == 1 else there
    return found
