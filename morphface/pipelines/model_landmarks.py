"""Landmarks on a model that has none yet: computed once, kept beside it. Wiring only."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from morphface.core.errors import ModelError, OutputError
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.five import embed_five
from morphface.landmarks.tables import MESH_OF_68
from morphface.models import MODELS, LandmarkEmbedding, MorphableModel, load_model
from morphface.models.catalogue import model_path
from morphface.models.landmark_file import save_landmarks

__all__ = ["embed_model", "with_landmarks_for"]

Progress = Callable[[str], None]
_SCHEMES = ("478", "68")


def embed_model(name_or_path: str | Path, progress: Progress | None = None) -> Path:
    """Compute where the landmarks lie on a model and keep that beside it; the file written.

    Args:
        name_or_path: of the model.
        progress: is told what begins now.

    Raises:
        ModelError: the model has all landmarks in its own file already.
        LandmarkError: the detector sees no face in renderings of the model.
        OutputError: the result can be written nowhere.
    """
    if str(name_or_path) in MODELS:
        raise ModelError(f"model {name_or_path!r} has its landmarks already")
    path, model = model_path(name_or_path), load_model(name_or_path)
    return save_landmarks(model, path, _computed(model, progress or (lambda _: None)))


def with_landmarks_for(
    model: MorphableModel,
    name_or_path: str | Path,
    schemes: Iterable[str],
    progress: Progress | None = None,
) -> MorphableModel:
    """`model` with embeddings of the schemes that a fit needs, computed if they are not there.

    What had to be computed is kept beside the model, so that this happens once.

    Args:
        model: as it was loaded.
        name_or_path: what it was loaded from.
        schemes: that the landmarks of the picture follow; others than "478", "68" and "5" are left
            to the fit to refuse.
        progress: is told if something has to be computed.

    Raises:
        LandmarkError: the detector sees no face in renderings of the model.
    """
    wanted = set(schemes)
    if "5" in wanted and "5" not in model.landmarks:
        model = with_landmarks_for(model, name_or_path, {"68"}, progress)
        model = replace(model, landmarks=model.landmarks | {"5": embed_five(model)})
    if not wanted & set(_SCHEMES) - model.landmarks.keys():
        return model
    found = _computed(model, progress or (lambda _: None))
    with suppress(OutputError):  # then the next fit computes them again
        save_landmarks(model, model_path(name_or_path), found)
    return replace(model, landmarks=found | model.landmarks)


def _computed(model: MorphableModel, tell: Progress) -> dict[str, LandmarkEmbedding]:
    from morphface.landmarks import embed  # whose libraries only it needs

    tell(f"finding the landmarks on model {model.name}, once")
    with MediaPipeDetector() as detector:
        found = embed(model, detector)
    order = torch.tensor(MESH_OF_68)
    return {"478": found, "68": found.map(lambda values: values[order])}
