"""A fine texture from a coarse one: what photos show that is finer than its texels.

Light, trust and what no photo shows vary slowly over a head, pores and hairs do not. So a texture
is made at `COARSE`, and of larger ones only the photos' colours are looked up at every texel. In
logarithms light is a sum, and what differs from the mean of its surroundings is albedo: the high
band of a Laplacian pyramid (Burt and Adelson 1983), added as far as the photo is trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.fit.texture.blend import from_log, to_log
from morphface.fit.texture.points import mirrored_corners
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.models import MorphableModel
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments
from morphface.render.sight import Sight
from morphface.render.unwrap import rasterize_uv, sample_photo

__all__ = ["COARSE", "Coarse", "with_detail"]

COARSE = 512
"""Height and width of the texture that all but detail is worked out at."""
_LEAST = 0.02  # trust below which a photo's detail is not looked up


@dataclass(frozen=True, eq=False)
class Coarse:
    """What is known of a texture at `COARSE`.

    Args:
        painted: albedo, its empty texels filled.
        outside: that of skin alone, the confidence in it, and that in the other side of the face.
        shots: what was seen, and how far each is trusted, at the same texels.
        within: of the vertices: the albedo of eyes and the inside of the mouth, and whether a
            vertex is of them.
    """

    painted: Float[Tensor, "S S 3"]
    outside: Float[Tensor, "S S 5"]
    shots: Sequence[tuple[Sight, Float[Tensor, "S S"]]]
    within: Float[Tensor, "V 4"]


def with_detail(model: MorphableModel, coarse: Coarse, size: int) -> Float[Tensor, "s s 4"]:
    """Albedo and confidence of a texture of `size`, which is the coarse one where no more is known.

    Args:
        model: whose layout it has.
        coarse: the same at fewer texels.
        size: height and width.
    """
    if model.uv is None or model.uv_faces is None:
        return torch.cat([coarse.painted, coarse.outside[..., 3:4]], dim=-1)
    found = rasterize_uv(model.uv, model.uv_faces, size)
    mask = found.mask[0].flatten()
    fine = _enlarged(coarse.outside, size).flatten(0, 1)
    fine[:, 3:] *= mask[:, None]
    detail, total = torch.zeros(size * size, 4), torch.zeros(size * size)
    for sight, trust in coarse.shots:
        weight = _enlarged(trust[..., None], size).flatten() * mask
        near = _spots(weight > _LEAST)
        if len(near):
            weight = weight[near]
            band = _high_band(_seen(sight, found, near), near, (size, coarse.outside.shape[0]))
            detail.index_add_(
                0, near, torch.cat([band, torch.ones(len(band), 1)], 1) * weight[:, None]
            )
            total.index_add_(0, near, weight)
    detail *= (fine[:, 3] / total.clamp(min=_LEAST))[:, None]  # bands times confidence, and it
    across = _spots((1 - detail[:, 3]) * fine[:, 4] > _LEAST)
    band = detail[:, :3].clone()
    band.index_add_(0, across, (1 - detail[across, 3:]) * _across(model, found, across, detail))
    total[across] = 1.0
    known = _spots(total > 0)
    fine[known, :3] = from_log(to_log(fine[known, :3]) + band[known]).clamp(0, 1)
    _paint_within(model, coarse.within, found, fine)
    colours = torch.where(mask[:, None], fine[:, :3], _enlarged(coarse.painted, size).flatten(0, 1))
    return torch.cat([colours, fine[:, 3:4]], dim=-1).unflatten(0, (size, size))


def _spots(chosen: Bool[Tensor, " t"]) -> Int[Tensor, " n"]:
    """The numbers of texels, row by row."""
    return torch.nonzero(chosen)[:, 0]


def _across(
    model: MorphableModel,
    found: Fragments,
    spots: Int[Tensor, " n"],
    detail: Float[Tensor, "t 4"],
) -> Float[Tensor, "n 3"]:
    """Detail of the other side of the face, at some texels."""
    partner = mirrored_corners(model)
    if partner is None:
        return detail.new_zeros(len(spots), 3)
    corner_of = torch.arange(3 * len(model.faces)).reshape(-1, 3)
    other = interpolate(partner.reshape(1, -1, 3), corner_of, _at(found, spots))[0, 0]
    size = found.mask.shape[2]
    column = (other[:, 0] * size).long().clamp(0, size - 1)
    row = ((1 - other[:, 1]) * size).long().clamp(0, size - 1)
    return detail[row * size + column, :3] * (other[:, 2:] > 0.999)


def _paint_within(
    model: MorphableModel,
    within: Float[Tensor, "V 4"],
    found: Fragments,
    fine: Float[Tensor, "t 5"],
) -> None:
    """Eyes and the inside of the mouth, which are as sharp as the mesh; in place."""
    inner = (within[:, 3][model.faces.long()] > 0).any(dim=1)
    face = found.face[0].flatten()
    spots = _spots((face >= 0) & inner[face.clamp(min=0)])
    both = interpolate(within[None], model.faces, _at(found, spots))[0, 0]
    colour, share = both.split([3, 1], -1)
    fine[spots, :3] = torch.lerp(fine[spots, :3], colour.clamp(0, 1), share)


def _at(found: Fragments, spots: Int[Tensor, " n"]) -> Fragments:
    """Some texels in a row."""
    face, barycentric, depth = (
        values[0].flatten(0, 1).index_select(0, spots)[None, None]
        for values in (found.face, found.barycentric, found.depth)
    )
    return Fragments(face, barycentric, depth)


def _seen(sight: Sight, found: Fragments, spots: Int[Tensor, " n"]) -> Float[Tensor, "n 3"]:
    """Logarithms of the photo's colours at some texels."""
    normals = vertex_normals(sight.vertices, sight.faces)
    both = torch.cat([sight.vertices, normals], dim=-1)[None]
    points, directions = interpolate(both, sight.faces, _at(found, spots))[0, 0].split(3, dim=-1)
    return to_log(sample_photo(sight, points, normalized(directions)).colour)


def _high_band(
    values: Float[Tensor, "n 3"], spots: Int[Tensor, " n"], sizes: tuple[int, int]
) -> Float[Tensor, "n 3"]:
    """What differs from the mean over a coarse texel and its neighbours."""
    size, coarse = sizes
    image = torch.zeros(size * size, 4)
    image[spots] = torch.cat([values, torch.ones(len(values), 1)], dim=1)
    picture = image.unflatten(0, (size, size)).numpy()
    small = cv2.resize(picture, (coarse, coarse), interpolation=cv2.INTER_AREA)
    around = _enlarged(torch.from_numpy(small), size).flatten(0, 1)[spots]
    return values - around[:, :3] / around[:, 3:].clamp(min=1e-6)


def _enlarged(values: Float[Tensor, "S S C"], size: int) -> Float[Tensor, "s s C"]:
    """Between the texels of a coarser picture."""
    picture = values.contiguous().numpy()
    large = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)  # of torch the same
    return torch.from_numpy(large).reshape(size, size, -1)
