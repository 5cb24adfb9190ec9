"""Every error that morphface raises on purpose.

One root, and each class is also the built-in that a caller would guess. A message names the
argument, the need, the fact, and the way out where there is one.
"""

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
    "SlowWarning",
    "StoppedError",
    "VerdictError",
    "VideoError",
]


class MorphfaceError(Exception):
    """Root of all errors that morphface raises on purpose."""


class ShapeError(MorphfaceError, ValueError):
    """A tensor lacks the axes that a function needs."""


class ParameterError(MorphfaceError, ValueError):
    """A parameter is not finite, out of range, or does not belong to this model."""


class ImageError(MorphfaceError, ValueError):
    """A picture cannot be read: not a picture, truncated, too large or too small."""


class VideoError(MorphfaceError, ValueError):
    """A video cannot be read: not a video, without pictures, damaged, or too large."""


class NoFaceError(MorphfaceError, ValueError):
    """A picture was read, but no face was found in it, or not the one asked for."""


class LandmarkError(MorphfaceError, ValueError):
    """A landmark file or set does not follow its scheme."""


class ModelError(MorphfaceError, ValueError):
    """A model is unknown, or its file is not what its reader expects."""


class ModelWarning(UserWarning):
    """A model's file does not say something, and a choice was made that may be wrong."""


class SlowWarning(UserWarning):
    """Something about this machine makes every run slower than it need be."""


class MissingFileError(MorphfaceError, FileNotFoundError):
    """A file that the user named, or that must be obtained first, is not there."""


class MissingDependencyError(MorphfaceError, ImportError):
    """An optional package is needed for what was asked."""


class BackendError(MorphfaceError, RuntimeError):
    """A rendering backend is unknown, or cannot run here."""


class OutputError(MorphfaceError, OSError):
    """A result cannot be written where it was asked for."""


class DatasetError(MorphfaceError, ValueError):
    """A prepared dataset is damaged, unfinished, of another kind, or made with other settings."""


class VerdictError(MorphfaceError, ValueError):
    """A result may not be believed, and it was asked to be refused then."""


class StoppedError(MorphfaceError):
    """The user interrupted a long run, and what was done until then is kept."""
