"""Frames of a sequence: repeating one, and taking the same number from two."""

from dataclasses import replace

from morphface.core.errors import ShapeError
from morphface.parameters import FaceParameters

__all__ = ["GROUPS", "repeated"]

GROUPS = ("expression", "illumination", "rotation", "translation", "gaze")
"""The groups that have a row for each frame."""


def repeated(parameters: FaceParameters, frames: int) -> FaceParameters:
    """The parameters in `frames` frames: as they are, or their only frame again and again.

    Args:
        parameters: in one frame, or in `frames`.
        frames: how many there shall be.

    Raises:
        ShapeError: there are several frames, but not that many.
    """
    if parameters.frames == frames:
        return parameters
    if parameters.frames != 1:
        raise ShapeError(f"there must be 1 frame or {frames}, got {parameters.frames}")
    rows = {name: getattr(parameters, name) for name in GROUPS}
    return replace(
        parameters, **{name: row.repeat_interleave(frames, 0) for name, row in rows.items()}
    )
