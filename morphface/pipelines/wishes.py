"""What can be asked for, and what of it is refused before anything heavy is imported."""

from collections.abc import Sequence
from pathlib import Path

from morphface.core.errors import ParameterError
from morphface.geometry.focal import FocalLength, check_focal

__all__ = [
    "DETECTORS",
    "OPENPOSE",
    "OUTPUTS",
    "STAGES",
    "TEXTURE_SIZES",
    "check_detail",
    "check_detector",
    "check_outputs",
    "check_texture_size",
    "check_wishes",
]

STAGES = ("linear", "pixels")
"""How far a fit goes: landmarks alone, or landmarks and then pixels."""

DETECTORS = ("mediapipe", "parts")
"""Who finds the faces of a photo."""

OUTPUTS = {
    "parameters": "face.npz",
    "report": "report.json",
    "overlay": "overlay.png",
    "glb": "head.glb",
    "obj": "head.obj",
}
"""What a fit can write, and the names of the files."""

OPENPOSE = "openpose.json"
"""The landmarks of a photo's faces, where they are asked for."""

TEXTURE_SIZES = (64, 4096)
"""Of a texture whose size is asked for, in pixels."""


def check_wishes(focal: FocalLength | None, stage: str) -> None:
    """Refuse what no photo could be fitted with.

    Args:
        focal: as in `fit_photo`.
        stage: the same.

    Raises:
        ParameterError: one of them is none.
    """
    check_focal(focal)
    if stage not in STAGES:
        raise ParameterError(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")


def check_detector(name: str, weights: str | Path | None) -> None:
    """Refuse who cannot find faces.

    Args:
        name: one of `DETECTORS`.
        weights: a trained network of parts, or the folder of its run.

    Raises:
        ParameterError: there is none of that name, or it lacks its network, or needs none.
    """
    if name not in DETECTORS:
        raise ParameterError(f"detector must be one of {', '.join(DETECTORS)}, got {name!r}")
    if name == "parts" and weights is None:
        raise ParameterError(
            "the detector parts needs a trained network: pass --parts-weights RUN; train one with: "
            "morphface train parts --out RUN"
        )
    if name != "parts" and weights is not None:
        raise ParameterError(f"the detector {name} needs no --parts-weights; pass --detector parts")


def check_texture_size(size: int | None) -> None:
    """Refuse a texture that cannot be made.

    Args:
        size: height and width in pixels; None for what the photo needs.

    Raises:
        ParameterError: it is out of range.
    """
    least, most = TEXTURE_SIZES
    if size is not None and not least <= size <= most:
        raise ParameterError(f"texture_size must be from {least} to {most} pixels, got {size}")


def check_outputs(only: Sequence[str]) -> frozenset[str]:
    """What shall be written: the names of `OUTPUTS`, all of them if none is given.

    Args:
        only: some of these names.

    Raises:
        ParameterError: one of them is none.
    """
    unknown = [name for name in only if name not in OUTPUTS]
    if unknown:
        raise ParameterError(
            f"only must be some of {', '.join(OUTPUTS)}, with commas between them, "
            f"got {unknown[0]!r}"
        )
    return frozenset(only or OUTPUTS)


def check_detail(detail: bool, stage: str) -> None:
    """Refuse detail of landmarks alone.

    Args:
        detail: whether it is asked for.
        stage: as in `fit_photo`.

    Raises:
        ParameterError: the stage is "linear".
    """
    if detail and stage == "linear":
        raise ParameterError(
            "detail needs the light of the photo, which only pixels tell; leave stage at 'pixels'"
        )
