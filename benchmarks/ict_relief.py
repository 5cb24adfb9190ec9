"""Random people of ICT-FaceKit with relief that is finer than any model, known exactly.

Their faces are subdivided (Loop 1987) and displaced along their normals by wrinkles and fine waves
(`morphface.synthetic.random_relief`), which hang on the face without expression; skin has spots
that are of colour alone. Nothing learns from them: they test what tells relief from pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from benchmarks.detailed_scan import Truth
from benchmarks.ict import SKIN, IctHeads
from benchmarks.independent import Part
from benchmarks.subjects import Subject
from morphface.geometry.mesh import VertexWeights, loop_subdivision, vertex_normals
from morphface.synthetic import Dice, ReliefSettings, random_relief
from morphface.synthetic.relief import band_of_waves

__all__ = ["PICTURES", "ReliefHead", "relief_head"]

PICTURES = {"focal": 1350.0, "size": (768, 768), "samples": 20}
"""Of the camera, in pixels; pixels; rays for each."""
LEVELS = 3
"""Of subdivision: edges of 0.4 mm, the median, where the model's are 2.9."""
SPOTS, SPOTTED = (2.0, 15.0), 0.06
"""Wavelengths in millimetres of the skin's colour, and the standard deviation of its logarithm."""
WAVES = 128
TINT = (0.6, 1.0, 1.3)
"""How far red, green and blue share in it: about as melanin does."""
BORDER = 3.0
"""Millimetres from the border of the face's mesh over which relief ends."""
SURELY = 0.999
SEED = 24


@dataclass(frozen=True, eq=False)
class ReliefHead:
    """Somebody with relief.

    Args:
        subject: to be photographed, its face the first part.
        truth: at points of the face, which lie on the displaced surface.
    """

    subject: Subject
    truth: Truth


def relief_head(
    ict: IctHeads,
    who: int,
    *,
    levels: int = LEVELS,
    settings: ReliefSettings | None = None,
    every: int = 16,
) -> ReliefHead:
    """A random person with a random expression, the same at every call.

    Args:
        ict: the model.
        who: number of the person.
        levels: of subdivision.
        settings: how much relief there is.
        every: one of so many points of the face is told of.
    """
    rng, dice = np.random.default_rng((SEED, who)), Dice(SEED, who)
    identity = ict.random_identity(rng)
    shown = ict.head(identity, ict.random_expression(rng))
    still = ict.head(identity, np.zeros(len(ict.expression)))
    fine, weights = _levels(shown.parts[0].faces, len(shown.parts[0].vertices), levels)
    neutral, plain = (_applied(weights, one.parts[0].vertices) for one in (still, shown))
    own = vertex_normals(neutral, fine)
    height = random_relief(neutral, own, still.marks, dice, settings) * _inner(plain, fine)
    along = vertex_normals(plain, fine)
    points = plain + height[:, None] * along
    normals = vertex_normals(points, fine)
    part = Part(points, fine, normals=normals, colours=_skin(neutral, dice))
    told = torch.nonzero(_narrow(ict, weights))[::every, 0]
    flat = torch.zeros(len(told))
    truth = Truth(points[told], normals[told], along[told], flat, height[told])
    return ReliefHead(replace(shown, parts=(part, *shown.parts[1:])), truth)


def _levels(faces: Tensor, size: int, levels: int) -> tuple[Tensor, list[VertexWeights]]:
    """Finer faces, whose border stays where other parts begin, and the weights of each level."""
    out = []
    for _ in range(levels):
        faces, weights = loop_subdivision(faces, size, boundary="linear")
        size = weights.matrix.shape[0]
        out.append(weights)
    return faces, out


def _applied(weights: Sequence[VertexWeights], values: Tensor) -> Tensor:
    for level in weights:
        values = level.apply(values)
    return values


def _inner(vertices: Tensor, faces: Tensor) -> Tensor:
    """How far each vertex is from the border of the mesh, where relief ends: 0 to 1."""
    ends = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(dim=1).values
    pairs, times = ends.unique(dim=0, return_counts=True)
    border = vertices[pairs[times == 1].unique()]
    away, _ = cKDTree(border.numpy()).query(vertices.numpy(), distance_upper_bound=BORDER)
    return torch.from_numpy(np.minimum(away / BORDER, 1.0)).float()


def _skin(neutral: Tensor, dice: Dice) -> Tensor:
    """Albedo of the face, in linear RGB, whose spots have nothing to do with its relief."""
    spots = SPOTTED * band_of_waves(neutral, SPOTS, WAVES, dice)
    return torch.tensor(SKIN) * torch.exp(spots[:, None] * torch.tensor(TINT))


def _narrow(ict: IctHeads, weights: Sequence[VertexWeights]) -> Tensor:
    """Which vertices are of the model's narrow face, without ears and throat."""
    number = ict.parts.index("face")
    used = np.unique(ict.content["faces"][ict.content["face_part"] == number])
    mask = torch.from_numpy(used < ict.count).float()[:, None]
    return _applied(weights, mask)[:, 0] > SURELY
