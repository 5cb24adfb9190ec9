"""What is done with a clip: track its people, crop them, render their maps.

The clip is read twice, frame by frame: tracking tells where the face is in all frames, which one
steady crop needs to know. Memory does not grow with the length of the clip, but for the
parameters, some hundred numbers a frame.
"""

import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from morphface.core.threads import one_torch_thread
from morphface.fit.verdict import Warned, check_frame_kinds, frame_warnings, warned_frames
from morphface.fit.video import TrackCollector, VideoSettings, fit_video, look_back
from morphface.geometry.camera import Camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.detectors.model_file import require_model
from morphface.media.crop import Crop, box_drift
from morphface.media.video import Frame, Video, read_video
from morphface.models import MorphableModel, load_model
from morphface.parameters import LOST, STATES, FaceParameters, Track
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.pipelines.prepare.corpus import (
    DRIFT,
    LEAST,
    Rejected,
    candidates,
    check_clip,
    cut_frames,
    matte_of,
)
from morphface.pipelines.prepare.settings import MATTE, PrepareSettings
from morphface.pipelines.prepare.sources import Clip
from morphface.pipelines.prepare.statistics import of_track
from morphface.pipelines.prepare.unit import Sample, Sequence
from morphface.render.maps import render_maps
from morphface.render.maps.files import encode_png

__all__ = ["check_machine", "work_on_clip"]

_SCHEMES = ("478", "68")
_CANDIDATES = (8, 32)
"""Least and most frames among which those are chosen that a person's shape comes from."""
_CANDIDATE_BYTES = 512 * 2**20
_TOGETHER = 8
"""Frames that are rendered in one go."""
_FAST = 1
"""Compression of pictures: a higher one takes five times as long for a tenth less."""


def check_machine(settings: PrepareSettings) -> None:
    """Refuse at once what would fail for every clip.

    Args:
        settings: to prepare with.

    Raises:
        ModelError: there is no such model, or it cannot be read.
        MissingFileError: a model's file is not there.
        MissingDependencyError: mediapipe is not installed.
    """
    _model(settings.model)
    require_model()


def work_on_clip(
    clip: Clip, settings: PrepareSettings, warn: Callable[[str], None]
) -> Iterator[Sequence]:
    """The people of a clip, the one seen longest first.

    Args:
        clip: to read.
        settings: how.
        warn: is told what is odd about it.

    Raises:
        VideoError: it is no video, or has no frames.
    """
    model = _model(settings.model)
    with one_torch_thread(), torch.no_grad(), read_video(clip.path, every=settings.every) as video:
        tracks = _tracks(video, model, settings)
        cuts = cut_frames(video) if settings.corpus else []
        if video.truncated:
            warn("it is cut off or damaged; what decodes of it was used")
        refused: list[Rejected] = []
        for track in tracks:
            warnings = frame_warnings(track)
            chosen = check_frame_kinds(settings.strict)
            left = [_refused(found, chosen) for found in warnings]
            crop = Crop.steady(track.boxes, settings.size)
            drift = box_drift(track.boxes, video.size)
            if settings.corpus and (why := _unwanted(track, drift, cuts)) is not None:
                refused.append(why)
                continue
            if not settings.corpus and drift > DRIFT:
                warn(f"the face wanders about, by {drift:.2f} of the picture: crops may cut it off")
            rows = _rows(track, left)
            if settings.corpus and len(rows) < LEAST:
                refused.append(Rejected("warned", f"{len(rows)} frames are left without warnings"))
                continue
            samples = _samples(video, model, _Shown(track, rows, warnings), crop, settings)
            facts = _facts(model, track, crop, drift) | {
                "lost_because": track.why(LOST),
                "warnings": warned_frames(track),
                "left_out": dict(Counter(name for name in left if name)),
            }
            if settings.corpus:
                facts["photos"] = candidates(_of(track.parameters, list(rows.values())))
            yield Sequence(samples, facts)
        if refused and len(refused) == len(tracks):
            raise refused[0]


def _unwanted(track: Track, drift: float, cuts: list[int]) -> Rejected | None:
    """Why a corpus does not want a person of a clip."""
    try:
        check_clip(track, drift, cuts)
    except Rejected as reason:
        return reason
    return None


@lru_cache(maxsize=1)
def _model(name: str) -> MorphableModel:
    return with_landmarks_for(load_model(name), name, _SCHEMES)


