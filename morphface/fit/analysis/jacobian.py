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

Left out: a change of which face is seen (silhouettes), and the slope of clamped colours.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.kernels import light_vertices, write_samples
from morphface.fit.analysis.lens import Lens, View
from morphface.fit.analysis.rings import rings_of
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.scene import Scene
from morphface.geometry.spherical_harmonics import sh_derivative
from morphface.render.backends.threads import run, split

__all__ = ["Gradient", "colour_jacobian", "colour_slope", "point_jacobian"]

Gradient = Literal["mean", "photo", "model"]
"""Whose colours say what motion across the pixels does."""


def colour_slope(
    scene: Scene, samples: Samples, view: View, gradient: Gradient = "mean"
) -> Float[Tensor, "n 3 2"]:
    """How colours change from pixel to pixel at `samples`.

    Args:
        scene: the model's colours.
        samples: where.
        view: the photo's colours.
        gradient: whose of them, or the mean of both.
    """
    photo = view.gradient.flatten(0, 1)[samples.pixel]
    if gradient == "photo":
        return photo
    model = _model_slope(scene, samples, view)
    return model if gradient == "model" else (photo + model) / 2


def colour_jacobian(
    scene: Scene,
    basis: Float[Tensor, "V 3 S"],
    samples: Samples,
    slope: Float[Tensor, "n 3 2"],
    view: View,
    *,
    scale: Float[Tensor, "n 3"] | None = None,
    compiled: bool | None = None,
) -> Float[Tensor, "n 3 P"]:
    """Derivatives of the residuals at `samples` by all of a photo's columns.

    Args:
        scene: where to linearise.
        basis: from `shape_basis`.
        samples: where.
        slope: of colours across the pixels there.
        view: the photo.
        scale: what each row is multiplied by; None leaves them.
        compiled: whether to use the compiled kernels; None uses them on a CPU.
    """
    if scale is None:
        scale = torch.ones_like(samples.weights)
    moves = _motion(scene, samples, view.lens)
    slope = slope * scale[..., None]
    turned = view.mix_rows(_light_by_normal(scene))
    parts = _Parts(scene, basis, samples, scale, slope @ moves, turned)
    rest = [
        scale[..., None] * view.mix_rows(_by_illumination(parts)),
        _by_rotation(parts),
        -parts.across,
        -(slope @ view.lens.stretch(samples.blend(scene.points), scene.look.focal)[..., None]),
    ]
    first = basis.shape[2] + scene.surface.reflectance
    out = slope.new_empty(len(slope), 3, first + 34)
    out[:, :, first:] = torch.cat(rest, dim=2)
    compiled = slope.device.type == "cpu" if compiled is None else compiled
    (_write_compiled if compiled else _write_plain)(parts, view, out[:, :, :first])
    return out


@dataclass(frozen=True, eq=False)
class _Parts:
    """What the columns of shape and reflectance are made of.

    Args:
        scene: where to linearise.
        basis: of shape.
        samples: where.
        scale: of their rows.
        across: scaled colour by motion in the camera frame.
        turned: colour by unit normal in the camera frame, at vertices.
    """

    scene: Scene
    basis: Float[Tensor, "V 3 S"]
    samples: Samples
    scale: Float[Tensor, "n 3"]
    across: Float[Tensor, "n 3 3"]
    turned: Float[Tensor, "V 3 3"]

    @property
    def chain(self) -> Float[Tensor, "V 3 3"]:
        """Colour by area vector in the head frame, at vertices."""
        normal = self.scene.normals
        tangent = torch.eye(3).to(normal) - normal[:, :, None] * normal[:, None, :]
        length = self.scene.areas.norm(dim=-1).clamp(min=1e-12)[:, None, None]
        return self.turned @ (tangent / length) @ self.scene.look.rotation

    @property
    def inside(self) -> Float[Tensor, "V 3"]:
        """The light, where albedo is not clamped."""
        free = (self.scene.albedo > 0) & (self.scene.albedo < 1)
        return self.scene.light * free


def _write_compiled(parts: _Parts, view: View, out: Float[Tensor, "n 3 p"]) -> None:
    """Columns of shape and reflectance, by the kernels."""
    scene, samples, basis = parts.scene, parts.samples, parts.basis
    rings = rings_of(scene.surface.faces, len(basis))
    used, slots = torch.unique(samples.corners, return_inverse=True)
    lit = basis.new_empty(len(used), 3, basis.shape[2])
    around = tuple(
        values.numpy()
        for values in (rings.pairs, rings.neighbour, rings.terms, rings.corner, rings.sign)
    )
    tasks = split()
    if basis.shape[2]:
        run(
            light_vertices,
            tasks,
            used.numpy(),
            around,
            scene.shape.numpy(),
            parts.chain.contiguous().numpy(),
            basis.numpy(),
            lit.numpy(),
        )
    across = parts.across @ scene.look.rotation
    points = (
        samples.corners.numpy(),
        slots.numpy(),
        samples.weights.numpy(),
        parts.scale.numpy(),
        across.contiguous().numpy(),
    )
    colours, mix = scene.surface.colours.numpy(), view.matrix.numpy()
    lights = parts.inside.numpy()
    run(write_samples, tasks, points, basis.numpy(), lit.numpy(), colours, lights, mix, out.numpy())


