"""Where something is before a face: hair, a mask, a hand, whatever is no skin.

Two maps are asked: colours that are not those of this skin, and darkness that no shade explains,
as that of hair. Of each, parts count that are large and have an edge: shade and rouge have none. A
hand has the colours of a face; it shows where a mouth should be seen and is not (`hand.py`).
Frames of glasses are thin, and found by their form (`glasses.py`), dark lenses by hiding both eyes
(`sunglasses.py`). A beard hides nothing: reflectance explains it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, binary_fill_holes, label
from torch import Tensor

from morphface.core.threads import one_torch_thread
from morphface.fit.covered.eyes import eyes_seen
from morphface.fit.covered.glasses import frames_before
from morphface.fit.covered.hand import hand_before
from morphface.fit.covered.raster import FaceRaster, face_raster
from morphface.fit.covered.skin import channels_of, smoothed, tell_skin
from morphface.fit.covered.sunglasses import sunglasses_before
from morphface.fit.linear import fit_linear
from morphface.fit.shared.result import FitResult
from morphface.landmarks import Landmarks
from morphface.media.images import Photo
from morphface.models import MorphableModel

__all__ = ["find_cover", "fit_seen", "fit_uncovered", "less_sure"]

_LEAST = 0.04
"""Of a face that a part must cover. It and the constants below: `benchmarks/bench_cover.py`."""
_EDGE = 0.45
"""Difference of logarithms across the edge of a part, of brightness and, doubled, of chroma."""
_NEAR = 0.022
"""Over which that is taken, in sizes of a face."""
_DEEP = 0.75
"""How much darker than skin, as a logarithm, what is no shade is."""
_GROWN = 0.68
"""Share of a dark part that lies where beards grow, from which it is one."""
_BESIDE = 0.04
"""Over which the skin beside eyes, brows and mouth tells of them, in sizes of a face."""
_LIDS = 20.0, 10.0
"""Millimetres to the side of the middle of an eye that is seen, and above and below it, within
which nothing hides it."""
_TRUST = 0.01
"""What a landmark that is hidden counts for."""


def find_cover(model: MorphableModel, fit: FitResult, photo: Photo) -> Float[Tensor, "H W"]:
    """How likely each pixel of a photo shows something before the face, 0 to 1.

    It is 0 beyond the face, and where too little of it is seen to tell.

    Args:
        model: of the fit.
        fit: to landmarks.
        photo: that they are in.
    """
    cover, frames = _covers(model, fit, photo)
    return torch.maximum(cover, frames)


def _covers(
    model: MorphableModel, fit: FitResult, photo: Photo
) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
    """What hides a face from sight, and glasses, through which detectors see it."""
    nothing = torch.zeros(photo.size)
    with torch.no_grad():
        face = face_raster(model, fit, photo)
        if face is None:
            return nothing, nothing
        eyes = eyes_seen(fit.landmarks, photo)
        found = _cover(face, eyes)
        if found is None:
            return nothing, nothing
        frames = frames_before(face) * face.skin
        if not all(eyes):
            frames = np.maximum(frames, sunglasses_before(face))
        pictures = found, frames
        cover, frames = (face.spread(each, photo.size).clamp(0, 1) for each in pictures)
        return cover, frames


def fit_seen(
    model: MorphableModel, photo: Photo, landmarks: Landmarks, **lens: Any
) -> tuple[FitResult, Float[Tensor, "H W"]]:
    """The fit to the landmarks that are seen, and how likely each pixel shows something before it.

    Detectors see landmarks behind glasses, which count as they are. It runs on one thread: a second
    one gains nothing, and the two wait for each other.

    Args:
        model: to fit.
        photo: that the face is in.
        landmarks: of the face.
        lens: what `fit_linear` is told of the camera, and of the person if that is known.
    """

    def fit(marks: Landmarks) -> FitResult:
        return fit_linear(model, marks, **lens)

    with one_torch_thread():
        start = fit(landmarks)
        here = landmarks.points.device.type == "cpu"
        told = (model, start) if here else (model.to("cpu"), start.to("cpu"))
        cover, frames = _covers(*told, photo)
        return fit_uncovered(fit, start, cover), torch.maximum(cover, frames)


def fit_uncovered(
    fit: Callable[[Landmarks], FitResult], start: FitResult, cover: Float[Tensor, "H W"]
) -> FitResult:
    """The fit with landmarks counting little where they are hidden.

    Args:
        fit: fits landmarks.
        start: the fit with all of them.
        cover: from `find_cover`.
    """
    wiser = less_sure(start.landmarks, cover)
    return start if wiser is start.landmarks else fit(wiser)


def less_sure(landmarks: Landmarks, cover: Float[Tensor, "H W"]) -> Landmarks:
    """The landmarks with less confidence where they are hidden; themselves where none is.

    Args:
        landmarks: in the picture.
        cover: how likely each pixel shows something before the face.
    """
    height, width = cover.shape
    present = landmarks.confidence > 0
    spots = landmarks.points.nan_to_num().long()
    x, y = spots[:, 0].clamp(0, width - 1), spots[:, 1].clamp(0, height - 1)
    hidden = cover.to(landmarks.points.device)[y, x] * present
    if not bool((hidden > 0.5).any()):
        return landmarks
    return replace(landmarks, confidence=landmarks.confidence * (1 - (1 - _TRUST) * hidden))


def _cover(face: FaceRaster, eyes: tuple[bool, bool]) -> Float[np.ndarray, "h w"] | None:
    """The same of a raster, of whose eyes some are seen; None where nothing is told."""
    skin = tell_skin(face)
    if skin is None:
        return None
    channels = channels_of(face.colours) * [1.0, 2.0, 2.0]
    other = 1 / (1 + np.exp(-2 * skin.odds))
    dark, _ = smoothed(1.0 * (skin.dark > _DEEP), face.skin, 0.02)
    kept = np.zeros_like(face.seen)
    for likely in (other, dark):
        kept |= _parts((likely > 0.5) & face.seen, face, channels)
    around = binary_dilation(kept, iterations=2)
    found = np.maximum(np.maximum(other, dark), kept) * around * face.seen
    found[_within(found, face)] = 1.0
    found[_lids(face, eyes)] = 0.0
    return np.maximum(found, hand_before(face, channels_of(face.colours)))


def _within(found: Float[np.ndarray, "h w"], face: FaceRaster) -> Bool[np.ndarray, "h w"]:
    """Eyes, brows and mouth, whose own colours tell nothing, where the skin around is covered."""
    around, near = smoothed(found, face.skin, _BESIDE)
    beside = binary_fill_holes(face.seen) & ~face.skin & (near > 1e-3)
    return beside & (around > 0.5)


def _lids(face: FaceRaster, eyes: tuple[bool, bool]) -> Bool[np.ndarray, "h w"]:
    """What is around the eyes that are seen."""
    around = np.zeros(face.seen.shape, bool)
    away = face.from_eyes()
    if away is None:
        return around
    for (aside, above), seen in zip(away, eyes, strict=True):
        if seen:
            around |= np.square(aside / _LIDS[0]) + np.square(above / _LIDS[1]) < 1
    return around


def _parts(
    likely: Bool[np.ndarray, "h w"], face: FaceRaster, channels: Float[np.ndarray, "h w 3"]
) -> Bool[np.ndarray, "h w"]:
    """The parts that are large and have an edge."""
    numbers, count = label(likely)
    kept = np.zeros_like(likely)
    least = _LEAST * face.seen.sum()
    for number in range(1, count + 1):
        part = numbers == number
        if part.sum() < least or _is_beard(part, face, channels):
            continue
        if _edge(part, face.skin, channels) > _EDGE:
            kept |= part
    return kept


def _is_beard(
    part: Bool[np.ndarray, "h w"], face: FaceRaster, channels: Float[np.ndarray, "h w 3"]
) -> bool:
    """Whether a part is where a beard grows, and dark: it hides nothing, it is the person's."""
    other = face.skin & ~part
    if not other.any() or (part & face.beard).sum() < _GROWN * part.sum():
        return False
    return bool(np.median(channels[part, 0]) < np.median(channels[other, 0]))


def _edge(
    part: Bool[np.ndarray, "h w"],
    skin: Bool[np.ndarray, "h w"],
    channels: Float[np.ndarray, "h w 3"],
) -> float:
    """The median difference across the edge of a part; infinite where it has none in the face."""
    squares = np.zeros(part.shape)
    for channel in np.moveaxis(channels, -1, 0):
        inside, within = smoothed(channel, part & skin, _NEAR)
        outside, without = smoothed(channel, ~part & skin, _NEAR)
        squares += np.square(inside - outside)
    edge = (within > 0.2) & (without > 0.2)
    return float(np.median(np.sqrt(squares[edge]))) if edge.any() else np.inf
