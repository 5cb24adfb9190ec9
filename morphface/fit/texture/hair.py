"""The colour of the scalp: that of the hair, or of whatever else photos show there.

The model's head has no hair. What a photo shows of the scalp, usually little of its front, colours
all of it, so that a head that turns does not go bald.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.texture.blend import from_log, to_log
from morphface.fit.texture.photo import Delit
from morphface.fit.texture.points import SurfacePoints
from morphface.models import MorphableModel

__all__ = ["with_hair"]

ENOUGH = 0.004
"""Part of the scalp that must be seen for half of its colour to count."""
BOUNDS = -2.5, 0.35
"""Log of how much darker or brighter than the model's scalp."""


def with_hair(
    model: MorphableModel,
    points: SurfacePoints,
    photos: Sequence[Delit],
    albedo: Float[Tensor, "V 3"],
) -> Float[Tensor, "V 3"]:
    """`albedo` with the scalp in the median colour that photos show there.

    Args:
        model: whose scalp is looked at; without that region nothing changes.
        points: of its surface.
        photos: of one person.
        albedo: of the vertices.
    """
    if "scalp" not in model.regions:
        return albedo
    scalp = model.regions["scalp"][:, None]
    where = points.at(scalp)[:, 0]
    guide = points.at(to_log(albedo))
    changes, shares = [], []
    for photo in photos:
        used = (where > 0.95) & (photo.confidence > 0.1)
        shares.append(float(used.sum()) / max(float((where > 0.95).sum()), 1.0))
        if shares[-1]:
            changes.append((to_log(photo.albedo) - guide)[used].median(dim=0).values)
    if not changes:
        return albedo
    change = torch.stack(changes).quantile(0.5, dim=0).clamp(*BOUNDS)
    change = change * max(shares) / (max(shares) + ENOUGH)
    return from_log(to_log(albedo) + scalp * change).clamp(0, 1)
