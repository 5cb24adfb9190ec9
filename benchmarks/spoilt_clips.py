"""Tracks of the clips of `benchmarks/spoilt.py`, kept on disk, and how far off they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.spoilt import spoilt_clip
from benchmarks.spoilt_truth import off, true_measures
from morphface.core.errors import NoFaceError
from morphface.fit.verdict import frame_measures
from morphface.fit.video import VideoSettings, fit_video, track_people
from morphface.media.video import Frame
from morphface.models import MorphableModel
from morphface.parameters import Track, load_track, save_track

__all__ = ["FRAMES", "clip_rows", "track_of"]

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
    path = cache / f"clip_{number:05d}_{stage.replace(' ', '_')}.npz"
    nobody = path.with_suffix(".none")
    if path.exists():
        return load_track(path)[0]
    if kept or nobody.exists():
        return None
    cache.mkdir(parents=True, exist_ok=True)
    track = _tracked(number, stage, model)
    if track is None:
        nobody.touch()
    else:
        save_track(path, track, model=model.name)
    return track


def _tracked(number: int, stage: str, model: MorphableModel) -> Track | None:
    clip = spoilt_clip(number, model, FRAMES)
    frames = [Frame(one.photo, k, k / 25) for k, one in enumerate(clip)]
    settings = VideoSettings(stage=stage.removeprefix("track "))
    try:
        with torch.no_grad():
            found = track_people(
                fit_video(frames, model, key_frames=frames[::_KEYS], settings=settings)
            )
    except NoFaceError:
        return None
    return next(iter(found.values()), None)
