"""Eyeballs and the inside of the mouth: as the model has them, in the tone that photos show.

Photos show little of these parts, and that little moves: gaze turns the iris and lips cover teeth.
So their colours are the model's, darkened where little light reaches, with the sclera and the iris
as bright and as tinted as in the photos, within bounds, as far as enough of them is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from morphface.core.kept import once_each
from morphface.fit.texture.ambient import ambient, inner_parts
from morphface.fit.texture.blend import from_log, to_log
from morphface.fit.texture.photo import Delit
from morphface.fit.texture.points import SurfacePoints
from morphface.geometry.mesh import edges
from morphface.models import MorphableModel

__all__ = ["inner_colours", "rims"]


@dataclass(frozen=True)
class _Tone:
    """How the tone of a part is taken from a photo.

    Args:
        brightness: how far its log may change.
        tint: the same of a channel beside the others, in either direction.
        quantile: which of the seen values counts: lashes and lids darken the sclera, catchlights
            brighten the iris.
    """

    brightness: tuple[float, float]
    tint: float
    quantile: float


TONES = {
    "sclera": _Tone((-0.45, 0.1), 0.12, 0.7),
    "iris": _Tone((-1.0, 0.9), 0.6, 0.4),
    "teeth": _Tone((-0.5, 0.1), 0.1, 0.6),
}
"""Parts whose tone is taken from photos."""
LIDS = ("eyelids", "under_eyes")
COVERED = -0.4
"""Log of how dark the lids are from which the eyes are behind dark glasses, and so dark as well."""
RIM = 0.5, 2.5
"""Distances along the surface, in millimetres: a rim up to the first, none from the second."""
LID_RIM = 2.0, 5.5
"""The same on lids: a blink spreads out what an open eye folds up, with its lashes and lines."""
ENOUGH = 10.0
"""Visible points from which half of what is seen counts."""
SEEN = 0.2
"""How well a point must be visible to count."""


def inner_colours(
    model: MorphableModel,
    points: SurfacePoints,
    albedo: Float[Tensor, "V 3"],
    photos: Sequence[Delit],
) -> Float[Tensor, "V 3"]:
    """Colours of the vertices, meant for those of the inner parts.

    Args:
        model: whose regions are looked at.
        points: of its surface.
        albedo: of the vertices.
        photos: of one person.
    """
    dark = albedo * ambient(model)[:, None]
    known = [name for name in TONES if name in model.regions]
    if not known:
        return dark
    parts = torch.stack([model.regions[name] for name in known], dim=-1)
    guide, inside = points.at(to_log(dark)), points.at(parts)
    covers = [_cover(model, points, photo, guide) for photo in photos]
    change = torch.zeros_like(dark)
    for name, mask, part in zip(known, inside.unbind(-1), parts.unbind(-1), strict=True):
        spots = torch.nonzero(mask > 0.95)[:, 0]
        tones = [
            _tone(TONES[name], _seen(photo, guide, spots), cover if name != "teeth" else 0.0)
            for photo, cover in zip(photos, covers, strict=True)
        ]
        change += part[:, None] * torch.stack(tones).quantile(0.5, dim=0)
    return from_log(to_log(dark) + change).clamp(0, 1)


@once_each
def rims(model: MorphableModel) -> Float[Tensor, " V"]:
    """1 at the rims of lids and lips, 0 away from them.

    There a photo that is a pixel off shows eyes or teeth.
    """
    edge = model.regions.get("lashes", torch.zeros(model.size))
    inner = torch.nonzero((inner_parts(model) > 0.5) | (edge > 0.1))[:, 0]
    if not len(inner):
        return torch.zeros(model.size)
    place, (a, b) = model.identity.mean, edges(model.faces).T
    length = (place[a] - place[b]).norm(dim=-1).double().numpy()
    graph = coo_matrix((length, (a.numpy(), b.numpy())), shape=(model.size, model.size))
    far = dijkstra(graph, directed=False, indices=inner.numpy(), min_only=True, limit=LID_RIM[1])
    lid = model.regions.get("eyelids", torch.zeros(model.size))
    low, high = (skin + lid * (own - skin) for skin, own in zip(RIM, LID_RIM, strict=True))
    return ((high - torch.from_numpy(far).float()) / (high - low)).clamp(0, 1)


def _seen(
    photo: Delit, guide: Float[Tensor, "N 3"], spots: Int[Tensor, " n"]
) -> Float[Tensor, "k 3"]:
    """How those of `spots` that are visible differ from `guide`."""
    spots = spots[photo.visible[spots] > SEEN]
    return to_log(photo.albedo[spots]) - guide[spots]


def _cover(
    model: MorphableModel, points: SurfacePoints, photo: Delit, guide: Float[Tensor, "N 3"]
) -> float:
    """How much darker than a bare eye dark glasses make it; 0 without them."""
    lids = [model.regions[name] for name in LIDS if name in model.regions]
    if not lids:
        return 0.0
    mask = points.at(torch.stack(lids).amax(0)[:, None])[:, 0]
    difference = _seen(photo, guide, torch.nonzero(mask > 0.5)[:, 0])
    if not len(difference):
        return 0.0
    return 3 * min(0.0, float(difference.mean(-1).median()) - COVERED)


def _tone(rule: _Tone, difference: Float[Tensor, "k 3"], cover: float) -> Float[Tensor, "3"]:
    """What is seen of a part beside the model, bounded, and less where little is seen."""
    if not len(difference):
        return difference.new_zeros(3)
    middle = difference.quantile(rule.quantile, dim=0)
    brightness = middle.mean()
    tint = (middle - brightness).clamp(-rule.tint, rule.tint)
    low, high = rule.brightness
    share = len(difference) / (len(difference) + ENOUGH)
    return (brightness.clamp(low + cover, high) + tint) * share
