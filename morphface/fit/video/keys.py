"""Key frames: those that show a person best and most differently, and the person they show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis import fit_photometric
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.analysis.settings import GROUPS, PhotometricSettings
from morphface.fit.covered import fit_seen
from morphface.fit.linear import fit_linear
from morphface.fit.shared.result import FitResult
from morphface.fit.video.looks import Likeness, likeness_of
from morphface.fit.video.person import Person, frozen
from morphface.fit.video.settings import VideoSettings
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera
from morphface.geometry.focal import FocalLength, reach
from morphface.landmarks import Landmarks
from morphface.media.images import Photo
from morphface.media.video import Frame
from morphface.models import MorphableModel

__all__ = ["Candidate", "candidate_of", "choose_keys", "focal_of", "person_of"]

_TURN = 0.2  # radians of pose that differ as much as ...
_MOOD = 0.5  # ... this length of expression
_PROFILE = 1.0  # radians of yaw from which half of the face is hidden
_DIM = 0.6  # of the brightness that the better half of frames has: a fade, or a light not yet on
_BLURRED = 0.3  # of the usual sharpness, below which a frame is out of focus
_INSIDE = 0.9  # of the face's box that must lie in the picture
_FREE = tuple(name for name in GROUPS if name != "focal")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A frame that may become a key frame of somebody.

    Args:
        frame: the frame.
        fit: to the landmarks of the face.
        sharpness: of the face; only compared within a video.
        brightness: mean of the face, 0 to 1; likewise.
        likeness: by what the person is known again.
    """

    frame: Frame
    fit: FitResult
    sharpness: float
    brightness: float
    likeness: Likeness

    @property
    def landmarks(self) -> Landmarks:
        """Of the face."""
        return self.fit.landmarks

    @property
    def place(self) -> Float[Tensor, " k"]:
        """Pose and expression, in units that differ visibly."""
        turn = rotvec_to_angles(self.fit.parameters.rotation[0]) / _TURN
        return torch.cat([turn, self.fit.parameters.expression[0] / _MOOD])


def candidate_of(
    model: MorphableModel,
    frame: Frame,
    landmarks: Landmarks,
    focal: FocalLength | None,
    camera: Camera | None = None,
) -> Candidate:
    """A face of a frame, fitted to its landmarks.

    Args:
        model: of all people.
        frame: the frame.
        landmarks: of the face.
        focal: length in pixels or on film, or None to estimate it.
        camera: that took it, where it is calibrated.
    """
    fit = fit_linear(model, landmarks, size=frame.photo.size, focal=focal, camera=camera)
    grey = _grey(frame.photo, landmarks.box)
    brightness = float(grey.mean()) / 255 if grey.numel() else 0.0
    return Candidate(
        frame, fit, _sharpness(grey), brightness, likeness_of(frame.photo, landmarks, fit)
    )


def _grey(photo: Photo, box: tuple[float, float, float, float]) -> Float[Tensor, "h w"]:
    height, width = photo.size
    left, top = (max(0, int(side)) for side in box[:2])
    right, bottom = min(width, int(box[2]) + 1), min(height, int(box[3]) + 1)
    return photo.to_uint8()[top:bottom, left:right].float().mean(dim=2)


def _sharpness(grey: Float[Tensor, "h w"]) -> float:
    """Variance of the Laplacian, relative to that of brightness."""
    if min(grey.shape) < 3:
        return 0.0
    centre = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * centre).var() / grey.var().clamp(min=1.0))


def focal_of(candidates: Sequence[Candidate]) -> float:
    """The focal length that the candidates agree on: the median, as far as it is believed."""
    lengths = [float(candidate.fit.camera.focal) for candidate in candidates]
    return float(np.clip(np.median(lengths), *reach(candidates[0].frame.photo.size)))


