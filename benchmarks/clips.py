"""Short clips for benchmarks, cut from longer videos."""

import os
from pathlib import Path

from morphface.media.video import VideoWriter, read_video

__all__ = ["FOLDER", "cut", "cut_many"]

FOLDER = (
    Path(os.environ.get("MORPHFACE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    / "clips"
)
HEAD, FILM = "webcam_head_turns.mp4", "silent_film_small_faces.mp4"


def cut(source: Path, target: Path, first: int, count: int) -> None:
    """Write frames `first` to `first + count` of a video to another.

    Args:
        source: to read.
        target: to write.
        first: of the frames.
        count: how many.
    """
    with read_video(source) as video, VideoWriter(target, video.size, video.rate) as writer:
        for frame in video:
            if frame.index >= first + count:
                return
            if frame.index >= first:
                writer.write(frame.photo.pixels, frame.time - first / video.rate)


def cut_many(folder: Path, clips: int, frames: int) -> Path:
    """A folder of so many clips of a head that turns.

    Args:
        folder: to fill; made if it is missing.
        clips: how many.
        frames: of each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    step = (765 - frames) // max(1, clips - 1)
    for number in range(clips):
        cut(FOLDER / HEAD, folder / f"head{number}.mp4", number * step, frames)
    return folder
