"""Our own model file: safetensors with a JSON header. See `models.storage`."""

from morphface.models.morphable import MorphableModel
from morphface.models.readers.content import Content
from morphface.models.storage import read_model_file

__all__ = ["NAME", "read", "recognises"]

NAME = "a morphface model (.safetensors)"


def recognises(content: Content) -> bool:
    """Whether this reader is the one to try: any safetensors file."""
    return content.kind == "safetensors"


def read(content: Content) -> MorphableModel:
    """Read a model in our own format.

    Raises:
        ModelError: the file is not a model of ours, is of a newer version, or lacks a tensor.
    """
    return read_model_file(content.path)
