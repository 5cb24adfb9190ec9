"""Signed distance to a mesh that may be open and run through itself.

The sign is that of the generalised winding number (Jacobson et al. 2013), the solid angle that all
faces cover, seen from a point, over 4 pi: 1 inside, 0 outside, between them near openings. Faces
that are far away count in groups, each as one dipole (Barill et al. 2018); the nearest point is
exact.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.render.backends import threads

__all__ = ["Nearest", "SignedDistance"]

TOGETHER = 16
"""Faces of a group."""
FAR = 2.5
"""Radii of a group from which it counts as one dipole."""
INSIDE = 0.5
"""Winding number from which a point is inside."""


@dataclass(frozen=True, eq=False)
class Nearest(Record):
    """What of a mesh is nearest to some points.

    Args:
        distance: in the unit of the mesh, below 0 inside.
        corners: vertices of the nearest face.
        weights: of these corners at the nearest point.
        winding: how often the mesh winds around each point.
    """

    distance: Float[Tensor, " N"]
    corners: Int[Tensor, "N 3"]
    weights: Float[Tensor, "N 3"]
    winding: Float[Tensor, " N"]

    def carried(self, values: Float[Tensor, "V C"]) -> Float[Tensor, "N C"]:
        """Values of the vertices at the nearest points.

        Args:
            values: of the vertices of the mesh.
        """
        return (values[self.corners] * self.weights[..., None]).sum(1)


class SignedDistance:
    """A mesh of which it is asked how far away it is, and what lies inside.

    An opening is closed by the surface on which the winding number is one half; what several parts
    of a mesh enclose is their union.

    Args:
        vertices: of the mesh.
        faces: counter-clockwise seen from outside.

    Raises:
        ShapeError: an array lacks its axes.
        ParameterError: there is no face, or a vertex is not finite.
    """

    def __init__(self, vertices: Float[Tensor, "V 3"], faces: Int[Tensor, "F 3"]) -> None:
        check_shape("vertices", vertices, None, 3)
        check_shape("faces", faces, None, 3)
        check_finite("vertices", vertices)
        if not len(faces):
            raise ParameterError("faces must be one or more, got none")
        self._faces = faces.long()
        corners = vertices.detach().double()[self._faces].numpy()
        self._order = _grouped(corners.mean(1))
        self._corners = np.ascontiguousarray(corners[self._order].reshape(-1, TOGETHER, 3, 3))
        first, second, third = self._corners.transpose(2, 0, 1, 3)
        area = np.cross(second - first, third - first) / 2
        area.reshape(-1, 3)[len(corners) :] = 0  # the last group is filled up with its last face
        self._corners.reshape(-1, 3, 3)[len(corners) :] = corners[self._order[-1], 0]
        middle = self._corners.mean((1, 2))
        reach = np.linalg.norm(self._corners - middle[:, None, None], axis=-1).max((1, 2))
        self._spheres = np.concatenate([middle, reach[:, None]], 1)
        self._dipoles = area.sum(1)

    def at(self, points: Float[Tensor, "N 3"]) -> Nearest:
        """What is nearest to some points.

        Args:
            points: in the frame of the mesh.

        Raises:
            ShapeError: they lack their axes.
        """
        check_shape("points", points, None, 3)
        count = len(points)
        square, winding = np.empty(count), np.empty(count)
        face, weights = np.zeros(count, np.int64), np.zeros((count, 3))
        from morphface.render.distance import kernels  # numba: on first use

        threads.run(
            kernels.nearest,
            threads.split(),
            points.detach().double().numpy(),
            self._corners,
            self._spheres,
            self._dipoles,
            FAR,
            square,
            face,
            weights,
            winding,
        )
        distance = np.sqrt(square) * np.where(winding > INSIDE, -1.0, 1.0)
        corners = self._faces[torch.from_numpy(self._order[face])]
        values = (torch.from_numpy(each).to(points) for each in (distance, weights, winding))
        distances, shares, turns = values
        return Nearest(distances, corners, shares, turns)


def _grouped(centres: np.ndarray) -> np.ndarray:
    """An order of faces in which groups lie together; the last face comes again to fill the last.

    Halves of halves along the longest side, the first of which fill whole groups.
    """
    parts, order = [np.arange(len(centres))], []
    while parts:
        part = parts.pop()
        if len(part) <= TOGETHER:
            order.append(part)
            continue
        own = centres[part]
        ranked = part[own[:, np.ptp(own, axis=0).argmax()].argsort(kind="stable")]
        half = -(-len(part) // (2 * TOGETHER)) * TOGETHER
        parts += [ranked[half:], ranked[:half]]
    whole = np.concatenate(order)
    return np.concatenate([whole, np.repeat(whole[-1:], -len(whole) % TOGETHER)])
