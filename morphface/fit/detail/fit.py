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
from morphface.fit.analysis.lens import look_up
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.detail import kernels
from morphface.fit.detail.bands import high_band
from morphface.fit.detail.equations import Rows, Shown, like_skin, rows_of
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.relight import relit
from morphface.fit.detail.settings import ENCODED, DetailSettings
from morphface.fit.detail.solve import heights_of
from morphface.fit.fitted import FittedFace
from morphface.fit.texture.faces import texture_size
from morphface.geometry.mesh import normalized
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.render.detail import Detail
from morphface.render.sight import Sight
from morphface.render.unwrap import sample_photo

__all__ = ["LARGEST", "fit_detail"]

LARGEST = 1024
"""Texels along a side of the map that is chosen unasked: about 0.3 mm each on the open head."""
PAINTED = ("brows", "lashes", "lips", "eyeballs", "eye_sockets", "mouth", "teeth", "tongue", "gums")
"""Parts whose hairs, paint, shine or depth are no relief of skin."""
PAINT, BORDER = 5.0, 2.5
"""Millimetres from those, as the model has them, and from what is seen to be no skin, over which
skin is not trusted in one photo; several tell paint from relief."""
AMONG = 40.0
"""Wavelength in millimetres of the skin around, which one photo must mostly show:"""
MOSTLY = 0.4, 0.6
"""its share below which nothing is skin, as among strands of hair, and from which it is."""
FADE = 8.0
"""Wavelength in millimetres over which relief ends where no photo shows the skin."""
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
    more these differ, the better relief is told from paint. After Beeler et al. (2010, mesoscopic
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
        shots = [_shown(*pair, grid, alone) for pair in zip(faces, photos, strict=True)]
        if not alone:
            shots = relit(shots)
        rows = [rows_of(grid, shot, told, lines=alone) for shot in shots]
        person = faces[0].parameters
        still = torch.zeros_like(person.expression)
        rest = grid.ground(model, model.vertices(person.identity, still, person.gaze)[0])
        heights = heights_of(grid, rest, rows, told)
        return _detail(grid, rest, heights, rows, (told.limit, 1.0 if alone else ENCODED))


def _check(faces: Sequence[FittedFace], photos: Sequence[Photo], size: int | None) -> None:
    if len(faces) != len(photos):
        raise ParameterError(f"faces and photos must pair up, got {len(faces)} and {len(photos)}")
    if not faces:
        raise ParameterError("photos must hold at least one photo, got none")
    names = sorted({face.model.name for face in faces})
    if len(names) > 1:
        raise ParameterError(f"all faces must have one model, got {', '.join(names)}")
    for face in faces:
        _pixels_of(face)
    least, most = SIZES
    if size is not None and not least <= size <= most:
        raise ParameterError(f"size must be from {least} to {most} texels, got {size}")


def _pixels_of(face: FittedFace) -> PhotometricResult:
    if face.pixels is None:
        raise ParameterError(
            "detail needs the light of the photo, which only pixels tell; fit with stage='pixels'"
        )
    return face.pixels


def _shown(face: FittedFace, photo: Photo, grid: Grid, alone: bool) -> Shown:
    """What one photo, the only one or not, shows of the skin."""
    seen, posed, model = _pixels_of(face), face.vertices_in_camera(), face.model
    ground = grid.ground(model, posed)
    sight = Sight(photo.pixels, face.camera, posed, model.faces)
    shown = sample_photo(sight, ground.points, ground.normals)
    bare = grid.at(_bare(model)[:, None], model)[:, 0]
    trust = shown.confidence * (_eroded(grid, bare, PAINT / ground.pitch) if alone else bare)
    screen = face.camera.project(ground.points)[:, :2]
    skin = 1 - look_up(seen.occlusion[0][..., None], screen)[:, 0].clamp(0, 1)
    colour, light = shown.colour / seen.gain[0], face.parameters.illumination[0]
    if seen.grey[0]:
        light = (light @ light.new_tensor(LUMINANCE))[:, None].expand(-1, 3)
    one = Shown(ground, colour, trust * skin, light)
    skin = skin * like_skin(grid, one)
    if not alone:
        return replace(one, trust=trust * skin)
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


def _bare(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far each vertex is bare skin of the face."""
    regions = model.regions or {}
    out = regions.get("face", torch.ones(model.size)).clone()
    for name in PAINTED:
        out = out * (1 - regions.get(name, torch.zeros(model.size)))
    return out


def _detail(
    grid: Grid,
    rest: Ground,
    heights: Float[np.ndarray, "r c"],
    rows: Sequence[Rows],
    bounds: tuple[float, float],
) -> Detail:
    """The maps of heights, which are bounded and end where nothing is seen.

    Of the last two numbers one bounds heights, and logarithms of encoded colours are those that
    the rows tell over the other.
    """
    limit, power = bounds
    most = torch.stack([row.weight for row in rows]).amax(0)
    around = most - high_band(grid, most[:, None], torch.ones_like(most), FADE / rest.pitch)[:, 0]
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
