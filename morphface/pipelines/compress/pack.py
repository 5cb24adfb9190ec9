"""A clip of a talking head into one photo and motion (HeadGAN, section 4.5).

What is kept: one frame of the clip, cropped; the identity once; for each frame the expression, the
pose and the gaze, in steps that are hardly seen; the sound as it is. What is not kept: what moves
behind the person, exposure, hands, and whatever a generator cannot make of a photo.
"""

import io
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from PIL import Image

from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera
from morphface.landmarks.boxes import box_of
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.media.video import read_video
from morphface.media.video.probe import probe
from morphface.media.video.sound import sound_into
from morphface.parameters import Moves, encoded_moves
from morphface.parameters.upgrade import revision_of
from morphface.pipelines.actors import Actor, file_of, read_actor
from morphface.pipelines.compress.file import ClipFile, camera_of
from morphface.pipelines.photo import Progress
from morphface.pipelines.prepare.corpus import candidates
from morphface.render.maps.scene import posed

__all__ = ["Compressed", "compress_video"]

SIZES = (64, 1024)
WEBP = 85
"""Quality of the photo at quality 1: about a byte for eight pixels."""


@dataclass(frozen=True)
class Compressed:
    """What became of a clip.

    Args:
        frames: how many there are.
        rate: frames a second.
        sizes: bytes of each part of the file.
        source: bytes of the clip's pictures and sound.
    """

    frames: int
    rate: float
    sizes: dict[str, int]
    source: int

    @property
    def motion_bits(self) -> float:
        """Of a frame, the photo and all else aside."""
        return 8 * self.sizes["motion"] / self.frames

    @property
    def bits(self) -> float:
        """Of a frame, with the photo and all else but the sound."""
        return 8 * (sum(self.sizes.values()) - self.sizes["sound"]) / self.frames


def compress_video(
    video: str | Path,
    out: str | Path,
    *,
    track: str | Path | None = None,
    size: int = 256,
    quality: float = 1.0,
    sound: bool = True,
    progress: Progress | None = None,
) -> Compressed:
    """Write a clip as one photo and motion.

    Args:
        video: of one person who is seen throughout.
        out: the `.mfc` file.
        track: what `morphface track` wrote of the clip; None tracks it now.
        size: side of the photo in pixels; generators make pictures of their own size of it.
        quality: of motion and photo; steps of the motion are so many times finer.
        sound: whether to keep it.
        progress: is told what begins now.

    Raises:
        ParameterError: an argument makes no sense, or the track is of another clip.
        MorphfaceError: as of `read_actor`.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise ParameterError(f"size must be from {SIZES[0]} to {SIZES[1]} pixels, got {size}")
    tell = progress or (lambda _: None)
    actor = read_actor(file_of(track) if track else str(video), progress=tell)
    tell("choosing the photo")
    photo_row = _median(candidates(actor.parameters))
    crop = _crop(actor, size)
    picture = _frame(video, actor, photo_row)
    face = actor.parameters
    tell("writing the motion")
    moves = Moves(face.expression, face.rotation, face.translation, face.gaze)
    header = _header(actor, crop.camera(actor.camera)) | {"quality": quality, "photo": photo_row}
    made = ClipFile(
        header,
        _webp(crop.apply(picture.pixels, fill=0.5), quality),
        face.identity[0].numpy().astype("<f2").tobytes(),
        encoded_moves(moves, camera_of(header), quality=quality),
        _sound(Path(video)) if sound else b"",
    )
    made.write(out)
    return Compressed(face.frames, actor.rate, made.sizes, Path(video).stat().st_size)


def _median(rows: list[int]) -> int:
    return rows[len(rows) // 2]


def _crop(actor: Actor, size: int) -> Crop:
    """One square about the face of all frames, with the face as large as in training."""
    rows = torch.linspace(0, actor.parameters.frames - 1, min(actor.parameters.frames, 32)).long()
    embedding = actor.model.landmark_embedding("478")
    boxes = []
    for row in rows.tolist():
        marks = embedding.points(posed(actor.model, actor.parameters[row]))
        boxes.append(box_of(actor.camera.project(marks)[0, :, :2]))
    return Crop.steady(torch.tensor(boxes), size)


def _frame(video: str | Path, actor: Actor, row: int) -> Photo:
    """The picture of a row of the track."""
    wanted = row if actor.track is None else int(actor.track.indices[row])
    with read_video(video) as frames:
        if frames.size != actor.camera.size:
            raise ParameterError(
                f"track is of a clip of {actor.camera.size[1]} x {actor.camera.size[0]} pixels, "
                f"{video} has {frames.size[1]} x {frames.size[0]}"
            )
        for frame in frames:
            if frame.index == wanted:
                return frame.photo
    raise ParameterError(f"track has a frame {wanted}, which {video} has not; is it of that clip?")


def _header(actor: Actor, camera: Camera) -> dict[str, Any]:
    model = actor.model.name
    return {
        "model": model,
        "revision": revision_of(model),
        "rate": round(actor.rate, 6),
        "size": camera.size[0],
        "focal": round(float(camera.focal), 3),
        "principal": [round(value, 3) for value in camera.principal.reshape(2).tolist()],
    }


def _webp(picture: torch.Tensor, quality: float) -> bytes:
    stream = io.BytesIO()
    values = (picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    Image.fromarray(np.ascontiguousarray(values)).save(
        stream, "WEBP", quality=round(100 - (100 - WEBP) / max(quality, 0.2)), method=6
    )
    return stream.getvalue()


def _sound(path: Path) -> bytes:
    """The sound of a clip as it is; empty if there is none."""
    known, stream = probe(path), io.BytesIO()
    with av.open(stream, "w", format="matroska") as container:
        sound = sound_into(container, "matroska", path, float(known.origin * known.step))
        if sound is None:
            return b""
        with closing(sound):
            for packet in sound.until(float("inf"), 0.0):
                container.mux(packet)
    return stream.getvalue()
