"""Whose sound a made video has, and from when on."""

from dataclasses import dataclass
from pathlib import Path

from morphface.pipelines.reenact.look import Look
from morphface.pipelines.reenact.stage import Stage

__all__ = ["Sound"]


@dataclass(frozen=True)
class Sound:
    """Where sound comes from.

    Args:
        path: of the file that has it.
        begin: time in that file at which the made video begins.
        words: for a report.
        missing: why there is none; empty where there is.
    """

    path: Path | None = None
    begin: float = 0.0
    words: str = "none, as asked for"
    missing: str = ""

    @classmethod
    def of(cls, stage: Stage, look: Look) -> "Sound":
        """That of the driver or of the target, if the file is at hand."""
        motion = stage.motion
        if look.sound == "none":
            return cls()
        if look.sound == "driver":
            if motion.video is None:
                return cls(missing="there is no video of the driver at hand")
            return cls(motion.video, float(motion.times[0]), f"that of {motion.video}")
        if stage.clip is None:
            return cls(missing=f"{stage.run.target.clip['name']} is not at hand")
        begin = float(stage.run.target.track.times[int(motion.rows[0])])
        return cls(stage.clip.path, begin, f"that of {stage.clip.path}")
