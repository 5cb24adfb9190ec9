"""The texture of a head from one or several photos of one person.

What photos show is stripped of its light (`photo.py`), blended (`blend.py`) and continued over the
whole head (`complete.py`); eyeballs and the mouth's inside are the model's (`inner.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.analysis.surface import face_weight
from morphface.fit.texture.ambient import inner_parts
from morphface.fit.texture.blend import blended, from_log, to_log
from morphface.fit.texture.complete import Completed, completed
from morphface.fit.texture.detail import COARSE, Coarse, with_detail
from morphface.fit.texture.hair import with_hair
from morphface.fit.texture.inner import inner_colours, rims
from morphface.fit.texture.photo import Delit, PhotoOfHead, delit, plausible
from morphface.fit.texture.points import SurfacePoints
from morphface.models import MorphableModel
from morphface.render.sight import Sight

__all__ = ["HeadTexture", "texture_from_photos"]

PAINTED = ("beard", "brows", "eyelids", "lashes", "lips", "scalp", "under_eyes")
"""Parts whose colour says little of the skin elsewhere."""


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
        invented: share of the face, by its vertices, that no photo shows: it is mirrored or the
            model's.
    """

    colours: Float[Tensor, "V 3"]
    gains: Float[Tensor, "P 3"]
    albedo: Float[Tensor, "S S 3"] | None = None
    confidence: Float[Tensor, "S S"] | None = None
    invented: float = 0.0


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
    points = SurfacePoints.of(model, min(size, COARSE))
    seen = [delit(model, points, photo) for photo in photos]
    albedo = with_hair(model, points, seen, _common_albedo(photos))
    expected = points.at(albedo)
    if not all(photo.grey for photo in photos):
        tint = expected / _greyed(expected).clamp(min=1e-3)
        seen = [_tinted(*pair, tint) for pair in zip(seen, photos, strict=True)]
    seen = [plausible(model, points, one, expected) for one in seen]
    values, trust, factors = blended(seen, to_log(expected))
    parts = torch.stack([inner_parts(model), rims(model)], dim=-1)
    inside, rim = points.at(parts).split(1, dim=-1)
    confidence = trust * (1 - torch.maximum(inside, rim)[:, 0])
    outside = _continued(model, points, values - to_log(expected), confidence)
    within = inner_colours(model, points, albedo, seen)
    found = _painted(to_log(expected) + outside.points, points.at(within), inside)
    rough = _painted(to_log(albedo) + outside.vertices, within, parts[:, :1])
    invented = _invented(model, points.mean(found, confidence)[1])
    colours, known = points.mean(found, torch.ones(len(found)))
    gains = torch.stack([torch.ones(3) if p.gain is None else p.gain for p in photos]) * factors
    colours = torch.where(known[:, None] > 0, colours, rough)
    image = points.image(torch.cat([found, confidence[:, None]], dim=-1))
    if image is None or points.mask is None:
        return HeadTexture(colours, gains, invented=invented)
    if size > COARSE:
        skin = from_log(to_log(expected) + outside.points).clamp(0, 1)
        coarse = _coarse(points, skin, confidence, list(zip(photos, seen, strict=True)))
        inner = torch.cat([within, parts[:, :1]], dim=-1)
        image = with_detail(model, Coarse(image[..., :3], *coarse, inner), size)
        return HeadTexture(colours, gains, image[..., :3].contiguous(), image[..., 3], invented)
    shown = image[..., 3] * points.mask
    return HeadTexture(colours, gains, image[..., :3].contiguous(), shown, invented)


def _coarse(
    points: SurfacePoints,
    skin: Float[Tensor, "N 3"],
    confidence: Float[Tensor, " N"],
    seen: Sequence[tuple[PhotoOfHead, Delit]],
) -> tuple[Float[Tensor, "S S 5"], list[tuple[Sight, Float[Tensor, "S S"]]]]:
    """Skin and confidences as a texture, and the same of each photo."""
    other = points.mirrored(confidence[:, None])
    outside = points.filled(torch.cat([skin, confidence[:, None], other], dim=-1))
    return outside, [(p.sight, points.filled(d.confidence[:, None])[..., 0]) for p, d in seen]


def _invented(model: MorphableModel, trust: Float[Tensor, " V"]) -> float:
    """The share of the face that is not seen, from the trust in its vertices."""
    weight = face_weight(model) * (1 - inner_parts(model))
    return float(1 - (weight @ trust) / weight.sum().clamp(min=1e-9))


def _continued(
    model: MorphableModel,
    points: SurfacePoints,
    difference: Float[Tensor, "N 3"],
    confidence: Float[Tensor, " N"],
) -> Completed:
    """`difference` from the model over the whole head, which is the usual one far from photos."""
    bare = torch.ones(model.size)
    for name in PAINTED:
        bare = bare * (1 - model.regions.get(name, torch.zeros(model.size)))
    plain = confidence * points.at(bare[:, None])[:, 0]
    usual = difference[plain >= 0.5 * plain.max()].median(dim=0).values
    return completed(points, model.faces, difference - usual, confidence).map(
        lambda values: values + usual
    )


def _painted(
    outside: Float[Tensor, "N 3"], within: Float[Tensor, "N 3"], inside: Float[Tensor, "N 1"]
) -> Float[Tensor, "N 3"]:
    """Colours from the logarithms of skin and from those of inner parts."""
    return torch.lerp(from_log(outside), within, inside).clamp(0, 1)


def _common_albedo(photos: Sequence[PhotoOfHead]) -> Float[Tensor, "V 3"]:
    """The median of what was fitted to the photos; grey if all of them are."""
    albedo = torch.stack([photo.albedo for photo in photos]).quantile(0.5, dim=0)
    return _greyed(albedo) if all(photo.grey for photo in photos) else albedo


def _greyed(colours: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
    return colours @ colours.new_tensor(LUMINANCE)[:, None].expand(-1, 3)


def _tinted(seen: Delit, photo: PhotoOfHead, tint: Float[Tensor, "N 3"]) -> Delit:
    """What a grey photo shows in the model's tints, so that it goes with photos in colour."""
    return replace(seen, albedo=seen.albedo * tint) if photo.grey else seen
