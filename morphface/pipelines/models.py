"""Which models are here, what is in one, and writing it in our own format: wiring only."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from morphface.core.errors import ModelError
from morphface.models import MODELS, MorphableModel, load_model, save_model
from morphface.models.catalogue import how_to_get, model_path
from morphface.models.folder import file_of_known, known_model_at, models_folder, own_models
from morphface.models.known import KNOWN, KnownModel, find_known
from morphface.models.readers import about, reader_of
from morphface.models.storage import read_header

__all__ = ["ListedModel", "convert_model", "describe_model", "list_models", "sizes_of"]

_ENDING = ".safetensors"
_OPEN_HEAD = "Apache-2.0; made from CC0 data"


@dataclass(frozen=True)
class ListedModel:
    """A model, here or to be had.

    Args:
        name: by which it is loaded.
        here: whether it can be loaded now.
        title: what it is.
        licence: in a few words, "" where it is not known.
        note: where it is; if it is not here, how to get it.
    """

    name: str
    here: bool
    title: str
    licence: str
    note: str


def list_models() -> list[ListedModel]:
    """Every model that ships with morphface, lies in the folder for models, or is published."""
    listed = [
        ListedModel(name, path.is_file(), "ships with morphface", _OPEN_HEAD, str(path))
        for name, path in MODELS.items()
    ]
    for name, path in own_models().items():
        notes = _notes(path)
        listed.append(ListedModel(name, True, notes["source"], notes["licence"], str(path)))
    return listed + [_listed(model) for model in KNOWN]


def describe_model(name_or_path: str | Path, **options: Any) -> dict[str, str]:
    """What is in a model, as pairs of a heading and words.

    Args:
        name_or_path: as for `load_model`, and so are the options.
        options: such as `expression`.

    Raises:
        ModelError: as in `load_model`.
        MissingFileError: as in `load_model`.
    """
    path, model = model_path(name_or_path), load_model(name_or_path, **options)
    notes, (kind, layout) = _notes(path), about(path)
    missing = f"none yet: morphface models embed {name_or_path}"
    return {
        "name": model.name,
        "file": str(path),
        "read as": kind,
        "units": layout,
        "licence": notes["licence"] or "not known; see where you got it",
        "source": notes["source"] or "not known",
        **sizes_of(model),
        "regions": ", ".join(sorted(model.regions)) or "none",
        "landmarks": ", ".join(sorted(model.landmarks)) or missing,
    }


def convert_model(
    source: str | Path, target: str | Path, *, half: bool = False, **options: Any
) -> Path:
    """Write a model in our own format; where it is now.

    Args:
        source: name or path of any model.
        target: a path that ends with ".safetensors", or a name, by which the model is then found
            in the folder for models.
        half: store its bases in half precision.
        options: as for `load_model`, such as `expression`.

    Raises:
        ModelError: as in `load_model`, or `target` is the name of another model.
        MissingFileError: as in `load_model`.
        OutputError: the file cannot be written there.
    """
    place = _target(str(target))
    path, model = model_path(source), load_model(source, **options)
    notes = {key: words for key, words in _notes(path).items() if words}
    named = replace(model, name=place.name.removesuffix(_ENDING))
    save_model(named, place, half=half, notes={"source": path.name} | notes)
    return place


def _notes(path: Path) -> dict[str, str]:
    """What is known of a file's source and licence, "" for what is not."""
    if path in MODELS.values():
        return {"source": str(read_header(path).get("source", "")), "licence": _OPEN_HEAD}
    known = known_model_at(path)
    if known is not None:
        return {"source": known.url, "licence": known.licence}
    header = read_header(path) if path.is_file() and reader_of(path) == "native" else {}
    return {key: str(header.get(key, "")) for key in ("source", "licence")}


def _listed(model: KnownModel) -> ListedModel:
    path = file_of_known(model)
    note = how_to_get(model, licence=False) if path is None else str(path)
    return ListedModel(model.name, path is not None, model.title, model.licence, note)


def sizes_of(model: MorphableModel) -> dict[str, str]:
    """What a model has and how much of it, as pairs of a heading and words."""
    mean = model.identity.mean
    width, height, depth = (mean.amax(0) - mean.amin(0)).tolist()
    colour = model.reflectance
    return {
        "vertices": f"{model.size}, {len(model.faces)} triangles",
        "size": f"{width:.0f} x {height:.0f} x {depth:.0f} mm",
        "identity": f"{model.identity.rank} components",
        "expression": _expressions(model),
        "reflectance": "none" if colour is None else f"{colour.rank} components",
        "eyes": "turn with the gaze" if model.eyes else "none",
        "texture": "none" if model.uv is None else f"{len(model.uv)} coordinates",
    }


def _expressions(model: MorphableModel) -> str:
    basis = model.expression
    if not basis.rank:
        return "none"
    bounded = int(basis.bounds.isfinite().all(dim=1).sum())
    kinds = [(bounded, "with bounds"), (basis.rank - bounded, "in standard deviations")]
    counts = ", ".join(f"{count} {words}" for count, words in kinds if count)
    some = ", ".join(basis.names[:3])
    return f"{counts} ({some}{', ...' if basis.rank > 3 else ''})"


def _target(target: str) -> Path:
    if target.endswith(_ENDING):
        return Path(target)
    if "/" in target or "\\" in target or "." in target:
        raise ModelError(f"{target} must end with {_ENDING}, or be a plain name for the model")
    if target in MODELS or find_known(target):
        raise ModelError(f"{target!r} is the name of another model: choose one of your own")
    return models_folder() / f"{target}{_ENDING}"
