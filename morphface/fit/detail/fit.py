"""Fitted faces and their photos in, relief on the surface out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d
from torch.nn.functional import interpolate as resized

from morphface.core.errors import ParameterError
from morphface.core.ramps import ramp
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.detail import kernels
from morphface.fit.detail.bands import high_band
from morphface.fit.detail.equations import Rows, Shown, like_skin, rows_of
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.relight import relit
from morphface.fit.detail.settings import ENCODED, DetailSettings
from morphface.fit.detail.solve import heights_of
from morphface.fit.detail.together import rest_of, slopes_between, wide_heights
from morphface.fit.detail.views import (
    PAINTED,
    PhotoOnSurface,
    check_pairs,
    on_surface,
    pixels_of,
    raised,
    share_without,
)
from morphface.fit.fitted import FittedFace
from morphface.fit.texture.faces import texture_size
from morphface.geometry.mesh import normalized
from morphface.media.images import Photo
from morphface.render.detail import Detail

__all__ = ["LARGEST", "fit_detail"]

LARGEST = 1024
"""Texels along a side of the map that is chosen unasked: about 0.3 mm each on the open head."""
PAINT, BORDER = 5.0, 2.5
"""Millimetres from painted parts, as the model has them, and from what is seen to be no skin, over
which skin is not trusted in one photo; several tell paint from relief."""
AMONG = 40.0
"""Wavelength in millimetres of the skin around, which one photo must mostly show:"""
MOSTLY = 0.4, 0.6
"""its share below which nothing is skin, as among strands of hair, and from which it is."""
FADES = 8.0, 20.0
"""Wavelengths in millimetres over which relief of one photo, and that of several, which has wider
waves, ends where none shows the skin; the second measured."""
SIZES = (64, 4096)


def fit_detail(
    faces: Sequence[FittedFace],
    photos: Sequence[Photo],
    *,
    size: int | None = None,
    settings: DetailSettings | None = None,
) -> Detail:
    """Relief of a face that is finer than its model, from the shading of photos of one person.

    Wrinkles and folds, as displacement along the normal in the model's texture. What has the colour
    of a pigment, lies on brows, lips and lashes, or fits no slope counts little. Of one photo what
    is fine must be a line, and such lines are deep where they are dark: freckles, pores and stubble
    are neither. Several photos share one relief and one albedo, and their lights are told anew: the
    more these differ, the better relief is told from paint. Their wide waves come from parallax;
    `align_faces` brings their poses to agree before. After Beeler et al. (2010, mesoscopic
    augmentation) and Wu et al. (2013, shading in harmonic light), without training.

    Args:
        faces: the person's face in each photo, all fitted to pixels with one model.
        photos: that they were fitted to.
        size: height and width of the maps in texels; None takes what the finest photo shows, up to
            1024.
        settings: what is expected of relief and of photos.

    Raises:
        ParameterError: there are no photos, not as many as faces, the models differ, a face was
            fitted to landmarks alone, or `size` is out of range.
        ModelError: the model has no texture coordinates.
    """
    _check(faces, photos, size)
    told, model = settings or DetailSettings.of(len(faces)), faces[0].model
    grid = Grid.of(model, size or min(LARGEST, max(map(texture_size, faces))))
    with torch.no_grad():
        alone = len(faces) < 2
        wide = None if alone else wide_heights(faces, photos, grid)
        skin = share_without(grid, model, PAINTED)
        pairs = zip(faces, photos, strict=True)
        shots = [
            _shown(face, on_surface(face, photo, grid), grid, skin, wide) for face, photo in pairs
        ]
        if not alone:
            shots = relit(shots)
        rows = [rows_of(grid, shot, told, lines=alone) for shot in shots]
        rest = rest_of(faces[0], grid)
        heights = heights_of(grid, rest, rows, told)
        if wide is not None:
            heights = heights + wide
        ends = (FADES[0], 1.0) if alone else (FADES[1], ENCODED)
        return _detail(grid, rest, heights, rows, (told.limit, *ends))


def _check(faces: Sequence[FittedFace], photos: Sequence[Photo], size: int | None) -> None:
    check_pairs(faces, photos)
    least, most = SIZES
    if size is not None and not least <= size <= most:
        raise ParameterError(f"size must be from {least} to {most} texels, got {size}")


def _shown(
    face: FittedFace,
    view: PhotoOnSurface,
    grid: Grid,
    skin: Float[Tensor, " n"],
    wide: Float[np.ndarray, "r c"] | None,
) -> Shown:
    """What a photo shows of bare skin; it is the only one if no heights are known."""
    ground, seen, light = view.ground, pixels_of(face), face.parameters.illumination[0]
    if seen.grey[0]:
        light = (light @ light.new_tensor(LUMINANCE))[:, None].expand(-1, 3)
    if wide is not None:
        relief = slopes_between(wide)[grid.mask]
        colour, trust = view.colours(relief[:, 2]) / seen.gain[0], view.trust * skin * view.bare
        one = Shown(raised(ground, relief), colour, trust, light)
        return replace(one, trust=trust * like_skin(grid, one))
    trust = view.trust * _eroded(grid, skin, PAINT / ground.pitch)
    one = Shown(ground, view.colours() / seen.gain[0], trust * view.bare, light)
    skin = view.bare * like_skin(grid, one)
    among = skin - high_band(grid, skin[:, None], trust, AMONG / ground.pitch)[:, 0]
    skin = skin * ramp(among, *MOSTLY)
    return replace(one, trust=_eroded(grid, trust * skin, BORDER / ground.pitch))


def _eroded(grid: Grid, trust: Float[Tensor, " n"], texels: float) -> Float[Tensor, " n"]:
    """Less trust within some texels of where there is none: edges of hair, lips and brows."""
    step = max(1, round(texels / 4))
    plane = avg_pool2d(1 - grid.spread(trust)[None, None], step, ceil_mode=True)
    worst = avg_pool2d(max_pool2d(plane, 7, 1, 3), 3, 1, 1, count_include_pad=False)
    wide = resized(worst, scale_factor=step, mode="bilinear", align_corners=False)[0, 0]
    height, width = grid.mask.shape
    return trust * (1 - wide[:height, :width][grid.mask]).clamp(0, 1)


def _detail(
    grid: Grid,
    rest: Ground,
    heights: Float[np.ndarray, "r c"],
    rows: Sequence[Rows],
    bounds: tuple[float, float, float],
) -> Detail:
    """The maps of heights, which are bounded and end where nothing is seen.

    Of the last three numbers the first bounds heights, the second is the wavelength over which
    they end, and logarithms of encoded colours are those that the rows tell over the third.
    """
    limit, fade_length, power = bounds
    most = torch.stack([row.weight for row in rows]).amax(0)
    around = (
        most - high_band(grid, most[:, None], torch.ones_like(most), fade_length / rest.pitch)[:, 0]
    )
    fade = _corners(grid.spread((2 * around).clamp(0, 1)).numpy())
    bounded = limit * np.tanh(heights / limit) * fade
    slopes = np.empty((*grid.mask.shape, 3), np.float32)
    kernels.slopes(bounded.astype(np.float32), slopes)
    found = torch.from_numpy(slopes)[grid.mask]
    gradient = (rest.inverse.mT @ found[:, :2, None])[..., 0]
    normals = _in_tangent_space(rest, gradient)
    shading = torch.stack([(row.slopes * found).sum(-1) * row.weight for row in rows]).sum(0)
    total = torch.stack([row.weight for row in rows]).sum(0).clamp(min=1e-3)
    flat = grid.whole(normals - normals.new_tensor([0.0, 0.0, 1.0]))
    flat[..., 2] += 1.0
    return Detail(grid.whole(found[:, 2]), flat, grid.whole(shading / total / power))


def _in_tangent_space(ground: Ground, gradient: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Unit normals of a surface whose heights have a gradient."""
    normals, along = ground.normals, ground.tangents[:, :3]
    along = normalized(along - (along * normals).sum(-1, keepdim=True) * normals)
    up = torch.linalg.cross(normals, along) * ground.tangents[:, 3:].sign()
    x, y = (-(gradient * axis).sum(-1) for axis in (along, up))
    return normalized(torch.stack([x, y, torch.ones_like(x)], dim=-1))


def _corners(texels: Float[np.ndarray, "R C"]) -> Float[np.ndarray, "r c"]:
    """The least of the texels around each corner; 0 at the border."""
    wide = np.pad(texels, 1)
    rows = np.minimum(wide[1:], wide[:-1])
    return np.minimum(rows[:, 1:], rows[:, :-1])
