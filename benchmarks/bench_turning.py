"""How fast is a head turned once it is fitted?

    python -m benchmarks.bench_turning [--picture PICTURE] [--frames N]

One photo of 512 pixels is fitted and kept; of what follows the wall's and the processor's seconds
are measured, in this order, with everything compiled:

- `view`: the first picture of a turned head, for which everything about the photo is worked out,
  and the median of later ones; beside them `net`, the photo warped by the mesh's depth with the
  mesh of the face over it, which is what this package drew before heads had layers.
- `draft`: the median of quick pictures, as the editor draws them while a hand moves.
- `orbit`: `orbit_photo` from the kept fit to a video.
- `transfer`: `transfer_files` of a track (a head that shakes, nods and speaks) onto the kept fit,
  to a video.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.common import measure, report, seed
from benchmarks.turned_views import nets
from morphface.edit import edit
from morphface.fit.fitted import FittedFace
from morphface.media.images import Photo
from morphface.parameters import FaceParameters, save_parameters
from morphface.pipelines import orbit_photo, reconstruct, transfer_files
from morphface.pipelines.orbit import RATE
from morphface.pipelines.photo import fit_photo
from morphface.rerender import Rerenderer

YAWS = (-25.0, -20.0, -15.0, -10.0, 10.0, 15.0, 20.0, 25.0, 30.0)
TARGETS = {"view": 0.5, "draft": 0.08, "orbit": 8.0, "transfer": 8.0}
"""Seconds of the first view and of a draft; frames a second of the others."""


@dataclass
class Lap:
    """Seconds that something took.

    Args:
        wall: of the clock.
        processor: of all processors together.
    """

    wall: float = 0.0
    processor: float = 0.0


@contextmanager
def timed() -> Iterator[Lap]:
    """Measures what is done within it."""
    lap, wall, processor = Lap(), time.perf_counter(), time.process_time()
    yield lap
    lap.wall, lap.processor = time.perf_counter() - wall, time.process_time() - processor


def views(face: FittedFace, photo: Photo) -> list[dict[str, Any]]:
    """The first view, later ones, those of before, and drafts."""
    wanted = [edit(face.parameters, model=face.model, yaw=yaw) for yaw in YAWS]
    Rerenderer(face, photo)(wanted[0])  # compiles
    stage = Rerenderer(face, photo)
    with timed() as first:
        stage(wanted[-1])
    draws = {"next": stage, "net": lambda each: nets(stage, photo.pixels, each)[1]}
    draws["draft"] = stage.draft
    turns = {name: cycle(wanted) for name in draws}
    calls = {name: partial(_draw, draw, turns[name]) for name, draw in draws.items()}
    found = measure(calls, runs=len(wanted), warmup=1)
    middle = {name: times["median_ms"] / 1e3 for name, times in found.items()}
    return [
        {"case": "view", "target_s": TARGETS["view"], "first_s": first.wall}
        | {"first_processor_s": first.processor, "next_s": middle["next"], "net_s": middle["net"]}
        | {"ratio_next_to_net": middle["next"] / middle["net"]},
        {"case": "draft", "target_s": TARGETS["draft"], "s": middle["draft"]}
        | {"processor_s": found["draft"]["processor_ms"] / 1e3},
    ]


def _draw(draw: Callable[[FaceParameters], Any], turns: Iterator[FaceParameters]) -> None:
    draw(next(turns))


def films(face: FittedFace, kept: Path, frames: int) -> list[dict[str, Any]]:
    """An orbit and a transfer of so many frames each, from the kept fit to their videos."""
    with timed() as orbit:
        orbit_photo(kept, kept / "orbit.mp4", seconds=2 * (frames - 1) / RATE)
    moved = [
        edit(
            face.parameters, model=face.model, yaw=20 * math.sin(k / 8), pitch=8 * math.cos(k / 11)
        )
        for k in range(frames)
    ]
    track = _together(
        [
            edit(each, model=face.model, expression={"jawOpen": 0.2 + 0.2 * math.sin(k / 2)})
            for k, each in enumerate(moved)
        ]
    )
    save_parameters(kept / "moved.npz", track, face.camera, model=face.model.name)
    with timed() as transfer:
        transfer_files(kept / "moved.npz", kept, kept / "transfer.mp4")
    return [
        {"case": name, "target_frames_per_s": TARGETS[name], "frames": frames}
        | {"frames_per_s": frames / lap.wall, "frames_per_processor_s": frames / lap.processor}
        for name, lap in (("orbit", orbit), ("transfer", transfer))
    ]


def _together(frames: list[FaceParameters]) -> FaceParameters:
    """Frames of one person as one clip."""
    first = frames[0]
    sizes = {name: getattr(first, name).shape[1] for name in ("identity", "expression")}
    vectors = torch.cat([each.to_vector() for each in frames])
    return FaceParameters.from_vector(vectors, reflectance=first.reflectance.shape[1], **sizes)


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--picture", default="sample:astronaut", help="of 512 pixels")
    options.add_argument("--frames", type=int, default=100)
    chosen = options.parse_args()
    seed()
    with TemporaryDirectory() as folder:
        reconstruct(chosen.picture, folder)
        kept = Path(folder)
        found = fit_photo(kept)
        face, photo = found.faces[0], found.photo
        cases = [*views(face, photo), *films(face, kept, chosen.frames)]
        size = {"height": photo.size[0], "width": photo.size[1]}
    rounded = [
        {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in case.items()
        }
        for case in cases
    ]
    report("turning", [case | size for case in rounded])


if __name__ == "__main__":
    main()
