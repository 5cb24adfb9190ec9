"""From a video to the motion of its people: parameters, report and overlay. Wiring only."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.pipelines.tracking.track import track_video


__all__ = ["track_video"]

_HOMES = {
    "track_video": "track",
}

__getattr__ = lazy_names(__name__, _HOMES)
