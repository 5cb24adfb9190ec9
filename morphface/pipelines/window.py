"""The square part of a photo around a face, enlarged or shrunk to a panel."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from morphface.geometry.camera import Camera
from morphface.media.images import Photo

__all__ = ["DARK", "LIGHT", "Window", "picture_tensor", "window_around"]

DARK = (24, 26, 30)
LIGHT = (225, 228, 232)
MARGIN = 1.9
"""Side of what is shown, in sizes of the face."""


@dataclass(frozen=True)
class Window:
    """A square of the photo.

    Args:
        left: side of the square, in pixels of the photo.
        top: upper side.
        side: its length.
        panel: what that becomes, in pixels.
    """

    left: float
    top: float
    side: float
    panel: int

    def inside(self, points: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
        """Positions in the panel of points of the photo."""
        return (points - points.new_tensor([self.left, self.top])) * (self.panel / self.side)

    def camera(self, camera: Camera) -> Camera:
        """The camera that sees the panel as `camera` sees the photo."""
        return replace(
            camera,
            focal=camera.focal * (self.panel / self.side),
            principal=self.inside(camera.principal[None])[0],
            size=(self.panel, self.panel),
        )

    def crop(self, photo: Photo, fill: tuple[int, int, int] | int = DARK) -> Float[Tensor, "S S 3"]:
        """The panel of the photo, `fill` where the photo ends."""
        image = Image.fromarray(photo.to_uint8().numpy())
        left, top, side = self.left, self.top, self.side
        box = (math.floor(left), math.floor(top), math.ceil(left + side), math.ceil(top + side))
        canvas = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), fill)
        canvas.paste(image, (-box[0], -box[1]))
        inner = (left - box[0], top - box[1], left - box[0] + side, top - box[1] + side)
        size = (self.panel, self.panel)
        return picture_tensor(canvas.resize(size, Image.Resampling.LANCZOS, box=inner))


def window_around(box: tuple[float, float, float, float], panel: int) -> Window:
    """A square about a face's box (left, top, right, bottom)."""
    left, top, right, bottom = box
    side = MARGIN * max(right - left, bottom - top, 1.0)
    return Window((left + right - side) / 2, (top + bottom - side) / 2 - 0.04 * side, side, panel)


def picture_tensor(image: Image.Image) -> Float[Tensor, "H W 3"]:
    """An 8-bit picture as RGB in [0, 1]."""
    return torch.from_numpy(np.array(image)).float() / 255
