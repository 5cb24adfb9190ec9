"""A face away from the optical axis of a known camera, fitted as if the camera looked at it.

A detector judges depth along the line of sight to a face, not along the axis of the camera. A
camera that turns about its centre sees the same rays, so the landmarks are moved to the picture of
one that looks at the face, and what is found there is turned back; both steps are exact.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.result import FitResult
from morphface.fit.shared.turns import rotation_matrix, rotation_vector, turn_ahead
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of

__all__ = ["Aside"]


class Aside:
    """The camera that looks at some landmarks, in place of the one that took the picture.

    Args:
        landmarks: in the picture; those of confidence 0 are absent.
        camera: that took it.
    """

    def __init__(self, landmarks: Landmarks, camera: Camera) -> None:
        self._seen, self._camera = landmarks, camera
        self._focal = float(camera.focal)
        present = to_numpy(landmarks.confidence) > 0
        points = to_numpy(landmarks.points)
        rays = self._rays(points[present] if present.any() else np.zeros((1, 2)))
        self.turn: Float[np.ndarray, "3 3"] = turn_ahead(rays.mean(axis=0))

    def landmarks(self) -> Landmarks:
        """The landmarks where this camera sees them."""
        seen = self._seen
        present = to_numpy(seen.confidence) > 0
        given = np.where(present[:, None], to_numpy(seen.points), 0.0)
        moved = np.where(present[:, None], self._shown(self._rays(given) @ self.turn.T), 0.0)
        ratio = _extent(moved[present]) / max(_extent(given[present]), 1e-9)
        points = seen.points.new_tensor(moved)
        depth = None if seen.depth is None else seen.depth * ratio
        box = box_of(points[present]) if present.any() else seen.box
        return replace(seen, points=points, depth=depth, box=box)

    def turned_back(self, result: FitResult) -> FitResult:
        """What was found here, for the camera that took the picture.

        Args:
            result: of a fit to `landmarks`.
        """
        face = result.parameters
        rotation = rotation_matrix(to_numpy(face.rotation[0]))
        pose = rotation_vector(self.turn.T @ rotation)
        place = self.turn.T @ to_numpy(face.translation[0])
        parameters = replace(
            face,
            rotation=face.rotation.new_tensor(pose[None]),
            translation=face.translation.new_tensor(place[None]),
        )
        predicted = self._shown(self._rays(to_numpy(result.predicted)) @ self.turn)
        return replace(
            result,
            parameters=parameters,
            camera=self._camera.to(face.rotation.device),
            landmarks=self._seen,
            predicted=result.predicted.new_tensor(predicted),
        )

    def _rays(self, points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 3"]:
        flat = (points - to_numpy(self._camera.principal)) * [1.0, -1.0] / self._focal
        return np.column_stack([flat, -np.ones(len(flat))])

    def _shown(self, rays: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 2"]:
        ahead = np.maximum(-rays[:, 2:], 1e-6)
        flat = rays[:, :2] / ahead * self._focal
        return flat * [1.0, -1.0] + to_numpy(self._camera.principal)


def _extent(points: Float[np.ndarray, "N 2"]) -> float:
    return float(np.std(points, axis=0).mean()) if len(points) else 0.0
