"""A video whose person says something else: only the mouth follows the new sound.

Each frame is a photo of its own, redrawn with the mouth of the speech in a square about the face.
The film is as long as the sound; a shorter video is played back and forth.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.edit import Manner, speech_to_motion, transfer
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.fit.shared.result import FitResult
from morphface.geometry.camera import to_camera
from morphface.landmarks import Landmarks, MediaPipeDetector
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.parameters import LOST, Track
from morphface.pipelines.actors import Actor
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.backdrop import ClipFrames, there_and_back
from morphface.pipelines.reenact.driver import chosen_rows
from morphface.rerender import Rerenderer
from morphface.rerender.shrink import cropped
from morphface.speech import Speech

__all__ = ["dubbed", "dubbed_frames"]

_SHARE = 0.5
"""Share of the square's side that the height of the face fills."""
_LARGEST = 768
"""Pixels along the square, at most."""
_SCHEME = "478"
_UPPER, _LOWER = 13, 14
"""Landmarks of the inner lips, in the middle."""
_WIDE, _HIGH, _LOW = 0.42, 0.22, 0.45
"""How far from the mouth a frame may change: as shares of the width and height of the landmarks."""


def dubbed(
    actor: Actor, track: Track, speech: Speech, rate: float, manner: Manner
) -> tuple[Track, Int[Tensor, " T"]]:
    """The track of a video's person with another mouth, and the rows whose frames it changes.

    Args:
        actor: of a video.
        track: of it.
        speech: what is said.
        rate: frames a second.
        manner: how it is said; brows and head stay those of the video.
    """
    count = max(1, round(speech.seconds * rate))
    times = torch.arange(count, dtype=torch.float64) / rate
    rows = there_and_back(torch.arange(count), track.frames)
    own = chosen_rows(track.parameters, rows)
    still = replace(manner, liveliness=0.0)
    said = speech_to_motion(own, speech, times, model=actor.model, manner=still)
    parameters = transfer(said, own, "dub", source_model=actor.model, target_model=actor.model)
    moved = replace(
        track,
        parameters=parameters,
        states=track.states[rows],
        times=times,
        indices=torch.arange(count),
        landmark_nme=track.landmark_nme[rows],
        boxes=track.boxes[rows],
        reasons=None if track.reasons is None else track.reasons[rows],
        warnings=None,
        quality=None,
    )
    return moved, rows


def dubbed_frames(
    actor: Actor, track: Track, moved: Track, rows: Int[Tensor, " T"], tell: Progress
) -> Iterator[Float[Tensor, "H W 3"]]:
    """The frames of a video, drawn anew where its person is seen.

    Args:
        actor: of the video.
        track: of it.
        moved: what `dubbed` made.
        rows: likewise.
        tell: is told how far it is.
    """
    clip = ClipFrames(Path(actor.path), track)
    with MediaPipeDetector() as detector:
        for k, row in enumerate(rows.tolist()):
            tell(f"drawing frame {k + 1} of {moved.frames}")
            frame = clip[row]
            if int(track.states[row]) == LOST:
                yield frame
                continue
            face = _fitted(actor, track[row], Photo(frame), detector)
            yield _drawn(face, frame, moved[k])


def _drawn(face: FittedFace, frame: Float[Tensor, "H W 3"], moved: Track) -> Float[Tensor, "H W 3"]:
    """The frame with the face as it speaks, in a square about it."""
    points = face.predicted
    low, high = points.amin(dim=0), points.amax(dim=0)
    box = (*low.tolist(), *high.tolist())
    side = float((high - low).max()) / _SHARE
    window = Crop.around(box, min(_LARGEST, max(64, round(side))), share=_SHARE)
    part = cropped(FittedPhoto(Photo(frame), (face,)), window)
    made = Rerenderer(part.faces[0], part.photo)(moved.parameters)
    changed = (made - part.photo.pixels).abs().amax(dim=2) > 0
    return window.paste(frame, made, changed * _mouth_share(part.faces[0].predicted, window.size))


def _mouth_share(points: Float[Tensor, "N 2"], size: int) -> Float[Tensor, "S S"]:
    """1 about the mouth and the chin, fading to 0 before the outline of the cheeks.

    Args:
        points: the 478 landmarks, in pixels of the square.
        size: of the square.
    """
    middle, reach = points[[_UPPER, _LOWER]].mean(dim=0), points.amax(dim=0) - points.amin(dim=0)
    centres = torch.arange(size) + 0.5
    across, down = (centres - middle[0]) / (_WIDE * reach[0]), (centres - middle[1]) / reach[1]
    down = down / torch.where(down > 0, _LOW, _HIGH)
    return 1.0 - smoothstep((across.square() + down.square()[:, None]).sqrt(), 0.7, 1.0)


def _fitted(actor: Actor, here: Track, photo: Photo, detector: MediaPipeDetector) -> FittedFace:
    """The face of one frame, as a fit of it would say."""
    vertices = actor.model.vertices(here.parameters.identity, here.parameters.expression)
    seen = to_camera(vertices, here.parameters.rotation, here.parameters.translation)
    points = actor.model.landmarks[_SCHEME].points(seen)
    predicted = here.camera.project(points)[0, :, :2]
    found = detector.detect(photo)
    near = [f for f in found if _apart(f, predicted) < _FAR]
    landmarks = near[0] if near else _as_predicted(predicted)
    error = _apart(landmarks, predicted)
    fit = FitResult(here.parameters, here.camera, landmarks, predicted, error, True, "", ())
    return FittedFace(fit, actor.model, {})


_FAR = 0.2
"""Distance of landmarks from where the track has them, in heights of the face, of another face."""


def _apart(landmarks: Landmarks, predicted: Float[Tensor, "N 2"]) -> float:
    height = float(predicted[:, 1].max() - predicted[:, 1].min())
    return float((landmarks.points - predicted).norm(dim=1).mean()) / max(height, 1.0)


def _as_predicted(points: Float[Tensor, "N 2"]) -> Landmarks:
    low, high = points.amin(dim=0).tolist(), points.amax(dim=0).tolist()
    return Landmarks(points, _SCHEME, torch.ones(len(points)), (*low, *high))
