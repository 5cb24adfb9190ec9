"""How a pixel's colour changes with every parameter, in closed form.

At a pixel the model shows the colour `c` of the surface point that `Fragments` names: a blend,
with barycentric weights, of vertex colours that are albedo times irradiance at the normal. The
Jacobian of `c - photo` keeps all of these terms:

- colour: albedo by reflectance, irradiance by illumination;
- normal: vertex normals are area-weighted sums over the faces around, so that shape, gaze and
  rotation turn them; this is what shading says about shape;
- position: shape and camera move the point across the pixels. At a fixed pixel that changes the
  barycentric weights, which is `-gradient(c)` times the motion; for a fixed point it changes the
  photo's colour, which is `-gradient(photo)` times the motion. Both have the same value where
  model and photo agree, and their mean converges faster than either (Benhimane and Malis 2004,
  section 3), so that is the default.

Left out: a change of which face is seen (silhouettes), and of which vertices are clamped.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.sampling import Lens, Samples, View
from morphface.fit.analysis.shading import Head
from morphface.fit.analysis.state import Look
from morphface.fit.analysis.surface import Surface
from morphface.geometry.spherical_harmonics import sh_derivative

__all__ = ["Gradient", "colour_jacobian", "model_gradient", "motion", "point_jacobian"]

Gradient = Literal["mean", "photo", "model"]
"""Whose colours say what motion across the pixels does."""


def colour_jacobian(
    surface: Surface,
    basis: Float[Tensor, "V 3 S"],
    look: Look,
    head: Head,
    samples: Samples,
    slope: Float[Tensor, "n 3 2"],
    view: View,
) -> Float[Tensor, "n 3 P"]:
    """Derivatives of the residuals at `samples` by all of a photo's columns.

    Args:
        surface: the model.
        basis: from `shape_basis`.
        look: where to linearise.
        head: of that look.
        samples: where.
        slope: of colours across the pixels there.
        view: the photo.
    """
    lens = view.lens
    across = slope @ motion(samples, head, look, lens)
    turned = _light_by_normal(look, head)
    turned = turned if view.mix is None else view.mix @ turned
    return torch.cat(
        [
            _by_shape(surface, basis, look, head, samples, turned, across),
            _mixed(view, _by_reflectance(surface, head, samples)),
            _mixed(view, _by_illumination(head, samples)),
            _by_rotation(look, head, samples, turned, across),
            -across,
            -(slope @ lens.stretch(samples.blend(head.points), look.focal)[..., None]),
        ],
        dim=-1,
    )


def point_jacobian(
    basis: Float[Tensor, "V 3 S"], look: Look, head: Head, samples: Samples, lens: Lens
) -> Float[Tensor, "n 2 P"]:
    """Derivatives of where surface points are seen, by all of a photo's columns.

    Args:
        basis: from `shape_basis`.
        look: where to linearise.
        head: of that look.
        samples: the points.
        lens: what sees them.
    """
    across = motion(samples, head, look, lens)
    moved = torch.einsum("nk,nkcs->ncs", samples.weights, basis[samples.corners])
    points = samples.blend(head.points)
    nothing = across.new_zeros(len(across), 2, len(look.reflectance) + 27)
    return torch.cat(
        [
            (across @ look.rotation) @ moved,
            nothing,
            across @ -_skew(points - look.translation),
            across,
            lens.stretch(points, look.focal)[..., None],
        ],
        dim=-1,
    )


def motion(samples: Samples, head: Head, look: Look, lens: Lens) -> Float[Tensor, "n 2 3"]:
    """How points move across the pixels when they move in the camera frame."""
    return lens.slopes(samples.blend(head.points), look.focal)


def model_gradient(head: Head, look: Look, samples: Samples, view: View) -> Float[Tensor, "n 3 2"]:
    """How the model's colour changes from pixel to pixel, within the face that is seen."""
    lens = view.lens
    screen = lens.project(head.points, look.focal)[samples.corners]
    colours = view.mixed(head.colours)[samples.corners]
    centre = torch.einsum("nk,nkc->nc", samples.weights, colours)
    inverse = 1 / screen[..., 2]
    if lens.weak_depth is not None:
        inverse = torch.ones_like(inverse)
    depth = 1 / _affine(samples.weights / inverse).mul(inverse).sum(dim=1)
    edges = torch.stack([screen[:, (k + 1) % 3] - screen[:, (k + 2) % 3] for k in range(3)], 1)
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    area = torch.where(area.abs() < 1e-9, torch.inf, area)
    slopes = torch.stack([edges[..., 1], -edges[..., 0]], dim=-1) / area[:, None, None]
    scaled = slopes * (inverse * depth[:, None])[..., None]
    return torch.einsum("nkc,nkd->ncd", colours - centre[:, None], scaled)


