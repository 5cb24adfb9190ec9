"""What a one-shot generator has to beat on a clip: the photo drawn anew, and a network of its own.

`rerender` draws the photo with the parameters of each frame, without any training. The network is
that of Deep Video Portraits, trained on the half of the clip that the one-shot generator is tuned
on; it sees the correspondence map in eleven frames, and no photo.
"""

from pathlib import Path

import torch
from torch.nn.functional import avg_pool2d
from torch.utils.data import Dataset

from benchmarks.clips import FOLDER, HEAD
from benchmarks.headgan_clip import filmed, rows_of, takes, tracked
from morphface.fit.fitted import FittedFace
from morphface.fit.shared.result import FitResult
from morphface.generate import TrainSettings, config_of, load_generator, train_generator
from morphface.geometry.camera import to_camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.media.video import read_video
from morphface.models import load_model
from morphface.rerender import Rerenderer

FINER = 4
"""How many times as finely photos are drawn as they are compared."""
SETTINGS = Path(__file__).parent / "configs" / "dvp_webcam_64.json"
SCHEME = "478"


class Windows(Dataset):
    """Windows of maps and frames of a clip, from -1 to 1."""

    def __init__(self, pairs) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return self._pairs.count

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        take = self._pairs.take(number, 1)
        return {"window": take.window[0] * 2 - 1, "frame": take.frame[0]}


def portrait_config(side: int):
    """Of the network of one person."""
    return config_of(
        "dvp", resolution=side, width=32, maps=("correspondence",), channels=(3,), norm="instance"
    )


def portrait(cache: Path, half: str, side: int, steps: int):
    """The network of one person, trained on a half of the clip."""
    run = cache / f"dvp_{half}"
    if not (run / "generator.safetensors").is_file():
        rows = rows_of(half)
        pairs = takes(filmed(cache, side)[0], portrait_config(side), rows, rows[:1])
        chosen = TrainSettings.from_json(SETTINGS.read_text()).replace(steps=steps, every=steps)
        train_generator(portrait_config(side), Windows(pairs), run, settings=chosen)
    return load_generator(run / "generator.safetensors")


def portraits(cache: Path, half: str, side: int, steps: int, rows: list[int]) -> torch.Tensor:
    """Frames by that network, from 0 to 1."""
    made = portrait(cache, half, side, steps)
    pairs = takes(filmed(cache, side)[0], portrait_config(side), rows, rows[:1])
    windows = torch.stack([Windows(pairs)[n]["window"] for n in range(len(rows))])
    with torch.no_grad():
        frames = torch.cat([made(part) for part in windows.split(8)])
    return frames.permute(0, 2, 3, 1).div(2).add(0.5).clamp(0, 1)


def redrawn(cache: Path, photo: int, side: int, rows: list[int]) -> torch.Tensor:
    """Frames that `rerender` draws of a frame of the clip, from 0 to 1."""
    track = tracked(cache)
    crop = Crop.steady(track.boxes, FINER * side)
    with read_video(FOLDER / HEAD) as video:
        pixels = next(f.photo.pixels for f in video if f.index == photo)
    face, picture = _fitted(track, photo, Photo(crop.apply(pixels)), crop.camera(track.camera))
    stage = Rerenderer(face, picture)
    drawn = torch.stack([stage(track.parameters[row]) for row in rows])
    return avg_pool2d(drawn.permute(0, 3, 1, 2), FINER).permute(0, 2, 3, 1)


def _fitted(track, row: int, picture: Photo, camera) -> tuple[FittedFace, Photo]:
    """A frame as a photo that was fitted."""
    model, here = load_model(), track.parameters[row]
    vertices = model.vertices(here.identity, here.expression)
    seen = to_camera(vertices, here.rotation, here.translation)
    predicted = camera.project(model.landmarks[SCHEME].points(seen))[0, :, :2]
    found = MediaPipeDetector().detect(picture)[0]
    fit = FitResult(here, camera, found, predicted, 0.0, True, "", ())
    return FittedFace(fit, model, {}), picture
