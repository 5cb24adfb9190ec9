"""Rotations of numpy. They come from `roma`; scipy's take long to import."""

import numpy as np
import roma
import torch
from jaxtyping import Float

__all__ = ["rotation_matrix", "rotation_vector", "turn_ahead"]


def rotation_matrix(vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """The matrix of a rotation vector."""
    matrix: Float[np.ndarray, "3 3"] = roma.rotvec_to_rotmat(torch.from_numpy(vector)).numpy()
    return matrix


def rotation_vector(matrix: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3"]:
    """The rotation vector of a matrix."""
    vector: Float[np.ndarray, 3] = roma.rotmat_to_rotvec(torch.from_numpy(matrix)).numpy()
    return vector


def turn_ahead(ray: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """The matrix that turns a line of sight into the camera's axis, by the shortest way."""
    axis = np.cross(ray, [0.0, 0.0, -1.0])
    length = float(np.linalg.norm(axis))
    angle = np.arctan2(length, -ray[2])
    return rotation_matrix(axis * (angle / max(length, 1e-12)))
