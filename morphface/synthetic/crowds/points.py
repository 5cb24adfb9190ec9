"""Crowds of points alone, without pictures: what assembly is tested on."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull

from morphface.core.errors import ParameterError
from morphface.geometry.angles import angles_to_rotvec
from morphface.landmarks.parts.graph import FaceGraph
from morphface.synthetic.dice import Dice

__all__ = ["PointCrowd", "random_points"]

SIDE = 60.0
"""Yaw in degrees from which the far half of a face is hidden."""
_TRIES = 4000
_FEWEST = 5


@dataclass(frozen=True, eq=False)
class PointCrowd:
    """Parts of people.

    Args:
        points: in pixels.
        visible: which of them are seen.
    """

    points: Float[np.ndarray, "N P 2"]
    visible: Bool[np.ndarray, "N P"]


def random_points(
    template: Float[np.ndarray, "P 3"],
    graph: FaceGraph,
    count: int,
    size: tuple[int, int],
    dice: Dice,
    *,
    heights: tuple[float, float] = (40.0, 160.0),
    apart: float = 20.0,
    clear: float = 0.0,
) -> PointCrowd:
    """People at random, turned up to full profile, some before others.

    A face hides what of others lies within its outline. Of everybody at least `_FEWEST` parts are
    seen, and hang together: else nothing could tell whose they are.

    Args:
        template: the parts of the mean head, in millimetres.
        graph: whose parts these are.
        count: of people.
        size: height and width of the picture; no face reaches beyond it.
        dice: what decides.
        heights: of faces from the brows to the chin, in pixels, from least to most.
        apart: least distance of two parts of a kind, in pixels: what lies closer is one maximum.
        clear: least distance of a part from a limb of another face that ends in such a part, in
            pixels: of what lies on it, fields alone cannot tell whose it is.

    Raises:
        ParameterError: there is no room for so many.
    """
    points: list[np.ndarray] = []
    visible: list[np.ndarray] = []
    for _ in range(_TRIES):
        if len(points) == count:
            break
        person, seen = _person(template, graph, size, dice, heights)
        if not ((person >= 0) & (person < [size[1], size[0]])).all():
            continue
        others = np.array(points).reshape(-1, *person.shape)
        known = np.array(visible, bool).reshape(-1, len(person))
        near = (np.linalg.norm(others - person, axis=-1) < apart) & known & seen
        if near.any() or _on_limbs(person, seen, others, known, graph, clear):
            continue
        behind = known & ~_within(others, person)
        changed = behind[(behind != known).any(axis=1)]
        if all(_hangs_together(there, graph) for there in [*changed, seen]):
            points.append(person)
            visible = [*behind, seen]
    if len(points) < count:
        raise ParameterError(f"there is no room for {count} faces in {size[1]} x {size[0]} pixels")
    shape = (count, len(template))
    return PointCrowd(np.array(points).reshape(*shape, 2), np.array(visible, bool).reshape(shape))


def _within(
    points: Float[np.ndarray, "N P 2"], face: Float[np.ndarray, "P 2"]
) -> Bool[np.ndarray, "N P"]:
    """Which points lie within the outline of a face."""
    sides = ConvexHull(face).equations
    return np.asarray((points @ sides[:, :2].T + sides[:, 2] <= 0).all(axis=-1))


def _on_limbs(
    person: Float[np.ndarray, "P 2"],
    seen: Bool[np.ndarray, " P"],
    others: Float[np.ndarray, "N P 2"],
    behind: Bool[np.ndarray, "N P"],
    graph: FaceGraph,
    clear: float,
) -> bool:
    """Whether a part of one lies on a limb of the other that ends in such a part."""
    ends = np.array(graph.limbs)
    mine, theirs = person[None, ends], others[:, ends]
    own, their = seen[None, ends], behind[:, ends]
    for one, part, other, limb in ((mine, own, theirs, their), (theirs, their, mine, own)):
        for k in range(2):
            there = part[:, :, k] & limb.all(axis=-1)
            if (there & (_from_segment(one[:, :, k], other) < clear)).any():
                return True
    return False


def _from_segment(
    point: Float[np.ndarray, "N L 2"], ends: Float[np.ndarray, "M L 2 2"]
) -> Float[np.ndarray, "K L"]:
    """Distance of points from segments."""
    start, along = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
    share = ((point - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
    return np.linalg.norm(point - start - share.clip(0, 1)[..., None] * along, axis=-1)


def _hangs_together(seen: Bool[np.ndarray, " P"], graph: FaceGraph) -> bool:
    """Whether the limbs between what is seen leave nothing apart."""
    if seen.sum() < _FEWEST:
        return False
    rows, columns = np.array([limb for limb in graph.limbs if seen[list(limb)].all()] or [(0, 0)]).T
    table = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(seen),) * 2)
    labels = connected_components(table, directed=False)[1]
    return len(np.unique(labels[seen])) == 1


def _person(
    template: Float[np.ndarray, "P 3"],
    graph: FaceGraph,
    size: tuple[int, int],
    dice: Dice,
    heights: tuple[float, float],
) -> tuple[Float[np.ndarray, "P 2"], Bool[np.ndarray, " P"]]:
    """Where a face's parts are, and which of them are seen."""
    yaw = dice.number(-90, 90)
    angles = torch.deg2rad(torch.tensor([yaw, *(12 * dice.normal(2)).tolist()]))
    turn = roma.rotvec_to_rotmat(angles_to_rotvec(angles)).numpy().astype(np.float64)
    tall = template[:, 1].max() - template[:, 1].min()
    scale = np.exp(dice.number(*np.log(heights))) / tall
    middle = np.array([dice.number(0, size[1]), dice.number(0, size[0])])
    turned = (template - template.mean(axis=0)) @ turn.T
    far = template[:, 0] * np.sign(yaw) > 5 if abs(yaw) > SIDE else np.zeros(len(template), bool)
    return middle + scale * turned[:, :2] * [1, -1], ~far
