"""Which part of a photo is the person: the fitted head, and what is coloured like what is near it.

A cut through a net of pixels (Boykov and Jolly 2001, with the colour models re-estimated as in
GrabCut, Rother et al. 2004), refined at the photo's edges by a guided filter (He et al. 2010).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt, gaussian_filter, label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from morphface.geometry.camera import Camera
from morphface.render.rasterize import rasterize
from morphface.render.warp import enlarged
from morphface.rerender.looks import Look, part_of

__all__ = ["person_matte"]

ALONG = 72
"""Nodes of the net along a head."""
MOST = 200
"""The same along a photo, at most."""
FINE = 700
"""Pixels along a photo at which edges are refined."""
ROUNDS = 4
_BINS = 10
_SMOOTH = 6.0
_SCALE = 100.0


@dataclass(frozen=True, eq=False)
class _Guess:
    """What is likely before colours are looked at.

    Args:
        person: probability of being the person.
        certain: the head's inside.
        hopeless: what is too far from it.
    """

    person: Float[np.ndarray, "h w"]
    certain: Bool[np.ndarray, "h w"]
    hopeless: Bool[np.ndarray, "h w"]


def person_matte(
    pixels: Float[Tensor, "H W 3"], camera: Camera, look: Look, faces: Tensor
) -> Float[Tensor, "H W 1"]:
    """How far each pixel shows the person, 0 to 1.

    Args:
        pixels: the photo.
        camera: that took it.
        look: the head in it.
        faces: of its mesh.
    """
    height, width = pixels.shape[:2]
    screen = camera.project(look.vertices)[:, :2]
    head = max(float((screen.amax(0) - screen.amin(0)).max()), 1.0)
    scale = min(ALONG / head, MOST / max(height, width), 1.0)
    small_camera = part_of(camera, (0, 0, width, height), scale)
    small = _shrunk(pixels, small_camera.size).numpy()
    guess = _guess(small_camera, look, faces, head * scale)
    person = guess.person > 0.5
    for _ in range(ROUNDS):
        person = _joined(_cut(small, _costs(small, person, guess)), guess.certain)
    coarse = torch.from_numpy(person.astype(np.float32))
    ratio = min(FINE / max(height, width), 1.0)
    size = max(round(height * ratio), 1), max(round(width * ratio), 1)
    guide = _shrunk(pixels, size).mean(dim=-1)
    fine = _guided(guide, enlarged(coarse[..., None], size)[..., 0], round(0.025 * head * ratio))
    return enlarged(_steeper(fine)[..., None], (height, width))


def _shrunk(pixels: Float[Tensor, "H W 3"], size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
    return interpolate(pixels.movedim(-1, 0)[None], size, mode="area")[0].movedim(0, -1)


def _guess(camera: Camera, look: Look, faces: Tensor, head: float) -> _Guess:
    """From where the head is: hair close around it, a body below."""
    screen = camera.project(look.vertices)
    found = rasterize(screen[None], faces, camera.size, perspective=camera.weak_depth is None)
    mask = found.mask[0].numpy()
    if not mask.any():
        blank = np.zeros(camera.size)
        return _Guess(blank, blank > 0, blank == 0)
    away = distance_transform_edt(~mask) / head
    deep = distance_transform_edt(mask) / head
    points = screen[:, :2].numpy()
    low, middle = np.quantile(points[:, 1], 0.97), float(np.median(points[:, 0]))
    y, x = np.mgrid[: camera.size[0], : camera.size[1]] + 0.5
    below = np.clip((y - low) / (0.1 * head), 0, 1)
    inside = np.abs(x - middle) < 0.75 * head + 0.5 * np.maximum(y - low, 0)
    near = 0.85 * np.exp(-((away / 0.2) ** 2))
    person = np.maximum(near, below * np.where(inside, 0.8, 0.3))
    hopeless = (away > 0.6) & (below < 0.5) & (y < low)
    return _Guess(np.where(mask, 0.9, person), mask & (deep > 0.05), hopeless)


def _costs(
    small: Float[np.ndarray, "h w 3"], person: Bool[np.ndarray, "h w"], guess: _Guess
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """What it costs to call each pixel the person, or not."""
    place = tuple(np.clip((small * _BINS).astype(int), 0, _BINS - 1).reshape(-1, 3).T)
    out = []
    for chosen, prior in ((person, guess.person), (~person, 1 - guess.person)):
        table = np.full((_BINS,) * 3, 1e-3)
        np.add.at(table, tuple(axis[chosen.ravel()] for axis in place), 1.0)
        table = gaussian_filter(table, 0.7)
        chance = (table / table.sum())[place].reshape(person.shape)
        out.append(-np.log(chance + 1e-5) - np.log(np.clip(prior, 0.02, 1)))
    as_person, as_other = out
    as_person = np.where(guess.hopeless, as_person + 1e3, as_person)
    return as_person, np.where(guess.certain, as_other + 1e3, as_other)


def _cut(
    small: Float[np.ndarray, "h w 3"],
    costs: tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]],
) -> Bool[np.ndarray, "h w"]:
    """The cheapest labels, where neighbours of one colour should agree."""
    count = small.shape[0] * small.shape[1]
    node = np.arange(count).reshape(small.shape[:2])
    as_person, as_other = (np.round(cost.ravel() * _SCALE).astype(np.int32) for cost in costs)
    least = np.minimum(as_person, as_other)
    parts = [
        (np.full(count, count), node.ravel(), as_other - least),
        (node.ravel(), np.full(count, count + 1), as_person - least),
    ]
    steps: list[tuple[Any, Any]] = [(np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])]
    square = [((small[a] - small[b]) ** 2).sum(-1) for a, b in steps]
    usual = 2 * np.mean(np.concatenate([part.ravel() for part in square])) + 1e-6
    for (a, b), part in zip(steps, square, strict=True):
        worth = np.round(_SMOOTH * np.exp(-part / usual) * _SCALE).astype(np.int32).ravel()
        first, second = node[a].ravel(), node[b].ravel()
        parts += [(first, second, worth), (second, first, worth)]
    rows, columns, worth = (np.concatenate(part) for part in zip(*parts, strict=True))
    net = coo_matrix((worth, (rows, columns)), shape=(count + 2, count + 2)).tocsr()
    left = net - maximum_flow(net, count, count + 1).flow
    left.data = (left.data > 0).astype(np.int32)
    left.eliminate_zeros()
    reached = breadth_first_order(left, count, return_predecessors=False)
    found = np.zeros(count + 2, bool)
    found[reached] = True
    return found[:count].reshape(node.shape)


def _joined(
    person: Bool[np.ndarray, "h w"], head: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """What hangs together with the head."""
    parts, _ = label(person)
    return np.isin(parts, np.unique(parts[head & person]))


def _guided(
    guide: Float[Tensor, "h w"], mask: Float[Tensor, "h w"], radius: int, noise: float = 1e-3
) -> Float[Tensor, "h w"]:
    """The mask with the edges of the guide."""
    radius = max(radius, 1)

    def mean(values: Tensor) -> Tensor:
        return avg_pool2d(values[None, None], 2 * radius + 1, 1, radius, count_include_pad=False)[
            0, 0
        ]

    middle, level = mean(guide), mean(mask)
    spread = mean(guide * guide) - middle * middle
    slope = (mean(guide * mask) - middle * level) / (spread + noise)
    return mean(slope) * guide + mean(level - slope * middle)


def _steeper(values: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    return ((values - 0.15) / 0.7).clamp(0, 1)