def choose_keys(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """The best frames of one person: sharp, wholly seen, and unlike each other.

    The first is the sharpest of those that face the camera; each next one is farthest from all
    before in pose and expression.

    Args:
        candidates: of one person.
        count: how many are wanted.
    """
    good = _usable(candidates)
    if len(good) <= count:
        return good
    places = torch.stack([candidate.place for candidate in good])
    sharp = torch.tensor([candidate.sharpness for candidate in good])
    sharp = sharp / sharp.max().clamp(min=1e-9)
    chosen = [int((sharp - places[:, :3].norm(dim=1)).argmax())]
    while len(chosen) < count:
        far = torch.cdist(places, places[chosen]).amin(dim=1) * sharp.sqrt()
        chosen.append(int(far.argmax()))
    return [good[index] for index in sorted(chosen)]


def _usable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that may be trusted; all, where none may."""
    typical = float(np.median([candidate.sharpness for candidate in candidates]))
    bright = float(np.quantile([candidate.brightness for candidate in candidates], 0.75))
    good = [
        candidate
        for candidate in candidates
        if candidate.fit.converged
        and candidate.sharpness >= _BLURRED * typical
        and candidate.brightness >= _DIM * bright
        and _inside(candidate) >= _INSIDE
        and abs(float(rotvec_to_angles(candidate.fit.parameters.rotation[0])[0])) < _PROFILE
    ]
    return good or list(candidates)


def _inside(candidate: Candidate) -> float:
    """How much of the face's box lies in the picture."""
    height, width = candidate.frame.photo.size
    left, top, right, bottom = candidate.landmarks.box
    across = min(right, width) - max(left, 0.0)
    along = min(bottom, height) - max(top, 0.0)
    whole = max((right - left) * (bottom - top), 1e-9)
    return max(across, 0.0) * max(along, 0.0) / whole


def person_of(
    number: int, model: MorphableModel, keys: Sequence[Candidate], settings: VideoSettings
) -> Person:
    """The person that key frames show, as far as nothing hides it.

    Args:
        number: of the person.
        model: of all people.
        keys: the key frames.
        settings: whether pixels are asked, and how.
    """
    focal = settings.focal or focal_of(keys)
    lens = {"focal": focal, "camera": settings.camera}
    seen = [
        fit_seen(model, key.frame.photo, key.landmarks, size=key.frame.photo.size, **lens)
        for key in keys
    ]
    starts, covers = [start for start, _ in seen], [cover for _, cover in seen]
    identity = torch.stack([start.parameters.identity for start in starts]).mean(dim=0)
    colours = model.reflectance
    person = Person(
        number=number,
        identity=identity,
        reflectance=torch.zeros(1, 0 if colours is None else colours.rank),
        camera=starts[0].camera,
        model=frozen(model, identity, None if colours is None else colours.mean),
        illumination=torch.zeros(9, 3),
        gain=torch.ones(3),
        grey=False,
        rmse=0.0,
        nme=float(np.median([start.landmark_nme for start in starts])),
        frames=tuple(key.frame.index for key in keys),
        converged=any(start.converged for start in starts),
        reason=next((start.reason for start in starts if not start.converged), ""),
    )
    if settings.stage == "linear" or not person.converged:
        return person
    shown = [
        (key.frame.photo.pixels, start, cover)
        for key, start, cover in zip(keys, starts, covers, strict=True)
    ]
    return _with_pixels(person, model, shown, settings)


def _with_pixels(
    person: Person,
    model: MorphableModel,
    shown: list[tuple[Tensor, FitResult, Tensor]],
    settings: VideoSettings,
) -> Person:
    """The person as the pixels of the key frames show it, in the light that frames know.

    Where pixels cannot be explained the person is as landmarks alone show it.
    """
    wishes = replace(
        settings.photometric,
        extremes=True,
        shade=0.0,
        shade_spread=0.0,
    )
    seen = _explained(model, shown, wishes)
    good = [one for one, reason in zip(shown, seen.reasons, strict=True) if not reason]
    if 0 < len(good) < len(shown):
        seen = _explained(model, good, wishes)
    if not seen.converged:
        return replace(person, rmse=math.nan, reason=seen.reason)
    return replace(
        person,
        identity=seen.parameters.identity,
        reflectance=seen.parameters.reflectance,
        model=frozen(model, seen.parameters.identity, seen.albedo),
        illumination=seen.parameters.illumination.mean(dim=0),
        gain=seen.gain.median(dim=0).values,
        grey=sum(seen.grey) * 2 > len(seen.grey),
        rmse=float(np.median(seen.photometric_rmse)),
        nme=float(np.median(seen.landmark_nme)),
    )


def _explained(
    model: MorphableModel,
    shown: list[tuple[Tensor, FitResult, Tensor]],
    wishes: PhotometricSettings,
) -> PhotometricResult:
    """One person in photos, with their fits to landmarks and what is before the face."""
    photos, starts, covers = zip(*shown, strict=True)
    return fit_photometric(model, photos, starts, settings=wishes, free=_FREE, covers=covers)
