"""How deep the outline of a person is, as seen in a photo, and what the mesh says of depths."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize
from morphface.render.relief import membrane
from morphface.rerender.grid import Grid
from morphface.rerender.nets import smoothed
from morphface.segment.filters import blurred

__all__ = ["RIM", "SMOOTH", "Outline"]

FACING = 0.3
"""Cosine between normal and line of sight from which the mesh says how deep a person is."""
CLOSE = 20.0, 8.0
"""Millimetres between an outline and the mesh: from the second on, the mesh says how deep it is."""
TEMPLES = 22.0
"""How far before the plane the outline of short hair is, in millimetres: by
`benchmarks/turned_outlines.py`, as the next two."""
TEMPLE = -10.0, 30.0
"""Heights in the model frame from which on it is."""
HANGING = 40.0
"""The same of hair that hangs over the ears."""
COVERED = 0.3, 0.7
"""Shares of ears under hair: it does not hang over them, and it does."""
FOREMOST = 80.0
"""Millimetres that an outline may be before the plane."""
RIM = 6.0
"""Millimetres within the outline up to which heights follow from the distance to it."""
SMOOTH = 3
"""Times that what is worked out at the nodes is smoothed."""


@dataclass(frozen=True, eq=False)
class Outline(Grid):
    """Where a person ends in a photo.

    Args:
        person: whose outline it is.
    """

    def mesh(self, *, rear: bool) -> tuple[Float[Tensor, "R C"], Bool[Tensor, "R C"]]:
        """Heights before (or behind) the plane that the mesh has, and where it is sure of them.

        Args:
            rear: whether those behind are asked for.
        """
        camera, person = self.window, self.person
        vertices, faces = person.sight.vertices, person.sight.faces
        screen = camera.project(vertices)
        if rear:
            screen = torch.cat([screen[:, :2], 2 * self.plane - screen[:, 2:]], -1)
            faces = faces.flip(1)
        perspective = camera.weak_depth is None and not rear
        found = rasterize(screen[None], faces, camera.size, perspective=perspective)
        normals = vertex_normals(vertices, person.sight.faces)
        towards = -vertices if camera.weak_depth is None else vertices.new_tensor([[0.0, 0, 1]])
        cosine = (normals * normalized(towards.expand_as(vertices))).sum(-1, keepdim=True)
        cosine = -cosine if rear else cosine
        seen = interpolate(cosine[None], faces, found)[0, ..., 0]
        height = (self.plane - found.depth[0]).where(found.mask[0], torch.nan)
        return height.nan_to_num(), found.mask[0] & (seen > FACING)

    @cached_property
    def base(self) -> Float[Tensor, "R C"]:
        """How far before the plane the outline is: that of skin is the mesh's.

        A cheek or a jaw ends, as seen in the photo, well before the middle of the head; where
        hair does, see `_forward`.
        """
        height, _ = self.mesh(rear=False)
        known = height != 0
        rim = self.within.abs() < RIM
        if not bool(known.any()) or not bool(rim.any()):
            return torch.zeros_like(self.within)
        away, place = distance_transform_edt(~known.numpy(), return_indices=True)
        nearest = height[tuple(torch.from_numpy(axis).long() for axis in place)]
        close = ramp(torch.from_numpy(away).float() * self.step * self.pixel, *CLOSE)
        skin = self.at_nodes(blurred(self.person.padded(self._skin), 0.02 * self.person.work.size))
        skin = smoothstep(skin, 0.3, 0.7)
        base = torch.lerp(self._forward, nearest * close, skin).clamp(0, FOREMOST)
        base = membrane((base * rim)[..., None], rim)[..., 0]
        for _ in range(3 * SMOOTH):
            base = smoothed(base)
        return base

    @cached_property
    def _forward(self) -> Float[Tensor, "R C"]:
        """How far before the plane an outline of hair is: hair has its temples before the ears.

        Hair that hangs over the ears does so all the way down.
        """
        flat = self.to_model(self.points(torch.full(self.within.shape, self.plane)))
        short = TEMPLES * smoothstep(flat[..., 1], *TEMPLE)
        return torch.lerp(short, torch.full_like(short, HANGING), self.hanging)

    @cached_property
    def hanging(self) -> Float[Tensor, ""]:
        """How far hair covers the ears, 0 to 1."""
        ears = self.person.face.model.regions.get("ears")
        if ears is None:
            return torch.zeros(())
        over = self.person.hair_at_vertices[ears > 0.5].mean()
        return smoothstep(over, *COVERED)

    @cached_property
    def _skin(self) -> Float[np.ndarray, "h w"]:
        """How much of the person around each pixel is skin."""
        person, width = self.person, 0.02 * self.person.work.size
        skin = person.labels.skin * person.matte
        return blurred(skin, width) / (blurred(person.matte, width) + 1e-3)
