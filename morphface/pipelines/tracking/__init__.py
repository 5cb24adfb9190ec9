"""From a video to the motion of its people: parameters, report and overlay. Wiring only."""

from morphface.pipelines.tracking.track import track_video

__all__ = ["track_video"]
