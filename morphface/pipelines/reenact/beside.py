"""The comparison: what the driver does, what the target did, the maps, and what became of them."""

from jaxtyping import Float
from torch import Tensor

from morphface.media.video import read_video
from morphface.pipelines.panels import side_by_side
from morphface.pipelines.reenact.run import Made
from morphface.pipelines.reenact.stage import Stage

__all__ = ["Beside"]

_PANEL = 256
"""Least side of a panel in pixels."""


class Beside:
    """Source, target, maps and result in a row, for each frame.

    Args:
        stage: shows the target.
    """

    def __init__(self, stage: Stage) -> None:
        motion = stage.motion
        self._stage, self._motion = stage, motion
        self._side = max(_PANEL, stage.run.config.resolution)
        count = len(stage.run.config.maps) + (2 if motion.video is None else 3)
        self.size = self._side, self._side * count
        """Height and width of the row."""
        self._source = iter(()) if motion.video is None else iter(read_video(motion.video))
        self._seen: Tensor | None = None

    def panels(self, k: int, made: Made) -> Float[Tensor, "S W 3"]:
        """The row of frame `k`.

        Args:
            k: number of the frame.
            made: what the network made.
        """
        source = self._at(float(self._motion.times[k]))
        pictures = {} if source is None else {"source": source}
        pictures["target"] = self._stage.square(k)
        pictures |= {name: values.float() / 255 for name, values in made.maps.items()}
        return side_by_side(pictures | {"result": made.frame}, self._side)

    def _at(self, time: float) -> Float[Tensor, "S S 3"] | None:
        """The driver at a time; times rise."""
        for frame in self._source:
            if frame.time >= time - 1e-3:
                crop = self._motion.crop
                self._seen = frame.photo.pixels if crop is None else crop.apply(frame.photo.pixels)
                break
        return self._seen
