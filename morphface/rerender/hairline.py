"""Who is bald: above the face there is little that could be hair, and that has the colour of skin.

Either alone misleads: fair hair has the colour of tanned skin, and the light on a bald head makes
some of it look like hair.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.geometry.mesh import vertex_normals
from morphface.rerender.looks import towards

if TYPE_CHECKING:
    from morphface.rerender.person import Person

__all__ = ["hairiness", "scalp_cut"]

AMOUNT = 0.06, 0.075
"""Hair above the middle of the head, in squares of its size: what a bald one has at most, and what
tells of hair. Three bald portraits have 0.025 to 0.045, a bald scan 0.057; 131 others 0.07 to 0.4,
and less only where hair is very short or cut off, of another colour than skin."""
SHARE = 0.3, 0.6
"""Shares of hair in what is seen of the scalp: none, and hair if its colour is not that of skin."""
UNLIKE = 6.0, 7.5
"""Differences in CIE Lab of that colour and skin: of someone bald (3.4 to 5.7), and of hair."""
CUT = 0.5
"""Share of the scalp beyond the photo's border from which a little hair tells of more."""
HAIRLINE = 0.005, 0.012
"""Amounts of that, in squares of the head's size: none, and someone with hair."""
LIGHTER = 0.25
"""What differences of lightness count among these: the top of a head is lit in another way."""
FEWEST = 10
"""Pixels whose colours are compared, at least."""


def hairiness(person: "Person") -> float:
    """1 for who has hair or wears something on the head, 0 for who is bald.

    Args:
        person: in a photo.
    """
    scalp = person.face.model.regions.get("scalp")
    if scalp is None:
        return 1.0
    hair = person.labels.hair * person.matte
    above = float(hair[: max(round(person.work.middle[1]), 0)].sum()) / person.work.size**2
    likely = _between(float(hair.sum()) / person.work.size**2, HAIRLINE)
    if scalp_cut(person, scalp) <= CUT:
        seen = person.on_mesh(scalp[:, None])[..., 0] > 0.5
        likely = _between(float(hair[seen].mean()) if seen.any() else 1.0, SHARE)
    unlike = _between(_unlike(person, scalp, hair), UNLIKE)
    return max(_between(above, AMOUNT), min(unlike, likely))


def _between(value: float, ends: tuple[float, float]) -> float:
    return float(ramp(torch.tensor(value), *ends))


def _unlike(person: "Person", scalp: Float[Tensor, " V"], hair: Float[np.ndarray, "h w"]) -> float:
    """How far hair on the scalp differs from the face's skin, in colour more than in light."""
    import cv2

    blank = torch.zeros_like(scalp)
    regions = person.face.model.regions
    face = regions.get("face", blank) * (1 - regions.get("brows", blank))
    place = person.on_mesh(torch.stack([scalp, face], -1)) > 0.5
    skin = person.labels.skin * person.matte
    here, there = place[..., 0] & (hair > 0.5), place[..., 1] & (skin > 0.8)
    if min(here.sum(), there.sum()) < FEWEST:
        return float("inf")
    lab = np.asarray(cv2.cvtColor(person.work.pixels, cv2.COLOR_RGB2LAB))
    off = np.median(lab[here], 0) - np.median(lab[there], 0)
    return float(np.linalg.norm(off * [LIGHTER, 1, 1]))


def scalp_cut(person: "Person", scalp: Float[Tensor, " V"]) -> float:
    """Share of what would be seen of the scalp that lies beyond the photo's border.

    Args:
        person: in the photo.
        scalp: how far each vertex is of it.
    """
    vertices, faces = person.sight.vertices, person.sight.faces
    way = towards(vertices, person.face.camera)
    facing = (vertex_normals(vertices, faces) * way).sum(-1) > 0
    places = person.face.camera.project(vertices[facing & (scalp > 0.5)])[:, :2]
    if not len(places):
        return 0.0
    height, width = person.photo.size
    inside = (places >= 0) & (places < places.new_tensor([width, height]))
    return 1 - float(inside.all(-1).float().mean())
