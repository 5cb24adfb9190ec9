"""A trained run and a driver in, a video out: what the driver does, done by the run's person."""

from morphface.pipelines.reenact.films import animate_video, reenact_video
from morphface.pipelines.reenact.run import Made, Run, open_run

__all__ = ["Made", "Run", "animate_video", "open_run", "reenact_video"]
