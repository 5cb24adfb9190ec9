"""Where the margins of the lids are on any model, and where they are in a face.

Seen from the front, the opening of an eye is where the mean face shows no skin but an eyeball.
The skin beside it is the margin, found to a tenth of a millimetre without any landmarks. Models
whose eyeballs do not show fall back on the lids of their 478 or 68 landmarks.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.core.records import Record
from morphface.models import MorphableModel
from morphface.models.skin import skin_faces
from morphface.render.rasterize import Fragments, rasterize

__all__ = ["CLOSED", "Lids", "lids_of", "opened"]

CLOSED = 0.03, 0.06
"""Mean distance of the lids over the width of the eye: nothing is open below the first; up to
the second the opening is narrowed, so that it does not vanish all at once."""
STEPS = 16  # from corner to corner
FINE = 0.1  # mm
REACH = 30.0, 20.0  # mm from the eyeball's centre, across and up

# Along the lower and along the upper lid, both from the outer to the inner corner.
LANDMARKS = {
    "478": (
        (
            (263, 249, 390, 373, 374, 380, 381, 382, 362),
            (263, 466, 388, 387, 386, 385, 384, 398, 362),
        ),
        ((33, 7, 163, 144, 145, 153, 154, 155, 133), (33, 246, 161, 160, 159, 158, 157, 173, 133)),
    ),
    "68": (((45, 46, 47, 42), (45, 44, 43, 42)), ((36, 41, 40, 39), (36, 37, 38, 39))),
}


@dataclass(frozen=True, eq=False)
class Lids(Record):
    """Points along the lids as weighted sums of vertices.

    The axes are the left and the right eye; the lower and the upper lid; points from the outer
    to the inner corner, one above the other.

    Args:
        vertices: that each point depends on.
        weights: of them; they sum to 1.
    """

    vertices: Int[Tensor, "2 2 P n"]
    weights: Float[Tensor, "2 2 P n"]

    def points(self, vertices: Float[Tensor, "T V 3"]) -> Float[Tensor, "T 2 2 P 3"]:
        """Where they are in faces."""
        return (vertices[:, self.vertices] * self.weights[..., None]).sum(-2)


@lru_cache(maxsize=4)
def lids_of(model: MorphableModel) -> Lids:
    """The lids of a model that has eyeballs.

    Raises:
        ModelError: no eyeball shows between lids, and there are no landmarks to go by.
    """
    found = [_margins(model, side) for side in (0, 1)]
    if found[0] is not None and found[1] is not None:
        return _joined([found[0], found[1]])
    for scheme, rings in LANDMARKS.items():
        if scheme in model.landmarks:
            embedding = model.landmarks[scheme]
            return _joined(
                [_spanned(embedding.triangles, embedding.barycentric, ring) for ring in rings]
            )
    raise ModelError(
        f"map 'gaze' needs lids, but model {model.name!r} shows no eyeball between them and has no "
        "landmarks of scheme 478 or 68; compute these with morphface.landmarks.embed(model)"
    )


def opened(
    points: Float[Tensor, "T 2 2 P 3"], up: Float[Tensor, "T 3"]
) -> Float[Tensor, "T 2 2 P 3"]:
    """The lids of eyes that are nearly closed, closed; those of open eyes as they are.

    Args:
        points: as `Lids.points` returns them.
        up: of the head, a unit vector in the same frame.
    """
    lower, upper = points.unbind(2)
    gap = ((upper - lower) * up[:, None, None]).sum(-1).clamp(min=0).mean(-1)
    width = (points[:, :, 0, 0] - points[:, :, 0, -1]).norm(dim=-1)
    openness = gap / width.clamp(min=1e-6)
    share = ((openness - CLOSED[0]) / (CLOSED[1] - CLOSED[0])).clamp(0, 1)[..., None, None]
    return torch.stack(
        [lower, torch.where(share < 1, lower + (upper - lower) * share, upper)], dim=2
    )


_Lid = tuple[Tensor, Tensor]


def _joined(eyes: list[_Lid]) -> Lids:
    vertices, weights = (torch.stack(parts) for parts in zip(*eyes, strict=True))
    return Lids(vertices, weights)


def _margins(model: MorphableModel, side: int) -> _Lid | None:
    """Vertices and weights of the skin around the opening of an eye, if it shows."""
    if model.eyes is None:
        return None
    eye = model.eyes[side]
    seen = _front(model, eye.centre(model.identity.mean))
    opening = _opening(model, eye.vertices, seen)
    columns = np.flatnonzero(opening.any(0))
    if len(columns) < 2 * STEPS or columns[0] == 0 or columns[-1] == opening.shape[1] - 1:
        return None
    along = (1 - np.cos(np.linspace(0, np.pi, STEPS + 1))) / 2
    chosen = np.rint(columns[0] + along * (columns[-1] - columns[0])).astype(int)
    inside = [np.flatnonzero(opening[:, column]) for column in chosen]
    lower = [(rows[-1] + 1, column) for rows, column in zip(inside, chosen, strict=True)]
    upper = [(rows[0] - 1, column) for rows, column in zip(inside, chosen, strict=True)]
    for end, beyond in ((0, -1), (-1, 1)):
        lower[end] = upper[end] = (int(inside[end].mean()), int(chosen[end]) + beyond)
    outwards = 1 if side else -1  # the subject's left eye has its outer corner at the right
    row, column = torch.tensor([lower[::outwards], upper[::outwards]]).unbind(-1)
    face = seen.face[0, row, column]
    if bool((face < 0).any()):
        return None
    return model.faces[face].long(), seen.barycentric[0, row, column]


def _front(model: MorphableModel, centre: Float[Tensor, "3"]) -> Fragments:
    """The mean face around an eye, from the front and without perspective."""
    across, up = REACH
    x, y, z = (model.identity.mean - centre).unbind(-1)
    far = float(z.max()) + 1
    screen = torch.stack([(x + across) / FINE, (up - y) / FINE, far - z], dim=-1)[None]
    size = round(2 * up / FINE), round(2 * across / FINE)
    return rasterize(screen, model.faces, size, perspective=False)


def _opening(
    model: MorphableModel, ball: Int[Tensor, " E"], seen: Fragments
) -> Bool[np.ndarray, "H W"]:
    """Pixels without skin that hang together and show the eyeball most."""
    from scipy.ndimage import label

    face, mask = seen.face[0].clamp(min=0), seen.mask[0]
    on_ball = torch.zeros(model.size, dtype=torch.bool)
    on_ball[ball] = True
    shows = (on_ball[model.faces].all(-1)[face] & mask).numpy()
    pieces, count = label((~skin_faces(model)[face] & mask).numpy())
    sizes = np.bincount(pieces[shows], minlength=count + 1)
    sizes[0] = 0
    best = int(sizes.argmax())
    return (pieces == best) if best else np.zeros_like(shows)


def _spanned(triangles: Tensor, barycentric: Tensor, ring: tuple[tuple[int, ...], ...]) -> _Lid:
    """Landmarks of both lids, with points between them on a smooth curve."""
    which = torch.tensor(ring)
    share = _curve(which.shape[1])
    vertices = triangles[which].flatten(1).expand(STEPS + 1, 2, -1).movedim(0, 1)
    weights = share[None, :, :, None] * barycentric[which][:, None]
    return vertices.long(), weights.flatten(2)


def _curve(knots: int) -> Float[Tensor, "P K"]:
    """Weights of the knots in points along the cubic curve through them (Catmull and Rom 1974)."""
    place = torch.linspace(0, knots - 1, STEPS + 1)
    first = place.floor().clamp(max=knots - 2)
    t = (place - first)[:, None]
    # The curve goes on beyond its ends as a straight line.
    known = torch.eye(knots)
    known = torch.cat([2 * known[:1] - known[1:2], known, 2 * known[-1:] - known[-2:-1]])
    a, b, c, d = (known[first.long() + k] for k in range(4))
    slope, next_slope = (c - a) / 2, (d - b) / 2
    turn = 3 * (c - b) - 2 * slope - next_slope
    return b + t * slope + t**2 * turn + t**3 * (2 * (b - c) + slope + next_slope)
