"""Camera frame to screen, and back.

Camera frame: +x right, +y up, +z towards the viewer, so what is seen has negative z. Screen:
pixels, x right, y down, the outer corner of the first pixel at (0, 0); the third coordinate is
the depth, -z of the camera frame, positive, in millimetres.
"""

from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record

__all__ = ["Camera", "to_camera"]

CLOSEST = 1e-3  # mm; points nearer to the plane of a perspective camera are moved to this depth


@dataclass(frozen=True, eq=False)
class Camera(Record):
    """A pinhole camera with square pixels, or its weak-perspective special case.

    Args:
        focal: focal length in pixels.
        principal: where the optical axis meets the screen, in pixels.
        size: image height and width in pixels.
        weak_depth: the one depth, in millimetres, that divides all points (weak perspective);
            None divides each point by its own depth (perspective).

    Raises:
        ParameterError: a focal length, size or depth is not positive and finite.
    """

    focal: Float[Tensor, "*batch"]
    principal: Float[Tensor, "*batch 2"]
    size: tuple[int, int]
    weak_depth: Float[Tensor, "*batch"] | None = None

    def __post_init__(self) -> None:
        check_shape("principal", self.principal, 2)
        check_finite("focal", self.focal)
        check_finite("principal", self.principal)
        if not bool((self.focal > 0).all()):
            raise ParameterError(f"focal must be positive, got {self.focal.min().item():g}")
        if min(self.size) < 1:
            raise ParameterError(f"size must be at least 1 x 1 pixels, got {self.size}")
        if self.weak_depth is not None and not bool((self.weak_depth > 0).all()):
            raise ParameterError(
                f"weak_depth must be positive, got {self.weak_depth.min().item():g}"
            )

    @classmethod
    def facing(cls, size: tuple[int, int], *, focal: float | None = None) -> "Camera":
        """A camera whose axis meets the centre of an image of `size` (height, width).

        Args:
            size: image height and width in pixels.
            focal: focal length in pixels; None takes 1.5 times the longer side, about the angle
                of view of a 50 mm lens on 35 mm film.
        """
        height, width = size
        return cls(
            focal=torch.tensor(float(focal if focal is not None else 1.5 * max(size))),
            principal=torch.tensor([width / 2, height / 2]),
            size=size,
        )

    def project(self, points: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch V 3"]:
        """Screen position and depth of `points` of the camera frame.

        Points behind a perspective camera have a negative depth and are mirrored about the
        principal point, so that `unproject` still inverts it. Depths within a micrometre of zero
        are moved that far, which keeps positions and gradients finite.
        """
        check_shape("points", points, None, 3)
        depth = -points[..., 2]
        if self.weak_depth is None:
            sign = torch.where(depth < 0, -CLOSEST, CLOSEST).to(depth.dtype)
            divisor = depth = torch.where(depth.abs() < CLOSEST, sign, depth)
        else:
            divisor = self.weak_depth[..., None]
        scale = self.focal[..., None] / divisor
        x = self.principal[..., 0:1] + scale * points[..., 0]
        y = self.principal[..., 1:2] - scale * points[..., 1]
        return torch.stack([x, y, depth], dim=-1)

    def unproject(self, screen: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch V 3"]:
        """Points of the camera frame at `screen` positions and depths. Inverts `project`."""
        check_shape("screen", screen, None, 3)
        depth = screen[..., 2]
        divisor = depth if self.weak_depth is None else self.weak_depth[..., None]
        scale = divisor / self.focal[..., None]
        x = (screen[..., 0] - self.principal[..., 0:1]) * scale
        y = (self.principal[..., 1:2] - screen[..., 1]) * scale
        return torch.stack([x, y, -depth], dim=-1)


def to_camera(
    points: Float[Tensor, "*batch V 3"],
    rotation: Float[Tensor, "*batch 3"],
    translation: Float[Tensor, "*batch 3"],
) -> Float[Tensor, "*batch V 3"]:
    """Model frame to camera frame: rotate by the rotation vector, then translate.

    The result has the precision of `points`.
    """
    matrix = roma.rotvec_to_rotmat(torch.as_tensor(rotation, dtype=points.dtype))
    shift = torch.as_tensor(translation, dtype=points.dtype)
    return points @ matrix.mT + shift[..., None, :]
