"""The finest of what skin shows, between the vertices: strands of brows, wrinkles, freckles.

What the smooth corrective leaves over becomes colours at the midpoints of the model's edges. Their
prior is the same random field with a short reach, so that nothing is made up where no photo shows
the skin, and a few steps of conjugate gradients find them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csc_matrix, csr_matrix, diags
from scipy.sparse.linalg import cg
from torch import Tensor

from morphface.core.kept import once_each
from morphface.core.records import Record
from morphface.fit.analysis.correctives import Shown, normal_equations
from morphface.fit.analysis.surface import Surface, surface_of
from morphface.fit.texture.ambient import ambient
from morphface.geometry.laplacian import cotangent_laplacian
from morphface.models import FineMesh, MorphableModel, fine_mesh

__all__ = ["fine_albedo", "prepare_fine"]

_REACH = 3.0
"""Millimetres over which what was seen fades out: what is smoother is in the corrective already."""
_DARKEST = 0.3
"""What lids leave of the light on an eyeball, at least."""
_STEPS = 12
"""Of conjugate gradients, within which portraits came to a tenth of what they began with."""


@dataclass(frozen=True, eq=False)
class _Ground(Record):
    """The part of a model's fine mesh that has colours of its own.

    Args:
        mesh: all of it.
        parents: faces of the model that it is made of.
        index: its vertices in the mesh.
        place: for each vertex of the mesh, which one of the part it is; -1 elsewhere.
        laplacian: of the part, in the mean face.
        area: around its vertices, in square millimetres.
        seen: the model's vertices that are fitted.
        share: how far each vertex of the part takes what photos tell.
        shade: logarithm of what lids leave of the light on it.
    """

    mesh: FineMesh
    parents: Int[Tensor, " K"]
    index: Int[Tensor, " P"]
    place: Int[Tensor, " W"]
    laplacian: csc_matrix
    area: Float[np.ndarray, " P"]
    seen: Int[Tensor, " S"]
    share: Float[Tensor, "P 1"]
    shade: Float[Tensor, "P 1"]


def fine_albedo(
    model: MorphableModel,
    shown: tuple[Shown, ...],
    coarse: tuple[Float[Tensor, "V 3"], Float[Tensor, "V 3"]],
    grain: float,
) -> Float[Tensor, "W 3"]:
    """The albedo at the vertices of the model's `fine_mesh`.

    Args:
        model: any.
        shown: what each photo tells of the albedo.
        coarse: the albedo of the model's vertices, and what the corrective multiplied there.
        grain: millimetres of the finest detail.
    """
    ground = _ground(model)
    albedo, factor = coarse
    own = _found(ground, shown, factor[ground.seen].log(), grain).to(albedo)
    more = (own * ground.share - ground.shade).exp_()
    out = ground.mesh.spread(albedo)
    out[ground.index] = (out[ground.index] * more).clamp_(0.0, 1.0)
    return out


def prepare_fine(model: MorphableModel) -> None:
    """Work out what all fits of a model share.

    Args:
        model: that will be fitted.
    """
    _ground(model)


def _found(
    ground: _Ground, shown: tuple[Shown, ...], before: Float[Tensor, "V c"], grain: float
) -> Float[Tensor, "P c"]:
    """Logarithms at the vertices of the part, beside those before at the surface's."""

    def told(seen: Shown) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray]:
        left = seen.told - seen.samples.blend(before).double().cpu().numpy()
        face, weights = ground.mesh.locate(ground.parents[seen.face], seen.samples.weights)
        return ground.place[ground.mesh.faces[face]], weights, seen.weight, left

    pull, force = normal_equations(map(told, shown), len(ground.area))
    system = csr_matrix(pull + grain**2 * (ground.laplacian + diags(ground.area / _REACH**2)))
    scaled = diags(1 / system.diagonal())
    columns = [cg(system, right, rtol=1e-2, maxiter=_STEPS, M=scaled)[0] for right in force.T]
    return torch.from_numpy(np.stack(columns, axis=1))


@once_each
def _ground(model: MorphableModel) -> _Ground:
    mesh = fine_mesh(model)
    surface = surface_of(model, model.faces.device, model.identity.mean.dtype)
    fitted = surface.place >= 0
    parents = torch.nonzero(fitted[model.faces.long()].all(dim=1))[:, 0]
    each = 4 ** len(mesh.levels)
    faces = mesh.faces[(parents[:, None] * each + torch.arange(each).to(parents)).flatten()]
    used = torch.zeros(mesh.size, dtype=torch.bool, device=faces.device)
    used[faces.flatten()] = True
    place = torch.where(used, used.long().cumsum(0) - 1, -1)
    index = torch.nonzero(used)[:, 0]
    mean = mesh.spread(model.identity.mean)[index].double().cpu().numpy()
    laplacian, area = cotangent_laplacian(mean, place[faces].cpu().numpy())
    seen = torch.nonzero(fitted)[:, 0]
    share, shade = (mesh.spread(v)[index] for v in _eyes_too(model, surface, seen))
    return _Ground(mesh, parents, index, place, laplacian, area, seen, share, shade)


def _eyes_too(
    model: MorphableModel, surface: Surface, seen: Int[Tensor, " S"]
) -> tuple[Float[Tensor, "V 1"], Float[Tensor, "V 1"]]:
    """Of the model's vertices, how far each takes what photos tell, and what shades it."""
    share = model.identity.mean.new_zeros(model.size, 1)
    shade = torch.zeros_like(share)
    share[seen, 0] = surface.weight
    for eye in model.eyes or ():
        share[eye.vertices] = 1.0
        shade[eye.vertices, 0] = ambient(model)[eye.vertices].clamp(min=_DARKEST).log()
    return share, shade