def _tracks(video: Video, model: MorphableModel, settings: PrepareSettings) -> list[Track]:
    tracker = VideoSettings(stage=settings.stage, people=settings.people)
    affordable = _CANDIDATE_BYTES // (15 * video.size[0] * video.size[1])
    keys = video.spread(min(max(affordable, _CANDIDATES[0]), _CANDIDATES[1]))
    collector = TrackCollector()
    for tracked in fit_video(video, model, key_frames=keys, settings=tracker):
        collector.add(tracked)
    with MediaPipeDetector() as detector:
        look_back(video, collector, tracker, detector)
    found = collector.tracks() if collector.people else {}
    return sorted(found.values(), key=lambda track: track.count(LOST))


@dataclass(frozen=True, eq=False)
class _Shown:
    """What of a track becomes samples: rows by number of the frame, and warnings of all rows."""

    track: Track
    rows: dict[int, int]
    warnings: list[tuple[Warned, ...]]


def _refused(found: tuple[Warned, ...], chosen: tuple[str, ...]) -> str:
    """The warning that a frame is left out for; empty where it is not."""
    return next((one.name for one in found if one.name in chosen), "")


def _rows(track: Track, left: list[str]) -> dict[int, int]:
    """The frames in which the person is seen and that are not left out."""
    return {
        int(number): row
        for row, number in enumerate(track.indices.tolist())
        if track.states[row] != LOST and not left[row]
    }


def _of(parameters: FaceParameters, rows: list[int]) -> FaceParameters:
    """Some frames, in any order."""
    return parameters.map(lambda values: values[rows] if len(values) > 1 else values)


def _samples(
    video: Video, model: MorphableModel, shown: _Shown, crop: Crop, settings: PrepareSettings
) -> Iterator[Sample]:
    seen = ((shown.rows[frame.index], frame) for frame in video if frame.index in shown.rows)
    while batch := list(itertools.islice(seen, _TOGETHER)):
        yield from _rendered(batch, model, shown, crop, settings)


def _rendered(
    batch: list[tuple[int, Frame]],
    model: MorphableModel,
    shown: _Shown,
    crop: Crop,
    settings: PrepareSettings,
) -> Iterator[Sample]:
    track = shown.track
    camera = crop.camera(track.camera)
    first, last = batch[0][0], batch[-1][0] + 1
    maps = render_maps(model, track.parameters[first:last], camera, settings.maps)
    vectors = track.parameters[first:last].to_vector().numpy()
    for row, frame in batch:
        parts = {"frame.png": _picture(crop, frame), "params.npy": _array(vectors[row - first])}
        for name in settings.maps:
            parts[f"{name}.png"] = encode_png(name, maps.unit(name)[row - first])
        if settings.corpus:
            parts[MATTE] = _png(
                matte_of(model, track.parameters[row], camera, crop.apply(frame.photo.pixels))
            )
        facts = _frame_facts(track, row, crop, camera)
        facts["warnings"] = {one.name: round(one.value, 4) for one in shown.warnings[row]}
        yield Sample(frame.index, parts, facts)


def _picture(crop: Crop, frame: Frame) -> bytes:
    return _png((crop.apply(frame.photo.pixels).clamp(0, 1) * 255).round().to(torch.uint8))


def _png(values: UInt8[Tensor, "..."]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values.numpy()).save(stream, "PNG", compress_level=_FAST)
    return stream.getvalue()


def _array(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values.astype(np.float32), allow_pickle=False)
    return stream.getvalue()


def _frame_facts(track: Track, row: int, crop: Crop, camera: Camera) -> dict[str, Any]:
    error = float(track.landmark_nme[row])
    return {
        "time": round(float(track.times[row]), 6),
        "state": STATES[int(track.states[row])],
        "landmark_nme": round(error, 5) if error == error else None,
        "quality": None if track.quality is None else round(track.quality, 4),
        "crop": _square(crop),
        "camera": _lens(camera),
    }


def _facts(model: MorphableModel, track: Track, crop: Crop, drift: float) -> dict[str, Any]:
    return {
        "crop": _square(crop),
        "camera": _lens(crop.camera(track.camera)),
        "drift": round(drift, 4),
        "statistics": of_track(model, track),
    }


def _square(crop: Crop) -> dict[str, float]:
    return {name: round(getattr(crop, name), 4) for name in ("left", "top", "side")}


def _lens(camera: Camera) -> dict[str, Any]:
    principal = [round(value, 4) for value in camera.principal.reshape(2).tolist()]
    return {"focal": round(float(camera.focal), 4), "principal": principal}
