"""Photos of one person brought together before shading is asked: poses and wide waves of relief."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate as resized
from torch.nn.functional import pad

from morphface.core.ramps import ramp
from morphface.fit.detail import kernels
from morphface.fit.detail.align import FINE, brought_together
from morphface.fit.detail.bands import HALF
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.parallax import SWEEPS, agreed_heights
from morphface.fit.detail.views import (
    LOOSE,
    PhotoOnSurface,
    check_pairs,
    on_surface,
    pixels_of,
    share_without,
)
from morphface.fit.fitted import FittedFace
from morphface.geometry.mesh import vertex_normals
from morphface.media.images import Photo
from morphface.render.blur import blurred

__all__ = ["align_faces", "rest_of", "slopes_between", "wide_heights"]

COARSE = 256
"""Texels along a side of the map on which photos are brought together: 1.1 mm on the open head."""

EDGE = 40.0
"""Wavelength in millimetres over which wide waves end where no photo shows the face, lest they end
in steps; measured."""
INSIDE = 0.5, 0.95
"""Share of the face in such a neighbourhood: no height at the first, all from the second."""


def align_faces(faces: Sequence[FittedFace], photos: Sequence[Photo]) -> tuple[FittedFace, ...]:
    """Faces of one person whose poses are told anew, so that their photos agree on the skin.

    A fit leaves photos some millimetres apart on the surface, which blurs whatever is made of
    several. Shape, expression and light stay. One photo stays as it is.

    Args:
        faces: in each photo, fitted to pixels with one model that has texture coordinates.
        photos: that they were fitted to.

    Raises:
        ParameterError: as of `fit_detail`.
        ModelError: the model has no texture coordinates.
    """
    check_pairs(faces, photos)
    if len(faces) < 2:
        return tuple(faces)
    with torch.no_grad():
        grid, rest, views, _ = _coarse(faces, photos, COARSE)
        heights = torch.zeros(len(views[0].trust))
        views = brought_together(grid, views, heights)
        for sweep in SWEEPS:
            heights = _agreed(grid, rest, views, heights, sweep)[grid.mask]
            views = brought_together(grid, views, heights, FINE)
        return tuple(_posed(face, view) for face, view in zip(faces, views, strict=True))


def wide_heights(
    faces: Sequence[FittedFace], photos: Sequence[Photo], grid: Grid
) -> Float[np.ndarray, "r c"]:
    """Heights at the corners of a grid's texels on which the photos agree, in millimetres.

    Args:
        faces: in each photo.
        photos: that they were fitted to.
        grid: of texels.
    """
    coarse, rest, views, shown = _coarse(faces, photos, min(COARSE, grid.size))
    heights = torch.zeros(len(views[0].trust))
    plane = coarse.spread(heights)
    for sweep in SWEEPS:
        plane = _agreed(coarse, rest, views, plane[coarse.mask], sweep)
    return _on_corners(coarse, plane * _inside(coarse, shown, rest.pitch), grid)


def _agreed(
    grid: Grid,
    rest: Ground,
    views: Sequence[PhotoOnSurface],
    begun: Float[Tensor, " n"],
    sweep: tuple[float, float, float],
) -> Float[Tensor, "R C"]:
    """Heights at the texels on which photos agree."""
    return slopes_between(agreed_heights(grid, rest, views, begun, sweep))[..., 2]


def _inside(grid: Grid, shown: Float[Tensor, " n"], pitch: float) -> Float[Tensor, "R C"]:
    """1 well within what a photo shows of the face, 0 at its border."""
    width = HALF * EDGE / pitch
    around = blurred(grid.spread(shown)[None], width, step=max(1, int(width / 2)))[0]
    return ramp(around, *INSIDE)


def _coarse(
    faces: Sequence[FittedFace], photos: Sequence[Photo], size: int
) -> tuple[Grid, Ground, list[PhotoOnSurface], Float[Tensor, " n"]]:
    """A grid, the surface at rest, the photos on it, and how far one of them shows the face."""
    grid = Grid.of(faces[0].model, size)
    face, skin = (share_without(grid, faces[0].model, parts) for parts in ((), LOOSE))
    views = [on_surface(face, photo, grid) for face, photo in zip(faces, photos, strict=True)]
    shown = face * torch.stack([view.trust * view.bare for view in views]).amax(0)
    views = [replace(view, trust=view.trust * view.bare * skin) for view in views]
    return grid, rest_of(faces[0], grid), views, shown


def rest_of(face: FittedFace, grid: Grid) -> Ground:
    """The texels of a grid on the face without expression, in the model frame."""
    person = face.parameters
    still = torch.zeros_like(person.expression)
    return grid.ground(face.model, face.model.vertices(person.identity, still, person.gaze)[0])


def slopes_between(corners: Float[np.ndarray, "r c"]) -> Float[Tensor, "R C 3"]:
    """Slopes along columns and rows, and the height, at the texels between corners."""
    out = np.empty((corners.shape[0] - 1, corners.shape[1] - 1, 3), np.float32)
    kernels.slopes(corners.astype(np.float32), out)
    return torch.from_numpy(out)


def _on_corners(
    coarse: Grid, heights: Float[Tensor, "R C"], grid: Grid
) -> Float[np.ndarray, "r c"]:
    """Heights at texels of one grid, at the corners of another's."""
    whole = torch.zeros(1, 1, coarse.size, coarse.size)
    (top, left), (rows, columns) = coarse.corner, heights.shape
    whole[0, 0, top : top + rows, left : left + columns] = heights
    fine = resized(whole, (grid.size, grid.size), mode="bicubic", align_corners=False)
    (top, left), (rows, columns) = grid.corner, grid.mask.shape
    part = pad(fine[..., top : top + rows, left : left + columns], (1, 1, 1, 1), mode="replicate")[
        0, 0
    ]
    return ((part[1:, 1:] + part[:-1, 1:] + part[1:, :-1] + part[:-1, :-1]) / 4).numpy()


def _posed(face: FittedFace, view: PhotoOnSurface) -> FittedFace:
    """The face moved as its photo was on the surface."""
    seen, person = pixels_of(face), face.parameters
    turned = roma.rotmat_to_rotvec(view.turn @ roma.rotvec_to_rotmat(person.rotation[0]))
    shifted = view.turn @ person.translation[0] + view.shift
    told = replace(person, rotation=turned[None], translation=shifted[None])
    marks = _marks(face, view, seen.predicted[0])
    return replace(face, pixels=replace(seen, parameters=told, predicted=(marks,)))


def _marks(
    face: FittedFace, view: PhotoOnSurface, marks: Float[Tensor, "N 2"]
) -> Float[Tensor, "N 2"]:
    """Landmarks on the screen after the motion, as deep as the nearest vertex that is seen."""
    posed = face.vertices_in_camera()
    ahead = (vertex_normals(posed, face.model.faces) * posed).sum(-1) < 0
    screen = face.camera.project(posed[ahead])
    near = torch.cdist(torch.nan_to_num(marks), screen[:, :2]).argmin(dim=1)
    points = face.camera.unproject(torch.cat([marks, screen[near, 2:]], dim=-1))
    return face.camera.project(points @ view.turn.mT + view.shift)[:, :2]