def _affine(weights: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    return weights / weights.sum(dim=1, keepdim=True)


def _skew(v: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3 3"]:
    """The matrix of `cross(v, .)`."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def _light_by_normal(look: Look, head: Head) -> Float[Tensor, "V 3 3"]:
    """Colour by unit normal, at vertices."""
    light = torch.einsum("jc,vjd->vcd", look.illumination, sh_derivative(head.normals))
    return head.albedo[..., None] * light


def _by_shape(
    surface: Surface,
    basis: Tensor,
    look: Look,
    head: Head,
    samples: Samples,
    turned: Tensor,
    across: Tensor,
) -> Float[Tensor, "n 3 S"]:
    """Through positions and through normals."""
    moved = torch.einsum("nk,nkcs->ncs", samples.weights, basis[samples.corners])
    out = torch.einsum("ncd,nds->ncs", across @ look.rotation, moved)
    normals = _normal_basis(surface, basis, head)
    flat = head.normals
    length = head.areas.norm(dim=-1).clamp(min=1e-12)[:, None, None]
    tangent = torch.eye(3).to(flat) - flat[:, :, None] * flat[:, None, :]
    chain = turned @ tangent @ look.rotation / length
    used, where = torch.unique(samples.corners, return_inverse=True)
    lit = torch.einsum("vcd,vds->vcs", chain[used], normals[used])
    return torch.einsum("nk,nkcs->ncs", samples.weights, lit[where]) - out


def _normal_basis(surface: Surface, basis: Tensor, head: Head) -> Float[Tensor, "V 3 S"]:
    """What each shape column adds to the area vectors of vertices, in the head frame."""
    corner = head.shape[surface.faces]
    total = torch.zeros_like(basis)
    parts = [
        _skew(corner[:, (k + 2) % 3] - corner[:, (k + 1) % 3]) @ basis[surface.faces[:, k]]
        for k in range(3)
    ]
    face = parts[0] + parts[1] + parts[2]
    for k in range(3):
        total.index_add_(0, surface.faces[:, k], face)
    return total


def _mixed(view: View, rows: Float[Tensor, "n 3 p"]) -> Float[Tensor, "n 3 p"]:
    return rows if view.mix is None else view.mix @ rows


def _by_reflectance(surface: Surface, head: Head, samples: Samples) -> Tensor:
    lit = head.light[samples.corners] * samples.weights[..., None]
    inside = (head.albedo > 0) & (head.albedo < 1)
    lit = lit * inside[samples.corners]
    return torch.einsum("nkc,nkca->nca", lit, surface.colours[samples.corners])


def _by_illumination(head: Head, samples: Samples) -> Tensor:
    harmonics = head.harmonics[samples.corners]
    albedo = head.albedo[samples.corners] * samples.weights[..., None]
    rows = torch.einsum("nkc,nkj->ncj", albedo, harmonics)
    out = rows.new_zeros(len(rows), 3, 9, 3)
    for channel in range(3):
        out[:, channel, :, channel] = rows[:, channel]
    return out.flatten(2)


def _by_rotation(
    look: Look, head: Head, samples: Samples, turned: Tensor, across: Tensor
) -> Float[Tensor, "n 3 3"]:
    """A turn `w` moves points by `cross(w, x)` and normals by `cross(w, n)`."""
    arm = samples.blend(head.points) - look.translation
    lit = turned @ -_skew(head.normals)
    moved = -(across @ -_skew(arm))
    return moved + torch.einsum("nk,nkcd->ncd", samples.weights, lit[samples.corners])
