"""Landmarks of irises, whose place on an eyeball is known in closed form."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from morphface.geometry.closest import closest_on_mesh
from morphface.landmarks import tables
from morphface.models import LandmarkEmbedding, MorphableModel
from morphface.models.storage import read_model_file

SCHEME = "478"
# The five points of an iris, in its radii to the subject's left and up.
AROUND = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
RINGS = (tables.LEFT_IRIS, tables.RIGHT_IRIS)


def kept_landmarks(path: Path) -> dict[str, LandmarkEmbedding]:
    """The landmarks of a model's file that is about to be replaced; none if there is no file."""
    found = read_model_file(path).landmarks if path.is_file() else {}
    return {name: embedding.map(Tensor.clone) for name, embedding in found.items()}


def with_landmarks(model: MorphableModel, found: dict[str, LandmarkEmbedding]) -> MorphableModel:
    """The model with landmarks found before, its irises' put where its irises are."""
    landmarks = dict(found)
    if SCHEME in landmarks:
        landmarks[SCHEME] = with_irises(model, landmarks[SCHEME])
    return replace(model, landmarks=landmarks)


def with_irises(model: MorphableModel, dense: LandmarkEmbedding) -> LandmarkEmbedding:
    """The dense landmarks with those of both irises on pupil and limbus of the resting eyes."""
    triangles, weights = dense.triangles.clone(), dense.barycentric.clone()
    for eye, ring in zip(model.eyes or (), RINGS, strict=True):
        flat = torch.tensor(AROUND) * eye.iris_radius
        depth = (eye.radius**2 - flat.square().sum(1)).sqrt()
        places = eye.centre(model.identity.mean) + torch.cat([flat, depth[:, None]], dim=1)
        own = torch.zeros(model.size, dtype=torch.bool)
        own[eye.vertices] = True
        allowed = model.faces[own[model.faces].all(1)]
        which, share = closest_on_mesh(places, model.identity.mean, allowed)
        triangles[list(ring)] = allowed[which]
        weights[list(ring)] = torch.from_numpy(np.float32(share.numpy().round(4)))
        weights[list(ring), 2] = 1 - weights[list(ring), :2].sum(1)
    return replace(dense, triangles=triangles, barycentric=weights)
