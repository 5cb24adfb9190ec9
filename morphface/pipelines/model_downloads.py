"""Fetching models that anybody may fetch into the user's folder for models."""

from pathlib import Path

from morphface.core.download import fetch_file
from morphface.core.errors import MissingFileError, ModelError
from morphface.models.catalogue import how_to_get
from morphface.models.folder import models_folder
from morphface.models.known import KNOWN, Download, KnownModel, find_known

__all__ = ["download_model", "published_model"]


def download_model(name: str, *, given: Download | None = None) -> list[Path]:
    """Fetch a model that anybody may fetch into the folder for models; the files.

    Args:
        name: of a published model that has downloads.
        given: where the user knows the model's file to be, and its hash; it is kept under the
            name by which the model is found.

    Raises:
        ModelError: no model has this name, none of its files can be fetched without
            registration, or what was fetched is not the known file.
        MissingFileError: the download failed.
    """
    model = published_model(name)
    if given is not None:
        place = models_folder() / model.files[0]
        return [_fetch(given).replace(place)]
    if not model.downloads:
        raise ModelError(f"model {name!r} cannot be fetched for you: {how_to_get(model)}")
    return [_fetch(item) for item in model.downloads]


def published_model(name: str) -> KnownModel:
    """What is known of a published model.

    Raises:
        ModelError: no model has this name.
    """
    model = find_known(name)
    if model is None:
        names = ", ".join(item.name for item in KNOWN)
        raise ModelError(f"no published model is called {name!r}: known are {names}")
    return model


def _fetch(item: Download) -> Path:
    try:
        return fetch_file(item.url, item.sha256, models_folder())
    except OSError as error:
        raise MissingFileError(
            f"cannot download {item.url}; fetch it by hand and put it into {models_folder()}"
        ) from error
    except ValueError as error:
        raise ModelError(
            f"the file at {item.url} is not the one that morphface knows (SHA-256 "
            f"{item.sha256[:12]}...)"
        ) from error
