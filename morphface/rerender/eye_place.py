"""Where an eye is in a picture: the edge of its lids, and the ball that turns behind them."""

from dataclasses import dataclass
from math import acos, asin

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import normalized
from morphface.landmarks.tables import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS
from morphface.models import gaze_rotation
from morphface.parameters import FaceParameters

__all__ = ["LOWER", "RINGS", "Ball", "EyePlace", "angle_between", "eye_ball", "from_lids"]

RINGS = (LEFT_EYE, LEFT_IRIS), (RIGHT_EYE, RIGHT_IRIS)
"""Landmarks of the subject's left and right eye, as models count them."""
LOWER = 8
"""Landmarks of a ring along the lower lid, before the inner corner."""
BETWEEN = 4
"""Points of a smooth lid for each of its landmarks."""


@dataclass(frozen=True, eq=False)
class Ball:
    """An eyeball on the screen, seen from afar.

    Args:
        centre: in pixels.
        radius: in pixels.
        turn: from the frame of the eye, which looks along +z, to that of its viewer: x right, y
            up, z towards the viewer.
        iris: angle between the axis of the eye and the edge of the iris.
    """

    centre: Float[Tensor, "2"]
    radius: float
    turn: Float[Tensor, "3 3"]
    iris: float

    def iris_at(self, place: Float[Tensor, "*pixels 2"]) -> Float[Tensor, "*pixels 2"]:
        """Where places on the screen are on the iris, whose edge is 1 away from its centre.

        Args:
            place: x and y in pixels.
        """
        flat = (place - self.centre) / self.radius * place.new_tensor([1.0, -1.0])
        flat = flat / flat.norm(dim=-1, keepdim=True).clamp(min=1.0)
        along = torch.cat([flat, self.front(place)], dim=-1) @ self.turn
        angle = torch.acos(along[..., 2:].clamp(-1, 1))
        return normalized(along[..., :2]) * angle / self.iris

    def front(self, place: Float[Tensor, "*pixels 2"]) -> Float[Tensor, "*pixels 1"]:
        """How far the eyeball faces the viewer at places on the screen, 0 to 1.

        Args:
            place: x and y in pixels.
        """
        far = (place - self.centre).square().sum(-1, keepdim=True) / self.radius**2
        return (1 - far).clamp(min=0).sqrt()

    def screen_of(self, iris: Float[Tensor, "*points 2"]) -> Float[Tensor, "*points 3"]:
        """Where points of the iris are on the screen, and how far they face the viewer.

        Args:
            iris: as `iris_at` returns them.
        """
        angle = iris.norm(dim=-1, keepdim=True) * self.iris
        along = torch.cat([normalized(iris) * torch.sin(angle), torch.cos(angle)], dim=-1)
        seen = along @ self.turn.mT
        flat = self.centre + self.radius * seen[..., :2] * iris.new_tensor([1.0, -1.0])
        return torch.cat([flat, seen[..., 2:]], dim=-1)


@dataclass(frozen=True, eq=False)
class EyePlace:
    """An eye in a picture.

    Args:
        ring: the edge of its lids, as the detector has it: from the outer corner along the lower
            lid to the inner one and back along the upper lid, in pixels.
        ball: behind it.
    """

    ring: Float[Tensor, "R 2"]
    ball: Ball

    @property
    def width(self) -> float:
        """Between its corners, in pixels."""
        return max(float((self.ring[0] - self.ring[LOWER]).norm()), 1e-3)

    @property
    def openness(self) -> float:
        """Of its lids: how far they are apart in the middle, in its widths."""
        lower = torch.arange(LOWER // 2 - 1, LOWER // 2 + 2)
        apart = self.ring[len(self.ring) - lower] - self.ring[lower]
        return float(apart.norm(dim=-1).mean()) / self.width


def eye_ball(
    face: FittedFace, parameters: FaceParameters, camera: Camera, side: int
) -> tuple[Ball, Float[Tensor, "2"]] | None:
    """The eyeball of a model on the screen, and the centre of its iris; None without eyes.

    Args:
        face: what was fitted.
        parameters: of the same model, one frame.
        camera: that sees it.
        side: 0 is the subject's left eye.
    """
    if face.model.eyes is None:
        return None
    eye, p = face.model.eyes[side], parameters
    neutral = face.model.identity.instance(p.identity).reshape(-1, face.model.size, 3)[0]
    middle = to_camera(eye.centre(neutral)[None], p.rotation[0], p.translation[0])
    screen = camera.project(middle)[0]
    depth = float(screen[2] if camera.weak_depth is None else camera.weak_depth)
    towards = middle[0] if camera.weak_depth is None else middle.new_tensor([0.0, 0.0, -1.0])
    viewer = normalized(-towards)
    right = normalized(torch.linalg.cross(viewer.new_tensor([0.0, 1.0, 0.0]), viewer))
    frame = torch.stack([right, torch.linalg.cross(viewer, right), viewer])
    turn = frame @ roma.rotvec_to_rotmat(p.rotation[0]) @ gaze_rotation(p.gaze[0, side])
    radius = eye.radius * float(camera.focal) / max(depth, 1e-3)
    ball = Ball(screen[:2], radius, turn, asin(min(eye.iris_radius / eye.radius, 0.99)))
    return ball, ball.screen_of(middle.new_zeros(2))[:2]


def from_lids(ring: Float[Tensor, "R 2"], place: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
    """How far places are inside the edge of the lids, and how far from the upper lid, in pixels.

    Args:
        ring: the edge, as in `EyePlace`.
        place: x and y in pixels.
    """
    smooth = _smooth(ring)
    start, along = smooth, smooth.roll(-1, 0) - smooth
    to = place[:, None] - start
    share = (to * along).sum(-1) / along.square().sum(-1).clamp(min=1e-9)
    far = (to - share.clamp(0, 1)[..., None] * along).square().sum(-1)
    rise = (start[:, 1] > place[:, None, 1]) != (start.roll(-1, 0)[:, 1] > place[:, None, 1])
    slope = along[:, 1].where(along[:, 1].abs() > 1e-9, torch.ones_like(along[:, 1]))
    crossed = rise & (to[..., 0] < to[..., 1] * along[:, 0] / slope)
    sign = torch.where(crossed.sum(-1) % 2 == 1, 1.0, -1.0)
    upper = far[:, LOWER * BETWEEN :].amin(-1)
    return torch.stack([far.amin(-1).sqrt() * sign, upper.sqrt()], dim=-1)


def _smooth(ring: Float[Tensor, "R 2"]) -> Float[Tensor, "S 2"]:
    """A smooth line through the points: Catmull and Rom's."""
    before, here, then, after = (ring.roll(n, 0)[:, None] for n in (1, 0, -1, -2))
    t = (torch.arange(BETWEEN).to(ring) / BETWEEN)[None, :, None]
    curve = 2 * here + (then - before) * t
    curve = curve + (2 * before - 5 * here + 4 * then - after) * t**2
    return ((curve + (3 * here - before - 3 * then + after) * t**3) / 2).flatten(0, 1)


def angle_between(first: Ball, second: Ball) -> float:
    """How far two eyeballs are turned apart, in radians.

    Args:
        first: one of them.
        second: the other.
    """
    return acos(max(min(float((first.turn * second.turn).sum() - 1) / 2, 1.0), -1.0))
