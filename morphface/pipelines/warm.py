"""Everything that is compiled on a machine once, compiled now: a small face is taken through all.

Kernels are compiled for the types that they meet when they are first called, and kept beside the
package or in the user's cache. A drawn head is fitted, written, changed and tracked, so that every
kernel that these commands need is there when somebody waits for it.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from morphface.geometry import Camera, to_camera
from morphface.media import VideoWriter, write_image
from morphface.models import load_model
from morphface.pipelines.photo import Progress
from morphface.pipelines.reconstruct import reconstruct
from morphface.pipelines.stage import Changes
from morphface.pipelines.tracking import track_video
from morphface.pipelines.views import edit_photo
from morphface.render import Renderer
from morphface.render.backends.kernels.compiler import cache_folders

__all__ = ["Warmed", "warm"]

_SIZE = (256, 256)
_FRAMES = 4


@dataclass(frozen=True)
class Warmed:
    """What was done.

    Args:
        seconds: how long it took; compiling is most of it the first time.
        folders: where compiled kernels are kept; none where nothing can be written.
    """

    seconds: float
    folders: tuple[Path, ...]


def warm(progress: Progress | None = None) -> Warmed:
    """Compile what fits, edits, transfers and tracking on a CPU need.

    Args:
        progress: is told what begins now.
    """
    tell, start = progress or (lambda _: None), time.perf_counter()
    with TemporaryDirectory() as place, torch.no_grad():
        folder = Path(place)
        picture = _portrait()
        write_image(folder / "face.png", picture)
        tell("compiling what fits and writes a photo")
        reconstruct(folder / "face.png", folder / "face")
        tell("compiling what changes a photo")
        smile = Changes(preset="smile", yaw=5.0)
        edit_photo(str(folder / "face"), folder / "smile.png", changes=smile)
        tell("compiling what tracks a video")
        with VideoWriter(folder / "clip.mp4", _SIZE, 25.0) as writer:
            for _ in range(_FRAMES):
                writer.write(picture)
        track_video(folder / "clip.mp4", folder / "track")
    return Warmed(time.perf_counter() - start, cache_folders())


def _portrait() -> torch.Tensor:
    """The open head before a wall."""
    model, camera = load_model(), Camera.facing(_SIZE, focal=2.2 * max(_SIZE))
    still = torch.zeros(1, 1)
    head = model.vertices(still, still)[0]
    vertices = to_camera(head, torch.zeros(3), torch.tensor([0.0, 15.0, -700.0]))
    wall = torch.tensor([0.3, 0.4, 0.35])
    colours = model.albedo(still).clamp(0, 1)
    return Renderer.of(model, camera)(vertices[None], colours=colours).over(wall)[0]
