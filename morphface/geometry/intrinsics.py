"""Calibrated cameras: two focal lengths, a principal point and the distortion of a lens.

Distortion is that of Brown and Conrady with OpenCV's coefficients (Brown 1966, "Decentering
distortion of lenses"; Zhang 2000), also its rational form. Everything else in morphface knows
pinhole cameras with square pixels: points and pictures are undistorted once, on the way in.

Pixels are ours: the outer corner of the first one is (0, 0), as in COLMAP, so that the middle of a
picture of width w is w / 2. OpenCV counts from the centre of the first pixel: add 0.5 to its cx and
its cy.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera

__all__ = ["Intrinsics"]

_NAMES = ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
_COUNTS = (4, 6, 8, 9, 12)
_SAME_SHAPE = 0.01
"""How much the aspect ratios of two sizes of one picture may differ by rounding."""
_STEPS = 20
_SETTLED = 1e-9  # of the focal length


@dataclass(frozen=True)
class Intrinsics:
    """A calibrated camera.

    Args:
        fx: focal length across, in pixels.
        fy: focal length down, in pixels.
        cx: where the optical axis meets the picture, from its left side, in pixels; may lie
            outside, as in a crop.
        cy: the same from its upper side.
        k1: first radial coefficient; k2 to k6 are the others, k4 to k6 those of the denominator.
        k2: second.
        p1: first tangential coefficient.
        p2: second.
        k3: third radial coefficient.
        k4: fourth.
        k5: fifth.
        k6: sixth.
        size: height and width of the picture that these are pixels of; None: of any.

    Raises:
        ParameterError: a number is not finite, or a focal length not positive.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    k5: float = 0.0
    k6: float = 0.0
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        bad = [name for name in _NAMES if not math.isfinite(getattr(self, name))]
        bad += [name for name in ("fx", "fy") if getattr(self, name) <= 0 and name not in bad]
        if bad:
            raise ParameterError(
                "a camera needs finite numbers and positive focal lengths, got "
                + ", ".join(f"{name} {getattr(self, name):g}" for name in bad)
            )

    @classmethod
    def parse(cls, text: str) -> "Intrinsics":
        """From numbers in OpenCV's order: fx,fy,cx,cy and perhaps k1,k2,p1,p2,k3,k4,k5,k6.

        Args:
            text: numbers with commas between them.

        Raises:
            ParameterError: it is something else.
        """
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in _COUNTS:
            raise ParameterError(
                f"a camera is fx,fy,cx,cy in pixels, with k1,k2,p1,p2,k3 if it is distorted, or a "
                f"cameras.txt of COLMAP or a transforms.json, got {text!r}"
            )
        return cls(**dict(zip(_NAMES, numbers, strict=False)))  # type: ignore[arg-type]

    @classmethod
    def of(cls, camera: Camera) -> "Intrinsics":
        """Those of a pinhole camera.

        Args:
            camera: a single one, of perspective.

        Raises:
            ParameterError: it is none of these.
        """
        if camera.weak_depth is not None or camera.focal.numel() != 1:
            raise ParameterError("camera must be one perspective camera, got a weak one or several")
        focal = float(camera.focal)
        cx, cy = camera.principal.reshape(2).tolist()
        return cls(focal, focal, cx, cy, size=camera.size)

    @property
    def straight(self) -> bool:
        """Whether a pinhole camera with square pixels sees the same picture."""
        return self.fx == self.fy and not any(getattr(self, name) for name in _NAMES[4:])

    def camera(self, size: tuple[int, int]) -> Camera:
        """The pinhole camera with square pixels that takes the undistorted picture.

        Args:
            size: height and width of the picture.
        """
        focal = torch.tensor(math.sqrt(self.fx * self.fy))
        return Camera(focal, torch.tensor([self.cx, self.cy]), size)

    def of_picture(self, size: tuple[int, int]) -> "Intrinsics":
        """Those of the same picture at another size.

        Args:
            size: height and width.

        Raises:
            ParameterError: it has another shape, so that it is another picture.
        """
        if self.size is None or self.size == size:
            return replace(self, size=size)
        down, across = (new / old for new, old in zip(size, self.size, strict=True))
        if abs(down / across - 1) > _SAME_SHAPE:
            raise ParameterError(
                f"the camera is that of pictures of {self.size[1]} x {self.size[0]} pixels, but "
                f"this one has {size[1]} x {size[0]}; of a crop, give fx,fy,cx,cy in its own pixels"
            )
        return replace(
            self,
            fx=self.fx * across,
            fy=self.fy * down,
            cx=self.cx * across,
            cy=self.cy * down,
            size=size,
        )

    def moved(self, size: tuple[int, int], mirror: bool, turns: int) -> "Intrinsics":
        """Those of the picture mirrored left-right if asked for, then turned counter-clockwise.

        Args:
            size: height and width of the picture before.
            mirror: whether to mirror.
            turns: how many quarter turns.
        """
        height, width = size
        out = replace(self, size=size)
        if mirror:
            out = replace(out, cx=width - out.cx, p2=-out.p2)
        for _ in range(turns % 4):
            out = replace(
                out,
                fx=out.fy,
                fy=out.fx,
                cx=out.cy,
                cy=width - out.cx,
                p1=-out.p2,
                p2=out.p1,
                size=(width, height),
            )
            height, width = width, height
        return out

    def distorted(self, points: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Where the lens puts what the pinhole camera of `camera` sees at `points`.

        Args:
            points: in pixels of the undistorted picture.
        """
        check_shape("points", points, 2)
        middle = points.new_tensor([self.cx, self.cy])
        flat = (points - middle) / math.sqrt(self.fx * self.fy)
        return self._bent(flat) * points.new_tensor([self.fx, self.fy]) + middle

    def undistorted(self, points: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """The inverse of `distorted`, by fixed-point steps as far as the lens can be inverted.

        Args:
            points: in pixels of the picture as it was taken.
        """
        check_shape("points", points, 2)
        middle = points.new_tensor([self.cx, self.cy], dtype=torch.float64)
        seen = (points.double() - middle) / points.new_tensor([self.fx, self.fy]).double()
        flat = seen
        for _ in range(_STEPS):
            step = seen - self._bent(flat)
            flat = flat + step
            if float(step.abs().amax()) < _SETTLED:
                break
        return (flat * math.sqrt(self.fx * self.fy) + middle).to(points)

    def _bent(self, flat: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Distortion in the plane at distance 1."""
        x, y = flat.unbind(dim=-1)
        square = x * x + y * y
        above = 1 + square * (self.k1 + square * (self.k2 + square * self.k3))
        below = 1 + square * (self.k4 + square * (self.k5 + square * self.k6))
        ratio = above / below
        sideways = 2 * self.p1 * x * y + self.p2 * (square + 2 * x * x)
        down = self.p1 * (square + 2 * y * y) + 2 * self.p2 * x * y
        return torch.stack([x * ratio + sideways, y * ratio + down], dim=-1)
