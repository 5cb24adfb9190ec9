"""The clip of a head that turns, tracked and cut out, as what one-shot generators learn from.

What takes minutes, the track and the mattes, is kept in a folder and used again.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.clips import FOLDER, HEAD
from morphface.geometry.camera import Camera
from morphface.media.crop import Crop
from morphface.media.video import read_video
from morphface.models import load_model
from morphface.parameters import Track, load_track
from morphface.pipelines.oneshot.clip import ClipTakes, Filmed
from morphface.pipelines.tracking import track_video
from morphface.render.maps.scene import posed
from morphface.render.sight import Sight
from morphface.segment import person_matte, working_size

STEP = 3
"""One frame of so many is learnt from or tested; windows have their own neighbours."""
FAR = 1.3
"""A head is far from this many times the photo's distance on."""
PHOTOS = 8
HALVES = {"first": (0, 382), "second": (383, 765)}


def tracked(folder: Path) -> Track:
    """The track of the clip, made if it is not there."""
    if not (folder / "track" / "track.npz").is_file():
        track_video(FOLDER / HEAD, folder / "track", overlay=False)
    return load_track(folder / "track" / "track.npz")[0]


def mattes(folder: Path, track: Track) -> dict[int, torch.Tensor]:
    """Where the person is in every third frame, at half the clip's size."""
    file = folder / "mattes3.npz"
    if file.is_file():
        kept = np.load(file)
        pairs = zip(kept["index"], kept["matte"], strict=True)
        return {int(k): torch.from_numpy(m).float() for k, m in pairs}
    model, found = load_model(), {}
    height, width = track.camera.size
    camera = replace(
        track.camera,
        focal=track.camera.focal / 2,
        principal=track.camera.principal / 2,
        size=(height // 2, width // 2),
    )
    with read_video(FOLDER / HEAD) as video:
        for frame in video:
            if frame.index % STEP:
                continue
            pixels = frame.photo.pixels.permute(2, 0, 1)[None]
            half = torch.nn.functional.avg_pool2d(pixels, 2)[0].permute(1, 2, 0).contiguous()
            head = posed(model, track.parameters[frame.index])[0]
            sight = Sight(half, camera, head, model.faces)
            found[frame.index] = torch.from_numpy(person_matte(sight, work=working_size(sight)))
    folder.mkdir(parents=True, exist_ok=True)
    stacked = np.stack([m.numpy().astype(np.float16) for m in found.values()])
    np.savez(file, index=np.array(list(found)), matte=stacked)
    return {k: m.float() for k, m in found.items()}


def filmed(folder: Path, size: int) -> tuple[Filmed, Track, Crop]:
    """The clip, cut out about the face."""
    track = tracked(folder)
    crop, file = Crop.steady(track.boxes, size), folder / f"cut{size}.npz"
    if not file.is_file():
        pictures, person = _cut(track, crop, mattes(folder, track))
        np.savez(file, pictures=pictures.numpy(), person=person.numpy())
    kept = np.load(file)
    camera: Camera = crop.camera(track.camera)
    parts = (torch.from_numpy(kept[name]) for name in ("pictures", "person"))
    return Filmed(track.parameters, camera, *parts, "webcam_head_turns"), track, crop


def _cut(track: Track, crop: Crop, found: dict[int, torch.Tensor]):
    """Frames and mattes in a crop, as bytes."""
    size = crop.size
    small = Crop(crop.left / 2, crop.top / 2, crop.side / 2, size)
    pictures = torch.zeros(track.frames, size, size, 3, dtype=torch.uint8)
    person = torch.zeros(track.frames, size, size, dtype=torch.uint8)
    with read_video(FOLDER / HEAD) as video:
        for frame in video:
            pictures[frame.index] = _bytes(crop.apply(frame.photo.pixels))
    for index, matte in found.items():
        person[index] = _bytes(small.apply(matte[..., None])[..., 0])
    return pictures, person


def rows_of(half: str) -> list[int]:
    """Frames of a half of the clip."""
    first, last = HALVES[half]
    return [row for row in range(first, last) if row % STEP == 0]


def takes(clip: Filmed, config, rows: list[int], photos: int | list[int] = PHOTOS) -> ClipTakes:
    """Takes of some frames; photos are spread over them unless they are named."""
    if isinstance(photos, int):
        places = np.linspace(0, len(rows) - 1, photos).round().astype(int)
        photos = [rows[place] for place in places]
    return ClipTakes(load_model(), clip, config, photos=photos, rows=rows)


def far_rows(track: Track, photo: int, rows: list[int]) -> list[bool]:
    """Which heads are far, compared with that of the photo."""
    away = track.parameters.translation[:, 2].abs()
    return [bool(away[row] > FAR * away[photo]) for row in rows]


def _bytes(values: torch.Tensor) -> torch.Tensor:
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)
