"""How landmarks are seen, and how that changes with camera and coefficients.

Inside the solve the screen is centred on the principal point with y up, so that a point of the
camera frame projects to `focal * (x, y) / -z`. Depth is compared in pixels at the scale of the
head's origin, up to a scale and an offset that belong to each face.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["CAMERA", "Guess", "linearise", "moved", "project"]

CAMERA = 9  # unknowns: rotation 3, translation 3, log focal, depth offset, log depth scale


@dataclass(frozen=True, eq=False)
class Guess:
    """Where the fit stands.

    Args:
        rotation: head to camera.
        translation: of the head's origin in the camera frame, in millimetres.
        focal: in pixels.
        depth_offset: of the detector's depth, in pixels.
        depth_scale: of the detector's depth; 1 is as long as its x and y.
        coefficients: identity, then expression.
    """

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    focal: float
    depth_offset: float
    depth_scale: float
    coefficients: Float[np.ndarray, " K"]

    @property
    def finite(self) -> bool:
        """Whether all of it is."""
        numbers = (self.rotation, self.translation, self.focal, self.coefficients)
        return all(bool(np.isfinite(n).all()) for n in numbers)


def project(points: Float[np.ndarray, "N 3"], guess: Guess) -> Float[np.ndarray, "N 3"]:
    """Screen position and detector's depth of `points` of the head."""
    turned = points @ guess.rotation.T
    x, y, z = (turned + guess.translation).T
    depth = guess.depth_offset - _depth_scale(guess) * turned[:, 2]
    return np.stack([-guess.focal * x / z, -guess.focal * y / z, depth], axis=1)


def _depth_scale(guess: Guess) -> float:
    """Pixels of the detector's depth for a millimetre."""
    return float(-guess.depth_scale * guess.focal / guess.translation[2])


def linearise(
    points: Float[np.ndarray, "N 3"], guess: Guess
) -> tuple[Float[np.ndarray, "N 3 9"], Float[np.ndarray, "N 3 3"]]:
    """Derivatives of `project(points)` by the camera's nine unknowns and by the points.

    Args:
        points: in the head frame.
        guess: where to linearise.
    """
    turned = points @ guess.rotation.T
    x, y, z = (turned + guess.translation).T
    inverse, scale = -guess.focal / z, _depth_scale(guess)
    outer = np.zeros((len(points), 3, 3))
    outer[:, 0, 0] = outer[:, 1, 1] = inverse
    outer[:, 0, 2], outer[:, 1, 2] = -inverse * x / z, -inverse * y / z
    camera = np.zeros((len(points), 3, CAMERA))
    camera[:, :2, 3:6] = outer[:, :2]
    outer[:, 2, 2] = -scale
    depth = -scale * turned[:, 2]
    camera[:, :, :3] = outer @ _skew(-turned)
    camera[:, 2, 5] = -depth / guess.translation[2]
    camera[:, 0, 6], camera[:, 1, 6], camera[:, 2, 6] = inverse * x, inverse * y, depth
    camera[:, 2, 7], camera[:, 2, 8] = 1.0, depth
    return camera, outer @ guess.rotation


def moved(
    guess: Guess, step: Float[np.ndarray, "9"], coefficients: Float[np.ndarray, " K"]
) -> Guess:
    """`guess` with its camera moved by `step`, and with other coefficients."""
    focal, depth = np.exp(np.clip(step[[6, 8]], -0.5, 0.5))
    return Guess(
        rotation=_exponential(step[:3]) @ guess.rotation,
        translation=guess.translation + step[3:6],
        focal=guess.focal * float(focal),
        depth_offset=guess.depth_offset + float(step[7]),
        depth_scale=guess.depth_scale * float(depth),
        coefficients=coefficients,
    )


def _skew(v: np.ndarray) -> np.ndarray:
    out = np.zeros((len(v), 3, 3))
    out[:, 0, 1], out[:, 0, 2], out[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    return out - out.transpose(0, 2, 1)


def _exponential(vector: np.ndarray) -> np.ndarray:
    """The rotation matrix of a rotation vector (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    skew = _skew(vector[None])[0]
    a, b = (np.sin(angle) / angle, (1 - np.cos(angle)) / angle**2) if angle > 1e-6 else (1.0, 0.5)
    return np.eye(3) + a * skew + b * skew @ skew
