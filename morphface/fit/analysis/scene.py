"""From a look to what can be seen: positions, normals and colours of all vertices.

Colours are shaded at the vertices and blended over the pixels.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.lens import Lens
from morphface.fit.analysis.state import Look
from morphface.fit.analysis.surface import Surface
from morphface.geometry.spherical_harmonics import (
    AMBIENT,
    sample_directions,
    sh_basis,
    sh_project,
)

__all__ = ["Scene", "scene_of", "shape_basis"]


@dataclass(frozen=True, eq=False)
class Scene(Record):
    """A look of a model: a posed and lit head.

    Args:
        surface: the model, linear around the look.
        look: the parameters.
        shape: positions in the head frame, eyes turned.
        points: the same in the camera frame.
        areas: normals in the camera frame, twice as long as the area of the faces around.
        normals: those of unit length.
        albedo: clamped to [0, 1].
        light: irradiance of each channel.
        harmonics: of the normals, less what the head hides of the light from itself.
        blocked: what it would hide in full shade.
    """

    surface: Surface
    look: Look
    shape: Float[Tensor, "V 3"]
    points: Float[Tensor, "V 3"]
    areas: Float[Tensor, "V 3"]
    normals: Float[Tensor, "V 3"]
    albedo: Float[Tensor, "V 3"]
    light: Float[Tensor, "V 3"]
    harmonics: Float[Tensor, "V 9"]
    blocked: Float[Tensor, "V 9"]

    @property
    def shading(self) -> Float[Tensor, "V 3"]:
        """What full shade adds to the light."""
        return _light(self.blocked, self.look)

    def shaded(self, shade: Float[Tensor, ""]) -> "Scene":
        """The same head where another share of the light is hidden."""
        more = (shade - self.look.shade) * self.blocked
        harmonics, look = self.harmonics + more, replace(self.look, shade=shade)
        return replace(self, look=look, harmonics=harmonics, light=_light(harmonics, look))

    @property
    def colours(self) -> Float[Tensor, "V 3"]:
        """Of the vertices, as they are seen."""
        return self.albedo * self.light

    def screen(self, lens: Lens) -> Float[Tensor, "V 3"]:
        """Where the vertices are seen, and their depth."""
        return lens.project(self.points, self.look.focal)

    def pixel(self, lens: Lens) -> float:
        """Side of a pixel at the head, in millimetres."""
        depth = -self.look.translation[2] if lens.weak_depth is None else lens.weak_depth
        return float(depth / (self.look.focal * lens.scale.mean()))


def scene_of(surface: Surface, look: Look) -> Scene:
    """The head that a look describes."""
    shape = _shape(surface, look)
    points = shape @ look.rotation.T + look.translation
    areas = _vertex_areas(surface, points)
    normals = areas / areas.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    blocked = _blocked(surface, look)
    harmonics = sh_basis(normals) + look.shade * blocked
    albedo = surface.albedo
    if surface.reflectance:
        moved = surface.colours.flatten(0, 1) @ look.reflectance
        albedo = albedo + moved.reshape(albedo.shape)
    return Scene(
        surface=surface,
        look=look,
        shape=shape,
        points=points,
        areas=areas,
        normals=normals,
        albedo=albedo.clamp(0.0, 1.0),
        light=_light(harmonics, look),
        harmonics=harmonics,
        blocked=blocked,
    )


def _light(harmonics: Float[Tensor, "V 9"], look: Look) -> Float[Tensor, "V 3"]:
    return harmonics @ look.illumination + AMBIENT * harmonics[:, :1]


def _blocked(surface: Surface, look: Look) -> Float[Tensor, "V 9"]:
    """What the head hides of a light that is given in the camera frame, of all of it."""
    turned = sh_basis(sample_directions().to(look.rotation) @ look.rotation.T)
    return surface.blocked @ sh_project(turned)


def _vertex_areas(surface: Surface, points: Float[Tensor, "V 3"]) -> Float[Tensor, "V 3"]:
    a, b, c = (points.index_select(0, corner) for corner in surface.faces.T)
    vectors = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(points)
    for corner in surface.faces.T:
        total.index_add_(0, corner, vectors)
    return total


def _shape(surface: Surface, look: Look) -> Float[Tensor, "V 3"]:
    coefficients = torch.cat([look.identity, look.expression])
    basis = surface.basis.flatten(0, 1)[:, : len(coefficients)]
    shape = surface.mean + (basis @ coefficients).reshape(-1, 3)
    for side, eye in enumerate(surface.eyes):
        centre = eye.centre + eye.basis[:, : len(look.identity)] @ look.identity
        shape[eye.vertices] = centre + (shape[eye.vertices] - centre) @ _turn(look, side).T
    return shape


def _turn(look: Look, side: int) -> Float[Tensor, "3 3"]:
    """The rotation of an eye: `gaze_rotation` written out, as it is called often."""
    (cy, cp), (sy, sp) = look.gaze[side].cos(), look.gaze[side].sin()
    entries = [cy, -sy * sp, sy * cp, torch.zeros_like(cy), cp, sp, -sy, -cy * sp, cy * cp]
    return torch.stack(entries).reshape(3, 3)


def shape_basis(scene: Scene, out: Float[Tensor, "V 3 S"] | None = None) -> Float[Tensor, "V 3 S"]:
    """What each shape column adds to a vertex, eyes turned.

    Only the rows of the eyeballs differ from `surface.basis`.

    Args:
        scene: for the gaze.
        out: a result of an earlier call, to be written over where the surface is constant.
    """
    surface, look = scene.surface, scene.look
    if not surface.eyes:
        return surface.basis
    out = surface.basis.clone() if out is None or not surface.constant else out
    for side, eye in enumerate(surface.eyes):
        turn = _turn(look, side)
        still = eye.basis - turn @ eye.basis
        rows = torch.einsum("ij,vjs->vis", turn, surface.basis[eye.vertices]) + still
        centre = eye.centre + eye.basis[:, : len(look.identity)] @ look.identity
        arm = scene.shape[eye.vertices] - centre
        column = surface.basis.shape[2] - 4 + 2 * side
        yaw, pitch = _axes(look.gaze[side])
        rows[..., column] = torch.linalg.cross(yaw.expand_as(arm), arm)
        rows[..., column + 1] = torch.linalg.cross(pitch.expand_as(arm), arm)
        out[eye.vertices] = rows
    return out


def _axes(gaze: Float[Tensor, "2"]) -> tuple[Tensor, Tensor]:
    """Axes about which an eye that looks along `gaze` turns with yaw and with pitch."""
    yaw, zero = gaze[0], torch.zeros_like(gaze[0])
    return torch.stack([zero, zero + 1, zero]), torch.stack([-yaw.cos(), zero, yaw.sin()])
