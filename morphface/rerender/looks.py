"""A head before a camera: where it is in a picture, and what the light makes of it."""

from dataclasses import dataclass, replace
from math import log

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = [
    "CONTINUED",
    "Look",
    "brightened",
    "facing",
    "light_change",
    "part_around",
    "part_of",
    "shade",
    "towards",
]

DIMMEST = 0.05
"""Irradiance below which a fit does not tell how a surface would look in more of it."""
LIMITS = {"light": log(6), "undone": log(2), "pose": log(1.35)}
"""How much a change of light, a turn that it undoes, and a turn under one light may change a
colour."""
TURNED = 0.5
"""Share of what a turn does to the light by the fit that colours of photos are given: shadows are
more saturated than light skin, so that one made as bright as it would be turns orange. The best of
0.25, 0.5, 0.75 and 1 for the scan of `benchmarks/bench_views.py`."""
CONTINUED = 0.4
"""Confidence in what is continued from what the photo shows beside it; what is seen has 1."""
SHOULDER = 0.75
"""Values above which what a turn brightens is held back."""


@dataclass(frozen=True, eq=False)
class Look:
    """A head before a camera.

    Args:
        vertices: in the camera frame.
        light: spherical-harmonic coefficients.
        known: the normals of the vertices, where they are known already.
    """

    vertices: Float[Tensor, "V 3"]
    light: Float[Tensor, "9 3"]
    known: Float[Tensor, "V 3"] | None = None

    def same(self, other: "Look") -> bool:
        """Whether another look is this one, bit by bit.

        Args:
            other: of the same mesh.
        """
        alike = torch.equal(self.vertices, other.vertices)
        return alike and torch.equal(self.light, other.light)

    def normals(self, faces: Int[Tensor, "F 3"]) -> Float[Tensor, "V 3"]:
        """Of the vertices; computed once, since a look is of one mesh.

        Args:
            faces: of the mesh.
        """
        kept: Tensor | None = self.known if self.known is not None else vars(self).get("_normals")
        if kept is None:
            kept = vars(self)["_normals"] = vertex_normals(self.vertices, faces)
        return kept

    def shades(self, faces: Int[Tensor, "F 3"]) -> Float[Tensor, "V 3"]:
        """Irradiance at each vertex; computed once, as normals are.

        Args:
            faces: of the mesh.
        """
        kept: Tensor | None = vars(self).get("_shades")
        if kept is None:
            kept = vars(self)["_shades"] = shade(faces, self)
        return kept

    @classmethod
    def of(cls, model: MorphableModel, parameters: FaceParameters) -> "Look":
        """The look of a face in its first frame.

        Args:
            model: that the parameters belong to.
            parameters: of the face.
        """
        p = parameters
        shape = model.vertices(p.identity, p.expression[:1], p.gaze[:1])[0]
        return cls(to_camera(shape, p.rotation[0], p.translation[0]), p.illumination[0])


def light_change(
    faces: Int[Tensor, "F 3"], before: Look, after: Look
) -> tuple[Float[Tensor, "V 3"], Float[Tensor, "V 3"]]:
    """Logarithms of how many times brighter vertices become by a new light, and by their turn.

    Args:
        faces: of the mesh.
        before: one look.
        after: the other.
    """
    old, new = before.shades(faces).log(), after.shades(faces).log()
    lit = irradiance(after.light, before.normals(faces)).clamp(min=DIMMEST).log()
    light, turn = lit - old, (new - lit).mean(dim=-1, keepdim=True)
    against = -light.mean(dim=-1, keepdim=True)
    undone = torch.where(turn > 0, against.clamp(min=0), against.clamp(max=0))
    undone = torch.where(undone.abs() < turn.abs(), undone, turn)  # light that turns along
    parts = {"light": light, "undone": undone, "pose": TURNED * (turn - undone)}
    bent = {name: LIMITS[name] * torch.tanh(part / LIMITS[name]) for name, part in parts.items()}
    return bent["light"], (bent["undone"] + bent["pose"]).expand_as(lit)


def brightened(
    colours: Float[Tensor, "*pixels 3"], gain: Float[Tensor, "*pixels 3"]
) -> Float[Tensor, "*pixels 3"]:
    """Colours so many times as bright; what is bright already rises less, as on film.

    Args:
        colours: encoded as in a picture.
        gain: of each channel; 1 changes nothing.
    """
    changed = colours * gain
    strongest = changed.amax(dim=-1, keepdim=True).clamp(min=1e-6)
    over = (strongest - SHOULDER).clamp(min=0) / (1 - SHOULDER)
    held = strongest.clamp(max=SHOULDER) + (1 - SHOULDER) * over / (1 + over)
    # All channels are held back alike, so that skin stays skin and does not turn yellow.
    rolled = changed * (held / strongest)
    return torch.lerp(changed, rolled, (4 * gain.log()).clamp(0, 1))


def part_of(camera: Camera, box: tuple[int, int, int, int], scale: float) -> Camera:
    """The camera that sees a part of a picture, with pixels so many times as fine.

    Args:
        camera: of the whole picture.
        box: left, top, right and bottom of the part.
        scale: pixels of the part for one of the whole.
    """
    left, top, right, bottom = box
    size = max(round((bottom - top) * scale), 1), max(round((right - left) * scale), 1)
    principal = (camera.principal - camera.principal.new_tensor([left, top])) * scale
    return replace(camera, focal=camera.focal * scale, principal=principal, size=size)


def shade(faces: Int[Tensor, "F 3"], look: Look) -> Float[Tensor, "V 3"]:
    """Irradiance at each vertex, positive.

    Args:
        faces: of the mesh.
        look: of the head.
    """
    return irradiance(look.light, look.normals(faces)).clamp(min=DIMMEST)


def facing(faces: Int[Tensor, "F 3"], look: Look, camera: Camera) -> Float[Tensor, " V"]:
    """Cosine between the normal of each vertex and the line of sight.

    Args:
        faces: of the mesh.
        look: of the head.
        camera: that sees it.
    """
    return (look.normals(faces) * towards(look.vertices, camera)).sum(-1)


def towards(vertices: Float[Tensor, "V 3"], camera: Camera) -> Float[Tensor, "V 3"]:
    """Unit vectors from vertices to the camera.

    Args:
        vertices: in the camera frame.
        camera: that sees them.
    """
    away = -vertices if camera.weak_depth is None else vertices.new_tensor([[0.0, 0, 1]])
    return normalized(away.expand_as(vertices))


def part_around(
    camera: Camera, vertices: Tensor, chosen: Tensor | None, scale: float
) -> tuple[int, int, int, int]:
    """A part of the picture that holds vertices, in whole pixels at both scales.

    Args:
        camera: of the picture.
        vertices: in the camera frame.
        chosen: which of them count; None is all.
        scale: pixels of the part for one of the picture.

    Returns:
        Left, top, right and bottom; the last two may be beyond the picture.
    """
    points = vertices if chosen is None else vertices[chosen]
    screen = camera.project(points)[:, :2].nan_to_num().clamp(-1e6, 1e6)
    (left, top), (right, bottom) = (screen.amin(0) - 3).tolist(), (screen.amax(0) + 3).tolist()
    height, width = camera.size
    left, top = max(int(left), 0), max(int(top), 0)
    whole = max(round(1 / scale), 1)
    across, down = (
        -(-max(int(end) - start, 0) // whole) * whole
        for start, end in ((left, min(right, width)), (top, min(bottom, height)))
    )
    return left, top, left + across, top + down
