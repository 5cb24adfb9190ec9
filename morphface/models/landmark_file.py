"""Landmark embeddings that were computed for a model, kept in a file beside it.

The file is safetensors with the embeddings under the names of our model format. Its header holds
a fingerprint of the model's mean and faces, so that a file left from another model is not used.
Where the model's folder cannot be written to, the file goes to the user's folder for models.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open

from morphface.core.errors import OutputError
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.folder import models_folder
from morphface.models.morphable import MorphableModel
from morphface.models.storage import landmark_tensors, landmarks_of, write_tensors

__all__ = ["fingerprint", "landmark_file", "save_landmarks", "with_landmarks"]

_FORMAT = "morphface-landmarks"
_VERSION = 2  # 1: as the detector saw them on one grey face; these are computed again


def fingerprint(model: MorphableModel) -> str:
    """Tells models of different mean or faces apart."""
    digest = hashlib.sha256()
    for tensor in (model.identity.mean, model.faces):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def landmark_file(path: Path) -> Path:
    """Where the embeddings of the model at `path` are kept: beside it, or in a folder of it."""
    return path.with_name(f"{path.name}.landmarks.safetensors")


def with_landmarks(model: MorphableModel, path: Path) -> MorphableModel:
    """`model` with the embeddings that were saved for it; its own ones stay."""
    if model.landmarks.keys() >= {"478", "68"}:
        return model
    for place in (landmark_file(path), _elsewhere(path)):
        found = _read(place, model) if place.is_file() else {}
        if found:
            return replace(model, landmarks=found | model.landmarks)
    return model


def save_landmarks(
    model: MorphableModel, path: Path, landmarks: Mapping[str, LandmarkEmbedding]
) -> Path:
    """Keep embeddings for the model at `path`; where they are now.

    Args:
        model: as it was loaded.
        path: of its file or folder.
        landmarks: embeddings by scheme name.

    Raises:
        OutputError: they can be written neither beside the model nor to the folder for models.
    """
    header = {"format": _FORMAT, "version": _VERSION, "model": fingerprint(model)}
    for place in (landmark_file(path), _elsewhere(path)):
        try:
            write_tensors(place, dict(landmark_tensors(landmarks)), header)
        except OutputError:
            if place == _elsewhere(path):
                raise
        else:
            break
    return place


def _elsewhere(path: Path) -> Path:
    tag = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    return models_folder() / "landmarks" / landmark_file(path.with_name(f"{path.name}-{tag}")).name


def _read(place: Path, model: MorphableModel) -> dict[str, LandmarkEmbedding]:
    """The embeddings in a file; none if it is damaged or belongs to another model."""
    try:
        with safe_open(place, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("morphface", "{}"))
            if header != {"format": _FORMAT, "version": _VERSION, "model": fingerprint(model)}:
                return {}
            return landmarks_of({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError, KeyError):
        return {}
