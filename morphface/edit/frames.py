"""Frames of a sequence: repeating one, and taking the same number from two."""

from dataclasses import replace

from morphface.core.errors import ParameterError, ShapeError
from morphface.edit.settings import TransferSettings
from morphface.parameters import FaceParameters

__all__ = ["GROUPS", "check_frames", "repeated"]

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


def check_frames(
    source: FaceParameters,
    target: FaceParameters,
    settings: TransferSettings,
    given: tuple[FaceParameters | None, FaceParameters | None],
) -> None:
    """Refuse a transfer for which there are too few frames, or another number.

    Args:
        source: whose motion it is.
        target: who shall move.
        settings: what to do.
        given: the reference frames of both, if they were named.

    Raises:
        ShapeError: something of the target is kept, and the numbers of frames differ; or a
            reference is not one frame.
        ParameterError: statistics, or a motion, are asked of one frame.
    """
    for name, reference in zip(("source", "target"), given, strict=True):
        if reference is not None and reference.frames != 1:
            raise ShapeError(f"{name}_reference must have 1 frame, got {reference.frames}")
    rules = settings.rules
    partly = settings.part != "face" or any(rule.how == "keep" for rule in rules.values())
    if partly and source.frames != target.frames and 1 not in (source.frames, target.frames):
        least = min(source.frames, target.frames)
        raise ShapeError(
            f"source has {source.frames} frames and target {target.frames}, but what is kept of "
            f"the target needs the same number; take the first {least} of both, [:{least}]"
        )
    for name, rule in rules.items():
        if rule.how == "standardised" and min(source.frames, target.frames) < 2:
            raise ParameterError(
                f"{name} can only be standardised between sequences, but source has "
                f"{source.frames} frames and target {target.frames}; use relative or absolute"
            )
        if rule.clamp is not None and rule.how != "keep" and target.frames < 2:
            raise ParameterError(
                f"{name} can only be clamped to the range of a sequence, but target has 1 frame; "
                "leave out clamp"
            )
        # Depth and place may stay those of a photo; the rest would silently stay as it is.
        still = name in ("rotation", "gaze") or settings.reference != "neutral"
        if rule.how == "relative" and still and name != "translation" and given[0] is None:
            _check_motion(name, source)


def _check_motion(name: str, source: FaceParameters) -> None:
    if source.frames == 1:
        raise ParameterError(
            f"{name} cannot be relative: source has 1 frame, which is its own reference; "
            "use absolute, or pass source_reference"
        )
