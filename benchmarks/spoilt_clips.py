"""Tracks of the clips of `benchmarks/spoilt.py`, kept on disk, and how far off they are."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.spoilt import spoilt_clip
from benchmarks.spoilt_truth import off, true_measures
from morphface.core.errors import NoFaceError
from morphface.core.files import write_json
from morphface.fit.verdict import frame_measures
from morphface.fit.video import TrackCollector, TrackedFace, VideoSettings, fit_video
from morphface.media.video import Frame
from morphface.models import MorphableModel
from morphface.parameters import Reason, Track, load_track, save_track

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
    write_json(path.with_suffix(".json"), known)
    save_track(path, track, model=model.name)
    return track


def known_of(number: int, stage: str, cache: Path) -> dict[str, Any]:
    """What the tracker knows of a clip that it tracked, and its track does not say.

    Args:
        number: of the clip.
        stage: "track linear" or "track pixels".
        cache: where tracks are kept.

    Returns:
        `usual`: the usual landmark error of the person, in eye distances; and `blind`: of each
        frame, whether pixels had no say in it.
    """
    path = _path(number, stage, cache).with_suffix(".json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _path(number: int, stage: str, cache: Path) -> Path:
    return cache / f"clip_{number:05d}_{stage.replace(' ', '_')}.npz"


def _tracked(number: int, stage: str, model: MorphableModel) -> tuple[Track, dict[str, Any]] | None:
    clip = spoilt_clip(number, model, FRAMES)
    frames = [Frame(one.photo, k, k / 25) for k, one in enumerate(clip)]
    settings = VideoSettings(stage=stage.removeprefix("track "))
    try:
        with torch.no_grad():
            collector, faces = TrackCollector(), []
            for one in fit_video(frames, model, key_frames=frames[::_KEYS], settings=settings):
                collector.add(one)
                faces.append({face.number: _blind(face) for face in one.faces})
            if not collector.seen():
                return None
    except NoFaceError:
        return None
    person = collector.seen()[0]
    blind = [found.get(person, True) for found in faces]
    known = {"usual": collector.people[person].nme, "blind": blind}
    return collector.track(person), known


def _blind(face: TrackedFace) -> bool:
    return face.reason == Reason.COLOURS or math.isnan(face.photometric_rmse)
