"""Verdicts on the faces of photos and videos, and what is refused because of them."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import MissingDependencyError, MissingFileError, VerdictError
from morphface.core.threads import one_torch_thread
from morphface.fit import FitResult, PhotometricResult
from morphface.fit.fitted import FittedFace
from morphface.fit.verdict import Verdict, check_kinds, judge, measure, refuse_frames
from morphface.geometry.focal import FocalLength, in_pixels
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import overlap
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.parameters import LOST, Track

__all__ = ["known_lens", "refuse_tracked", "refuse_warned", "verdict_on", "witness_of"]


def verdict_on(
    model: MorphableModel,
    photo: Photo,
    fit: FitResult,
    pixels: PhotometricResult | None,
    *,
    lens_known: bool,
    axis_assumed: bool = False,
    others: Sequence[Landmarks] = (),
    witness: Landmarks | None = None,
    cover: Float[Tensor, "H W"] | None = None,
) -> Verdict:
    """How far the fit of a face may be believed.

    Args:
        model: that was fitted.
        photo: to which.
        fit: to its landmarks.
        pixels: to its pixels; None if they were not asked.
        lens_known: whether its focal length was known.
        axis_assumed: whether that was given in pixels, and not by a calibrated camera.
        others: the other faces in it.
        witness: from `witness_of`.
        cover: what is before the face; None where nobody looked.
    """
    with torch.no_grad(), one_torch_thread():
        found = measure(
            model.to("cpu"),
            fit.to("cpu"),
            pixels,
            photo,
            lens_known=lens_known,
            axis_assumed=axis_assumed,
            others=others,
            witness=witness,
            cover=cover,
        )
    return judge(found, fit, pixels)


def known_lens(
    focal: FocalLength | None, pixels: float | None, camera: object | None
) -> dict[str, Any]:
    """What `verdict_on` is told of a lens.

    Args:
        focal: the focal length that was asked for.
        pixels: the one that the fit is given, perhaps from EXIF data.
        camera: the calibrated one.
    """
    known = pixels is not None or camera is not None
    return {"lens_known": known, "axis_assumed": focal is not None and in_pixels(focal)}


def witness_of(photo: Photo, face: Landmarks) -> Landmarks | None:
    """What the detector says of a face whose landmarks are somebody else's.

    The face of the photo that overlaps it most; None where the detector finds none, or is not
    installed.

    Args:
        photo: as the landmarks have it.
        face: from a file.
    """
    with suppress(MissingDependencyError, MissingFileError), MediaPipeDetector() as detector:
        found = detector.detect(photo)
        return max(found, key=lambda one: overlap(one.box, face.box), default=None)
    return None


def refuse_warned(faces: Sequence[FittedFace], names: Sequence[str]) -> None:
    """Refuse faces that have warnings which were chosen to be refusals.

    Args:
        faces: that were fitted.
        names: of warnings, or "all"; nothing is refused without.

    Raises:
        ParameterError: a name is that of no warning.
        VerdictError: a face has one of them, or did not converge.
    """
    chosen = check_kinds(tuple(names))
    for number, face in enumerate(faces):
        if not chosen or face.verdict is None:
            continue
        found = [one.words for one in face.verdict.warnings if one.name in chosen]
        if not face.converged:
            found = [face.reason]
        if found:
            raise VerdictError(
                f"face {number} is refused, as --strict asks: {'; '.join(found)}; use another "
                "picture, or allow it"
            )


def refuse_tracked(tracks: dict[int, Track], names: Sequence[str]) -> dict[int, Track]:
    """Tracks that are lost in frames with warnings that were chosen to be refusals.

    Who has no frame left is none of them.

    Args:
        tracks: of each person, by number.
        names: of warnings, see `fit.verdict.FRAME_WARNINGS`.

    Raises:
        VerdictError: nobody is left.
    """
    if not names:
        return tracks
    found = {number: refuse_frames(track, names) for number, track in tracks.items()}
    left = {number: track for number, track in found.items() if track.count(LOST) < track.frames}
    if not left:
        raise VerdictError(
            f"every frame is refused, as --strict asks: each has a warning of {', '.join(names)}; "
            "use another video, or allow it"
        )
    return left