def _write_plain(parts: _Parts, view: View, out: Float[Tensor, "n 3 p"]) -> None:
    """Columns of shape and reflectance, on any device."""
    scene, samples, basis = parts.scene, parts.samples, parts.basis
    shapes = basis.shape[2]
    across = parts.across @ scene.look.rotation
    out[:, :, :shapes] = parts.scale[..., None] * samples.blend_rows(_lit(parts))
    out[:, :, :shapes] -= across @ samples.blend_rows(basis)
    lit = parts.inside[samples.corners] * samples.weights[..., None]
    colours = torch.einsum("nkc,nkca->nca", lit, scene.surface.colours[samples.corners])
    out[:, :, shapes:] = parts.scale[..., None] * view.mix_rows(colours)


def _lit(parts: _Parts) -> Float[Tensor, "V 3 S"]:
    """Colours of all vertices by shape columns, through their normals alone."""
    rings = rings_of(parts.scene.surface.faces, len(parts.basis))
    edges = rings.edges(parts.scene.shape)
    rows = (parts.chain[rings.vertex] @ _skew(edges)) @ parts.basis[rings.neighbour]
    return torch.zeros_like(parts.basis).index_add_(0, rings.vertex, rows)


def point_jacobian(
    scene: Scene, basis: Float[Tensor, "V 3 S"], samples: Samples, lens: Lens
) -> Float[Tensor, "n 2 P"]:
    """Derivatives of where surface points are seen, by all of a photo's columns.

    Args:
        scene: where to linearise.
        basis: from `shape_basis`.
        samples: the points.
        lens: what sees them.
    """
    look, across = scene.look, _motion(scene, samples, lens)
    moved = samples.blend_rows(basis)
    points = samples.blend(scene.points)
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


def _motion(scene: Scene, samples: Samples, lens: Lens) -> Float[Tensor, "n 2 3"]:
    """How points move across the pixels when they move in the camera frame."""
    return lens.slopes(samples.blend(scene.points), scene.look.focal)


def _model_slope(scene: Scene, samples: Samples, view: View) -> Float[Tensor, "n 3 2"]:
    """How the model's colour changes from pixel to pixel, within the face that is seen.

    Barycentric weights are `l / z` over its sum, with weights `l` that are affine on the screen.
    """
    screen = scene.screen(view.lens)[samples.corners]
    colours = view.mixed(scene.colours)[samples.corners]
    centre = torch.einsum("nk,nkc->nc", samples.weights, colours)
    flat = view.lens.weak_depth is not None
    inverse = torch.ones_like(screen[..., 2]) if flat else 1 / screen[..., 2]
    affine = samples.weights / inverse
    affine = affine / affine.sum(dim=1, keepdim=True)
    depth = 1 / (affine * inverse).sum(dim=1)
    edges = screen[:, [1, 2, 0], :2] - screen[:, [2, 0, 1], :2]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    area = torch.where(area.abs() < 1e-9, torch.inf, area)
    slopes = torch.stack([edges[..., 1], -edges[..., 0]], dim=-1) / area[:, None, None]
    scaled = slopes * (inverse * depth[:, None])[..., None]
    return torch.einsum("nkc,nkd->ncd", colours - centre[:, None], scaled)


def _skew(v: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3 3"]:
    """The matrix of `cross(v, .)`."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def _light_by_normal(scene: Scene) -> Float[Tensor, "V 3 3"]:
    """Colour by unit normal, at vertices."""
    light = torch.einsum("jc,vjd->vcd", scene.look.illumination, sh_derivative(scene.normals))
    return scene.albedo[..., None] * light


def _by_illumination(parts: _Parts) -> Float[Tensor, "n 3 27"]:
    scene, corners = parts.scene, parts.samples.corners
    harmonics = scene.harmonics[corners]
    albedo = scene.albedo[corners] * parts.samples.weights[..., None]
    rows = torch.einsum("nkc,nkj->ncj", albedo, harmonics)
    out = rows.new_zeros(len(rows), 3, 9, 3)
    for channel in range(3):
        out[:, channel, :, channel] = rows[:, channel]
    return out.flatten(2)


def _by_rotation(parts: _Parts) -> Float[Tensor, "n 3 3"]:
    """A turn `w` moves points by `cross(w, x)` and normals by `cross(w, n)`."""
    scene, samples = parts.scene, parts.samples
    arm = samples.blend(scene.points) - scene.look.translation
    lit = -(parts.turned @ _skew(scene.normals))
    blended = parts.scale[..., None] * samples.blend_rows(lit)
    return blended + parts.across @ _skew(arm)
