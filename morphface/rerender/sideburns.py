"""Hair at the sides of a head: a photo from the front shows it beside the mesh, not on it.

There it stands off the head by some millimetres, so that it is seen beyond the outline of the
vertices that it covers. These are seen edge-on, or not at all, and a turn brings them to the front.
"""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.rerender.ears import beside_bare_ears
from morphface.rerender.looks import towards

if TYPE_CHECKING:
    from morphface.rerender.person import Person

__all__ = ["hair_beside"]

STANDING = {2.0: (0.2, 0.0), 5.0: (0.0, -0.15), 8.0: (-0.1, -0.25)}
"""Millimetres by which hair stands off a head, and the cosines of view at which it is looked for
there: not at all, and wholly. By `bench_views`, and by eye on the turns of 50 people; wider cosines
bring it to the eyes of those who look aside."""
AWAY = -0.65, -0.45
"""Cosines of view up to which a vertex is too far behind the outline, and from which it is not."""
HANGING = 0.15
"""How much farther back, as such a cosine, hair begins that hangs over an ear: a cheek goes on
behind its outline. By `bench_views`, and by eye on the turns of 50 people."""
SIDE = 0.45, 0.2
"""Forward parts of a normal in the model frame, of the front of a head and of its sides: beyond the
outline of a cheek that looks aside is the hair of the other side."""


def hair_beside(person: "Person") -> Float[Tensor, " V"]:
    """How far the photo shows hair that stands off the side of the head at each vertex, 0 to 1.

    Args:
        person: in the photo.
    """
    vertices, faces = person.sight.vertices, person.sight.faces
    normals, way = vertex_normals(vertices, faces), towards(vertices, person.face.camera)
    cosine = (normals * way).sum(-1)
    aside = normalized(normals - cosine[:, None] * way)
    cosine = cosine + HANGING * (1 - beside_bare_ears(person.face.model, person.ears))
    hair = person.labels.hair * person.matte
    found = torch.zeros(len(vertices))
    for off, seen in STANDING.items():
        places = person.face.camera.project(vertices + off * aside)[:, :2]
        found = torch.maximum(found, person.at_places(hair, places) * ramp(cosine, *seen))
    forward = vertex_normals(person.face.model.identity.mean, faces)[:, 2]
    return found * ramp(cosine, *AWAY) * ramp(forward, *SIDE)
