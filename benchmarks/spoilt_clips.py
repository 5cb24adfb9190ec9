"""Tracks of the clips of `benchmarks/spoilt.py`, kept on disk, and how far off they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.spoilt import spoilt_clip
from benchmarks.spoilt_truth import off, true_measures
from morphface.core.errors import NoFaceError
from morphface.core.files import write_json
from morphface.fit.verdict import PersonMeasures, frame_measures
from morphface.fit.video import TrackCollector, VideoSettings, fit_video, look_back
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.video import Frame
from morphface.models import MorphableModel
from morphface.parameters import Track, load_track, save_track

__all__ = ["FRAMES", "clip_rows", "known_of", "track_of"]

FRAMES = 16
_KEYS = 2  # every so many frames one may become a key frame


def clip_rows(number: int, model: MorphableModel, track: Track) -> Iterator[dict[str, Any]]:
    """What is measured of each frame in which the person is seen, and how far it is off.

    Args:
        number: of the clip.
        model: the open head.
        track: of it.
    """
    frames = spoilt_clip(number, model, FRAMES, drawn_too=False)
    for k, measures in enumerate(frame_measures(track)):
        if measures is not None:
            one, found = frames[k], track.parameters[k]
            yield {
                "number": number,
                "kind": one.kind,
                "amount": one.amount,
                **off(model, one.head, found, track.camera),
                "shown": true_measures(model, one.head, one.photo),
                "converged_before": True,
                "measures": measures,
            }


def track_of(
    number: int, stage: str, model: MorphableModel, cache: Path, *, kept: bool
) -> Track | None:
    """The track of a clip; None where nobody is found in it.

    Args:
        number: of the clip.
        stage: "track linear" or "track pixels".
        model: the open head.
        cache: where tracks are kept.
        kept: whether to make none that is not there.
    """
    path = _path(number, stage, cache)
    nobody = path.with_suffix(".none")
    if path.exists():
        return load_track(path)[0]
    if kept or nobody.exists():
        return None
    cache.mkdir(parents=True, exist_ok=True)
    found = _tracked(number, stage, model)
    if found is None:
        nobody.touch()
        return None
    track, known = found
    write_json(path.with_suffix(".json"), known.record())
    save_track(path, track, model=model.name)
    return track


def known_of(number: int, stage: str, cache: Path) -> PersonMeasures:
    """What the tracker knows of a clip that it tracked, and its track does not say.

    Args:
        number: of the clip.
        stage: "track linear" or "track pixels".
        cache: where tracks are kept.

    Returns:
        What a person's quality is made of.
    """
    path = _path(number, stage, cache).with_suffix(".json")
    return PersonMeasures(**json.loads(path.read_text(encoding="utf-8")))


def _path(number: int, stage: str, cache: Path) -> Path:
    return cache / f"clip_{number:05d}_{stage.replace(' ', '_')}.npz"


def _tracked(number: int, stage: str, model: MorphableModel) -> tuple[Track, PersonMeasures] | None:
    """The person of a clip, as `morphface track` finds it, and what is known of it."""
    clip = spoilt_clip(number, model, FRAMES)
    frames = [Frame(one.photo, k, k / 25) for k, one in enumerate(clip)]
    settings = VideoSettings(stage=stage.removeprefix("track "))
    collector = TrackCollector()
    try:
        with torch.no_grad(), MediaPipeDetector() as detector:
            for one in fit_video(frames, model, key_frames=frames[::_KEYS], settings=settings):
                collector.add(one)
            look_back(frames, collector, settings, detector)
    except NoFaceError:
        return None
    if not collector.seen():
        return None
    person = collector.seen()[0]
    return collector.track(person), collector.measures(person)
