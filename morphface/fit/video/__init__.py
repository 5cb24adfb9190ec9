"""Faces through a video: who they are, once, and how they move, frame by frame."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.video.backward import look_back
    from morphface.fit.video.collect import TrackCollector, track_people
    from morphface.fit.video.person import Person
    from morphface.fit.video.result import TrackedFace, TrackedFrame
    from morphface.fit.video.settings import Inertia, VideoSettings
    from morphface.fit.video.track import fit_video


__all__ = [
    "Inertia",
    "Person",
    "TrackCollector",
    "TrackedFace",
    "TrackedFrame",
    "VideoSettings",
    "fit_video",
    "look_back",
    "track_people",
]

_HOMES = {
    "Inertia": "settings",
    "Person": "person",
    "TrackCollector": "collect",
    "TrackedFace": "result",
    "TrackedFrame": "result",
    "VideoSettings": "settings",
    "fit_video": "track",
    "look_back": "backward",
    "track_people": "collect",
}

__getattr__ = lazy_names(__name__, _HOMES)
