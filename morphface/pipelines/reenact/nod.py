"""A frame of the target, bent so that its head lies where the made one does.

A made crop replaces a square of the frame. What sticks out of the square, such as hair, would stay
where the head was. So the frame is moved with the head near it, and ever less further away.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.geometry.camera import Camera, to_camera
from morphface.media.crop import Crop
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.flow import warp_by_flow

__all__ = ["Nod"]

_POINTS = 200
_HAIR = 1.3
"""Radius that moves as one with the head, by that of the upper head without hair."""
_SLOPE = 2.0
"""Pixels over which one pixel of motion fades, at least; below 1.5 the picture would fold."""
_STILL = 0.25
"""Pixels of the crop by which a head may move without the frame."""


@dataclass(frozen=True, eq=False)
class Nod:
    """How the upper head moved in the picture: turned, scaled and shifted.

    Args:
        turn: rotation and scale, as a complex number.
        before: centre of the head in the frame, in pixels of the crop.
        after: its centre in the made crop.
        radius: of the upper head there, in pixels of the crop.
        largest: way of the point that moved most.
    """

    turn: Complex[Tensor, ""]
    before: Complex[Tensor, ""]
    after: Complex[Tensor, ""]
    radius: float
    largest: float

    @classmethod
    def between(
        cls, model: MorphableModel, here: FaceParameters, there: FaceParameters, camera: Camera
    ) -> "Nod":
        """The motion that fits the upper head best.

        Args:
            model: of the head.
            here: the head of the frame.
            there: the head of the made crop.
            camera: of the crop.
        """
        shape = model.vertices(here.identity, torch.zeros_like(here.expression))[0]
        upper = shape[shape[:, 1] > 0]
        upper = upper[:: max(1, len(upper) // _POINTS)]
        old, new = (_seen(upper, face, camera) for face in (here, there))
        before, after = old.mean(), new.mean()
        lever = old - before
        turn = (lever.conj() * (new - after)).sum() / lever.abs().square().sum()
        radius = float((new - after).abs().max())
        return cls(turn, before, after, radius, float((new - old).abs().max()))

    def bent(self, frame: Float[Tensor, "H W 3"], crop: Crop) -> Float[Tensor, "H W 3"]:
        """The frame with its head where the made one is.

        Args:
            frame: of the target.
            crop: where its square is.
        """
        if self.largest < _STILL:
            return frame
        within = _HAIR * self.radius
        fade = max(within / 2, _SLOPE * self.largest)
        left, top, right, bottom = self._box(frame, crop, within + fade)
        if left >= right or top >= bottom:
            return frame
        x, y = torch.arange(left, right) + 0.5, torch.arange(top, bottom) + 0.5
        seen = torch.complex(*torch.meshgrid(x, y, indexing="xy"))
        place = (seen - complex(crop.left, crop.top)) * crop.scale
        share = smoothstep((place - self.after).abs(), within + fade, within)
        way = ((place - self.after) / self.turn + self.before - place) * share / crop.scale
        flow = torch.view_as_real(way + complex(left, top))  # from the box into the frame
        out = frame.clone()
        out[top:bottom, left:right] = warp_by_flow(frame[None], flow[None])[0]
        return out

    def _box(self, frame: Tensor, crop: Crop, reach: float) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the pixels that may move."""
        middle = complex(self.after) / crop.scale + complex(crop.left, crop.top)
        far = reach / crop.scale
        edges = []
        for centre, size in ((middle.real, frame.shape[1]), (middle.imag, frame.shape[0])):
            first, last = math.floor(centre - far), math.ceil(centre + far)
            edges.append((min(max(first, 0), size), min(max(last, 0), size)))
        (left, right), (top, bottom) = edges
        return left, top, right, bottom


def _seen(
    points: Float[Tensor, "N 3"], face: FaceParameters, camera: Camera
) -> Complex[Tensor, " N"]:
    screen = camera.project(to_camera(points, face.rotation[0], face.translation[0]))
    return torch.view_as_complex(screen[:, :2].contiguous())
