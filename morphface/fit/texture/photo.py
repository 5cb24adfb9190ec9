"""What one photo says of a head's albedo: its colours without the light, and how far to trust them.

Colours are RGB in [0, 1], encoded as in a picture, and a surface shows albedo times irradiance
times the photo's gain: the convention of `shade_sh` and of `fit_photometric`. What a photo shows of
a point is not trusted where it is dark beside what the light should give, where it shines, where
something hides the face, and where it can hardly be the head: hair over an ear, a collar, or
background beside a badly fitted jaw.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.ramps import ramp
from morphface.core.records import Record
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.texture.cover import covered
from morphface.fit.texture.points import SurfacePoints
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.models import MorphableModel
from morphface.render.sight import Sight
from morphface.render.unwrap import sample_photo, unwrap

__all__ = ["Delit", "PhotoOfHead", "delit", "plausible"]

FLOOR = 0.3
"""Irradiance, as a part of its median over the face, below which nothing is divided by it."""
LIT = 0.3, 0.6
"""The same: not trusted below the first, wholly from the second."""
SHINE = 0.3, 0.6
"""Log of how much brighter than expected: wholly trusted below the first, not from the second."""
BURNT = 0.97, 1.0
"""Likewise, the least channel of a pixel."""
LIKELY = 0.45
"""Log difference of colours that still may be the head."""
EASIER = {"face": 1.8, "scalp": 0.8, "ears": -0.25, "neck": -0.1}
"""What is added to it where much may be, brows and beards and strands of hair; and where little is
ever seen of the head, but hair, collars and fits that are off."""
TINT = 2.0
"""How much more a difference of tint says than one of brightness, which shadows make."""
SLACK = 0.05
AROUND = 0.6, 0.9
"""Part of what is seen around a point beside the face that must be likely: not trusted below the
first, wholly from the second. The edges of a collar or a hat are like skin here and there."""


@dataclass(frozen=True, eq=False)
class PhotoOfHead(Record):
    """A photo of a person, and what was fitted to it.

    Args:
        sight: the photo and the head in it.
        albedo: of the vertices, as fitted.
        illumination: coefficients, in the camera frame.
        gain: of the photo's channels beyond what light can explain; None is 1.
        grey: whether the photo shows luminance alone.
        occlusion: how likely each pixel shows something before the head, 0 to 1; None is 0.

    Raises:
        ShapeError: an argument lacks the axes above.
    """

    sight: Sight
    albedo: Float[Tensor, "V 3"]
    illumination: Float[Tensor, "9 3"]
    gain: Float[Tensor, "3"] | None = None
    grey: bool = False
    occlusion: Float[Tensor, "H W"] | None = None

    def __post_init__(self) -> None:
        check_shape("albedo", self.albedo, len(self.sight.vertices), 3)
        check_shape("illumination", self.illumination, 9, 3)
        if self.gain is not None:
            check_shape("gain", self.gain, 3)
        if self.occlusion is not None:
            check_shape("occlusion", self.occlusion, *self.sight.camera.size)


@dataclass(frozen=True, eq=False)
class Delit(Record):
    """Albedo as a photo shows it.

    Args:
        albedo: of each point; not clamped.
        visible: how well each point is seen and lit, 0 to 1.
        confidence: how far it may be trusted that it is the head that is seen there.
    """

    albedo: Float[Tensor, "N 3"]
    visible: Float[Tensor, " N"]
    confidence: Float[Tensor, " N"]


def delit(model: MorphableModel, points: SurfacePoints, photo: PhotoOfHead) -> Delit:
    """The colours of `photo` at `points` without its light.

    Args:
        model: whose regions are looked at.
        points: of its surface.
        photo: of the head.
    """
    sight = photo.sight
    colour, trust = _sampled(model, points, sight)
    normals = vertex_normals(sight.vertices, sight.faces)
    light = irradiance(photo.illumination, normalized(points.at(normals)))
    if photo.grey:
        weights = light.new_tensor(LUMINANCE)[:, None].expand(-1, 3)
        colour, light = colour @ weights, light @ weights
    if photo.gain is not None:
        light = light * photo.gain
    face, scalp = points.at(_regions(model, "face", "scalp")).unbind(-1)
    level = _median(light, trust * face).clamp(min=1e-3)
    lit = light / level
    albedo = colour / (lit.clamp(min=FLOOR) * level)
    trust = trust * ramp(lit.amin(-1), *LIT) * (1 - ramp(colour.amin(-1), *BURNT))
    confidence = trust
    if photo.occlusion is not None:
        screen = sight.camera.project(sight.vertices)[:, :2]
        hidden = covered(model, points, screen, photo.occlusion)
        confidence = trust * (1 - hidden * (1 - scalp))
    return Delit(albedo, trust, confidence)


def plausible(
    model: MorphableModel, points: SurfacePoints, seen: Delit, guide: Float[Tensor, "N 3"]
) -> Delit:
    """`seen` with less confidence where it can hardly be the head, most so beside the face.

    Args:
        model: whose regions are looked at.
        points: of its surface.
        seen: in a photo.
        guide: the albedo that is expected.
    """
    trust = seen.confidence
    regions = points.at(_regions(model, *EASIER))
    difference = torch.log(seen.albedo.clamp(min=0) + SLACK) - torch.log(guide + SLACK)
    difference = difference - _median(difference, trust * regions[:, 0])
    limit = LIKELY + trust * (regions @ regions.new_tensor(list(EASIER.values())))
    brightness = difference.mean(-1)
    tint = (difference - brightness[:, None]).abs().mean(-1)
    likely = torch.sigmoid((limit - brightness.abs() - TINT * tint) * 20)
    likely = likely * (1 - ramp(brightness, *SHINE))
    share, known = points.mean(likely[:, None], trust)
    around = points.at(share.where(known[:, None] > 0, 1.0))[:, 0]
    alone = (1 - regions[:, 0].clamp(0, 1)) * (1 - ramp(around, *AROUND))
    return replace(seen, confidence=trust * likely * (1 - alone))


def _sampled(
    model: MorphableModel, points: SurfacePoints, sight: Sight
) -> tuple[Float[Tensor, "N 3"], Float[Tensor, " N"]]:
    """The photo's colours, and how well each point is seen."""
    if points.mask is None or model.uv is None or model.uv_faces is None:
        normals = vertex_normals(sight.vertices, sight.faces)
        seen = sample_photo(sight, sight.vertices, normals)
        return seen.colour, seen.confidence
    seen = unwrap(sight, model.uv, model.uv_faces, len(points.mask))
    return seen.colour[points.mask], seen.confidence[points.mask]


def _regions(model: MorphableModel, *names: str) -> Float[Tensor, "V R"]:
    """Masks as columns; any point of a model without regions may be of the face."""
    whole = {"face": torch.full((model.size,), 0.5)}
    blank = torch.zeros(model.size)
    return torch.stack([(model.regions or whole).get(name, blank) for name in names], dim=-1)


def _median(values: Float[Tensor, "N C"], weight: Float[Tensor, " N"]) -> Float[Tensor, " C"]:
    """Of the points with at least half of the largest weight, thinned out."""
    chosen = values[weight >= 0.5 * weight.max()]
    return chosen[:: 1 + len(chosen) // 20000].median(dim=0).values
