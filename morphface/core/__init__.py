"""Errors, argument checks and records: what every other package stands on."""

from morphface.core.errors import (
    BackendError,
    DatasetError,
    ImageError,
    LandmarkError,
    MissingDependencyError,
    MissingFileError,
    ModelError,
    ModelWarning,
    MorphfaceError,
    NoFaceError,
    OutputError,
    ParameterError,
    ShapeError,
    StoppedError,
    VideoError,
)

__all__ = [
    "BackendError",
    "DatasetError",
    "ImageError",
    "LandmarkError",
    "MissingDependencyError",
    "MissingFileError",
    "ModelError",
    "ModelWarning",
    "MorphfaceError",
    "NoFaceError",
    "OutputError",
    "ParameterError",
    "ShapeError",
    "StoppedError",
    "VideoError",
]
