"""Points of a person's skin at which frames are compared: vertices, spread evenly over the face.

They do not change from frame to frame, so that nothing that moves depends on which pixels were
drawn.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import KDTree
from torch import Tensor

from morphface.fit.analysis.colour import Balance
from morphface.fit.analysis.rings import rings_of
from morphface.fit.analysis.surface import Surface, surface_of
from morphface.fit.video.person import Person

__all__ = ["Skin", "skin_of"]

_NEIGHBOURS = 12
_HALVINGS = 12


@dataclass(frozen=True, eq=False)
class Skin:
    """A person's skin, with all that moves it.

    Args:
        person: whose it is.
        surface: the part of the person that is looked at.
        mean: its vertices without expression.
        basis: what each expression adds to a vertex.
        faces: of its mesh.
        rings: of its mesh: where the pairs of each vertex begin, their neighbours, where their
            terms begin, corners and signs.
        vertices: which vertices are compared.
        albedo: there.
        weight: how much each counts, by its area and how far it is skin.
        near: for each of these points, those around it.
        mix: from colours of the model to those of the video.
    """

    person: Person
    surface: Surface
    mean: Float[np.ndarray, "V 3"]
    basis: Float[np.ndarray, "V 3 E"]
    faces: Int[Tensor, "F 3"]
    rings: tuple[np.ndarray, ...]
    vertices: Int[np.ndarray, " n"]
    albedo: Float[Tensor, "n 3"]
    weight: Float[Tensor, " n"]
    near: Int[Tensor, "n k"]
    mix: Float[Tensor, "3 3"]

    def around(self, expression: Float[np.ndarray, " E"]) -> "Skin":
        """The same skin, linear around an expression; itself where the model is linear."""
        model = self.person.model
        near = model.linearised(torch.zeros(0), torch.from_numpy(expression).float())
        if near is model:
            return self
        surface = surface_of(model, torch.device("cpu"), torch.float32, linear=near)
        mean, basis = _shape(surface)
        return replace(self, surface=surface, mean=mean, basis=basis)


def skin_of(person: Person, count: int) -> Skin:
    """About `count` points of a person's skin."""
    surface = surface_of(person.model, torch.device("cpu"), torch.float32)
    points = surface.mean.numpy()
    weight = surface.weight.numpy() * _areas(points, surface.faces.numpy())
    for eye in surface.eyes:
        weight[eye.vertices.numpy()] = 0.0  # they turn, and lids hide them
    vertices, share = _spread(points, weight, count)
    rings = rings_of(surface.faces, len(points))
    arrays = (rings.pairs, rings.neighbour, rings.terms, rings.corner, rings.sign)
    gain = None if bool((person.gain == 1).all()) and not person.grey else person.gain
    mix = Balance(gain, person.grey).mix
    mean, basis = _shape(surface)
    return Skin(
        person=person,
        surface=surface,
        mean=mean,
        basis=basis,
        faces=surface.faces,
        rings=tuple(part.contiguous().numpy() for part in arrays),
        vertices=vertices,
        albedo=surface.albedo[torch.from_numpy(vertices)].clamp(0, 1),
        weight=torch.from_numpy(share).float(),
        near=torch.from_numpy(KDTree(points[vertices]).query(points[vertices], _NEIGHBOURS)[1]),
        mix=torch.eye(3) if mix is None else mix,
    )


def _shape(surface: Surface) -> tuple[Float[np.ndarray, "V 3"], Float[np.ndarray, "V 3 E"]]:
    """Vertices without expression, and what each expression adds; gaze is left out."""
    return surface.mean.numpy(), np.ascontiguousarray(surface.basis[:, :, :-4].numpy())


def _areas(points: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]) -> np.ndarray:
    """A third of the area of the faces around each vertex."""
    a, b, c = points[faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(faces.ravel(), np.repeat(area, 3), minlength=len(points))


def _spread(
    points: Float[np.ndarray, "V 3"], weight: Float[np.ndarray, " V"], count: int
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """About `count` of the points that weigh something, and the weight around each.

    Space is cut into cubes, so large that so many hold points; the heaviest of each stands for
    them all.
    """
    inside = np.flatnonzero(weight > 0)
    if len(inside) <= count:
        return inside, weight[inside]
    low, high = 0.1, 100.0
    for _ in range(_HALVINGS):
        side = np.sqrt(low * high)
        cells = np.unique(np.floor(points[inside] / side).astype(int), axis=0)
        low, high = (side, high) if len(cells) > count else (low, side)
    _, cell = np.unique(np.floor(points[inside] / high).astype(int), axis=0, return_inverse=True)
    cell = cell.ravel()
    order = np.lexsort((-weight[inside], cell))
    first = order[np.r_[True, np.diff(cell[order]) > 0]]
    return inside[first], np.bincount(cell, weight[inside])
