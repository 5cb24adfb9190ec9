"""What a turn stretches between a head that turns and a collar that stays, left to the mesh."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.rerender.lookup import areas, boxed, looked_up
from morphface.rerender.person import Person
from morphface.rerender.turned import Seen
from morphface.segment.filters import blurred

__all__ = ["leave_out_stretched"]

STRETCHED = 0.6, 0.35
"""Areas of the photo in that of a pixel: skin before the mesh of a neck is sharp down to the first,
and left out from the second on."""
EVEN = 0.012
"""Standard deviation, in sizes of the head, with which that is told: nets have cells."""


def leave_out_stretched(front: Seen, behind: Float[Tensor, "h w 1"], person: Person) -> None:
    """Leaves out of the front of a person, in place, what is stretched before the mesh.

    Hair and ears stay: the mesh has others, or none.

    Args:
        front: what is seen of it.
        behind: how far each pixel shows the mesh behind it.
        person: whose it is.
    """
    here = boxed(behind)
    if min(behind[here].shape[:2]) < 2:
        return
    place, scale = front.place[here], person.work.scale
    even = blurred(areas(place)[..., 0].numpy(), EVEN * person.work.size / scale)
    torn = ramp(torch.from_numpy(even)[..., None], *STRETCHED)
    front.cover[here] *= 1 - behind[here] * torn * (
        1 - looked_up(person.hair_or_ears, place * scale)
    )
