"""The texture of a head from one or several photos of one person.

What photos show is stripped of its light (`photo.py`), blended (`blend.py`) and continued over the
whole head (`complete.py`); eyeballs and the mouth's inside are the model's (`inner.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.texture.ambient import inner_parts
from morphface.fit.texture.blend import blended, from_log, to_log
from morphface.fit.texture.complete import completed
from morphface.fit.texture.inner import inner_colours
from morphface.fit.texture.photo import PhotoOfHead, delit
from morphface.fit.texture.points import SurfacePoints
from morphface.models import MorphableModel

__all__ = ["HeadTexture", "texture_from_photos"]


@dataclass(frozen=True, eq=False)
class HeadTexture(Record):
    """The albedo of a head: what it reflects of any light, RGB as encoded in a picture.

    Multiplied by the irradiance of the light of a photo and by its gain, it gives that photo back
    where the head was seen well.

    Args:
        colours: of the vertices.
        gains: of each photo's channels: the fitted ones, times what its level differs by from
            that of the others.
        albedo: of the texels; None for a model without texture coordinates.
        confidence: how far each texel is what photos show, 0 to 1; eyeballs and the mouth's
            inside are the model's, so 0. None likewise.
    """

    colours: Float[Tensor, "V 3"]
    gains: Float[Tensor, "P 3"]
    albedo: Float[Tensor, "S S 3"] | None = None
    confidence: Float[Tensor, "S S"] | None = None


def texture_from_photos(
    model: MorphableModel, photos: Sequence[PhotoOfHead], *, size: int = 1024
) -> HeadTexture:
    """The texture of the head that is seen in `photos`.

    Args:
        model: that was fitted to all of them.
        photos: of one person, at least one.
        size: height and width of the texture in pixels.

    Raises:
        ParameterError: there are no photos, or `size` is less than 1.
        ShapeError: a photo's head has not as many vertices as the model.
    """
    if not photos:
        raise ParameterError("photos must hold at least one photo, got none")
    for number, photo in enumerate(photos):
        check_shape(f"vertices of photo {number}", photo.sight.vertices, model.size, 3)
    points = SurfacePoints.of(model, size)
    albedo = _common_albedo(photos)
    guide = to_log(points.at(albedo))
    values, trust, factors = blended([delit(model, points, photo) for photo in photos], guide)
    inner = inner_parts(model)
    inside = points.at(inner[:, None])
    confidence = trust * (1 - inside[:, 0])
    outside = guide + completed(points, model.faces, values - guide, confidence)
    within = points.at(inner_colours(model, points, albedo, (values, trust)))
    found = torch.lerp(from_log(outside).clamp(0, 1), within, inside)
    gains = torch.stack([torch.ones(3) if p.gain is None else p.gain for p in photos]) * factors
    flat = points.image(confidence[:, None])
    return HeadTexture(
        colours=_of_vertices(points, found),
        gains=gains,
        albedo=points.image(found),
        confidence=None if flat is None else flat[..., 0],
    )


def _common_albedo(photos: Sequence[PhotoOfHead]) -> Float[Tensor, "V 3"]:
    """The median of what was fitted to the photos; grey if all of them are."""
    albedo = torch.stack([photo.albedo for photo in photos]).quantile(0.5, dim=0)
    if all(photo.grey for photo in photos):
        return (albedo @ albedo.new_tensor(LUMINANCE))[:, None].expand_as(albedo)
    return albedo


def _of_vertices(points: SurfacePoints, values: Float[Tensor, "N 3"]) -> Float[Tensor, "V 3"]:
    """The mean of the points around each vertex."""
    return points.mean(values, torch.ones(len(values)))[0]
