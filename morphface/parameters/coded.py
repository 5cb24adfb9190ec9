"""The motion of a face in few bits: steps that the eye does not see, and what of them is likely.

Each channel (expression weights, rotation, place, gaze) is held until it differs by more than
`HOLD` steps from what was written; changes are written by the range coder of `core/entropy.py`, in
contexts of the channel and its last change. Place is that on the screen: x and y in pixels, and the
logarithm of the depth.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.entropy import Decoder, Encoder
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.geometry.camera import Camera

__all__ = ["STEPS", "Moves", "decoded_moves", "encoded_moves"]

STEPS = {"expression": 1 / 24, "rotation": 0.005, "place": 0.4, "depth": 0.003, "gaze": 0.03}
"""Quantisation steps: of weights; in radians (0.3 degrees); in pixels; of the logarithm of the
depth (0.3 % of the head's size); in radians (1.7 degrees). At 256 pixels each moves the picture by
about half a pixel."""
HOLD = 0.65
"""Steps by which a channel may be off before it is written anew: more than half a step, so that
what trembles about the border of two steps stays."""
_MOST = 1 << 20


@dataclass(frozen=True, eq=False)
class Moves(Record):
    """What a face does in T frames.

    Args:
        expression: weights.
        rotation: head to camera, rotation vectors.
        translation: in the camera frame, in millimetres.
        gaze: as of `FaceParameters`.
    """

    expression: Float[Tensor, "T E"]
    rotation: Float[Tensor, "T 3"]
    translation: Float[Tensor, "T 3"]
    gaze: Float[Tensor, "T 2 2"]

    def __post_init__(self) -> None:
        frames = len(self.expression)
        check_shape("rotation", self.rotation, frames, 3)
        check_shape("translation", self.translation, frames, 3)
        check_shape("gaze", self.gaze, frames, 2, 2)


def encoded_moves(moves: Moves, camera: Camera, *, quality: float = 1.0) -> bytes:
    """Motion as bytes.

    Args:
        moves: of consecutive frames.
        camera: that sees them; one for all.
        quality: steps are so many times finer.

    Raises:
        ParameterError: there is no frame, or the quality is not positive.
    """
    if not len(moves.expression) or not 0.05 <= quality <= 100:
        raise ParameterError(
            f"moves must have a frame or more and quality be from 0.05 to 100, got "
            f"{len(moves.expression)} and {quality:g}"
        )
    channels = _channels(moves, camera) * quality
    coder = Encoder()
    frames, width = channels.shape
    for number in (frames, width):
        coder.number(number, "size")
    wanted, last, change = channels.tolist(), [0] * width, [0] * width
    for place, row in enumerate(wanted):
        for k, value in enumerate(row):
            step = round(value) - last[k] if abs(value - last[k]) > HOLD else 0
            coder.number(step, (k, _kind(change[k])) if place else "first")
            last[k] += step
            change[k] = step
    return coder.finish()


def decoded_moves(data: bytes, camera: Camera, *, quality: float = 1.0) -> Moves:
    """What `encoded_moves` wrote, within its steps.

    Args:
        data: the bytes.
        camera: as it was written with.
        quality: likewise.

    Raises:
        ParameterError: the bytes are damaged.
    """
    coder = Decoder(data)
    frames, width = (coder.number("size") for _ in range(2))
    if not (0 < frames <= _MOST and _OTHERS < width <= 4096):
        raise ParameterError(f"the coded motion is damaged: it has {frames} frames of {width}")
    last, change = [0] * width, [0] * width
    rows = torch.empty(frames, width)
    for place in range(frames):
        for k in range(width):
            change[k] = coder.number((k, _kind(change[k])) if place else "first")
            last[k] += change[k]
        rows[place] = torch.tensor(last, dtype=torch.float32)
    return _moves(rows / quality, camera)


_OTHERS = 10  # channels besides expression


def _kind(change: int) -> int:
    return max(-2, min(2, change))


def _sizes(width: int) -> Float[Tensor, " C"]:
    counts = {"expression": width - _OTHERS, "rotation": 3, "place": 2, "depth": 1, "gaze": 4}
    return torch.cat([torch.full((count,), STEPS[name]) for name, count in counts.items()])


def _channels(moves: Moves, camera: Camera) -> Float[Tensor, "T C"]:
    """Everything in steps."""
    place = camera.project(moves.translation[:, None])[:, 0]
    seen = torch.cat([place[:, :2], place[:, 2:].clamp(min=1.0).log()], dim=-1)
    parts = [moves.expression, moves.rotation, seen, moves.gaze.flatten(1)]
    rows = torch.cat(parts, dim=-1)
    return rows / _sizes(rows.shape[1])


def _moves(rows: Float[Tensor, "T C"], camera: Camera) -> Moves:
    values = rows * _sizes(rows.shape[1])
    sizes = [values.shape[1] - _OTHERS, 3, 3, 4]
    expression, rotation, seen, gaze = values.split(sizes, dim=-1)
    place = torch.cat([seen[:, :2], seen[:, 2:].clamp(max=20.0).exp()], dim=-1)
    translation = camera.unproject(place[:, None])[:, 0]
    return Moves(expression, rotation, translation, gaze.unflatten(-1, (2, 2)))
