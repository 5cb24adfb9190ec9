"""Eyeballs and the inside of the mouth: as the model has them, in the tone that photos show.

Photos show little of these parts, and that little moves: gaze turns the iris and lips cover teeth.
So their colours are the model's, darkened where little light reaches, with the sclera and the iris
as bright and as tinted as in the photos, within bounds, as far as enough of them is seen.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.texture.ambient import ambient
from morphface.fit.texture.blend import from_log, to_log
from morphface.fit.texture.points import SurfacePoints
from morphface.models import MorphableModel

__all__ = ["inner_colours"]

TONES = {"sclera": (-0.6, 0.15), "iris": (-1.0, 0.9), "teeth": (-0.5, 0.1)}
"""Parts whose tone is taken from photos, and how far the log of their brightness may change."""
TINT = 0.3
"""The same of their tint, in either direction."""
ENOUGH = 12.0
"""Trusted points from which half of what is seen counts."""


def inner_colours(
    model: MorphableModel,
    points: SurfacePoints,
    albedo: Float[Tensor, "V 3"],
    seen: tuple[Float[Tensor, "N 3"], Float[Tensor, " N"]],
) -> Float[Tensor, "V 3"]:
    """Colours of the vertices, meant for those of the inner parts.

    Args:
        model: whose regions are looked at.
        points: of its surface.
        albedo: of the vertices.
        seen: logarithms of the albedo that photos show, and how far to trust them.
    """
    dark = albedo * ambient(model)[:, None]
    difference, trust = seen[0] - points.at(to_log(dark)), seen[1]
    change = torch.zeros_like(dark)
    for name, bounds in TONES.items():
        if name in model.regions:
            part = model.regions[name][:, None]
            change += part * _tone(difference, trust * (points.at(part)[:, 0] > 0.95), bounds)
    return from_log(to_log(dark) + change).clamp(0, 1)


def _tone(
    difference: Float[Tensor, "N 3"], trust: Float[Tensor, " N"], bounds: tuple[float, float]
) -> Float[Tensor, "3"]:
    """The median difference, bounded, and less where little is seen."""
    used = trust > 0.3
    count = float(used.sum())
    if count == 0:
        return difference.new_zeros(3)
    middle = difference[used].median(dim=0).values
    brightness = middle.mean()
    tint = (middle - brightness).clamp(-TINT, TINT)
    return (brightness.clamp(*bounds) + tint) * count / (count + ENOUGH)
