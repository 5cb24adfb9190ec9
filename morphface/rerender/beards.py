"""Beards on the sides of a face that a photo does not show: they go on from what it shows."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.rerender.bare import continued
from morphface.rerender.person import Person
from morphface.segment.filters import mean_near, single

__all__ = ["MIRRORED", "NEAR", "Beard"]

MIRRORED = 0.3
"""What the other side of the face counts for, beside the side itself."""
NEAR = 0.012
"""Standard deviation around a vertex of the colours that go on from it, in sizes of the head."""


@dataclass(frozen=True, eq=False)
class Beard:
    """The beard of a person, or none.

    Args:
        person: in a photo.
        shown: how far that shows a beard at each vertex, and well.
        skin: how far it shows skin there, and well.
        twin: for each vertex the one on the other side of the face; None where that is unknown.
    """

    person: Person
    shown: Float[Tensor, " V"]
    skin: Float[Tensor, " V"]
    twin: Int[Tensor, " V"] | None

    def over(self, painted: Float[Tensor, "V 3"]) -> Float[Tensor, "V 3"]:
        """Colours of skin, and those of the beard where there is one.

        Args:
            painted: the skin.
        """
        if not bool((self.shown > 0.5).any()):
            return painted
        return torch.lerp(painted, self.colours, self.share[:, None])

    @property
    def share(self) -> Float[Tensor, " V"]:
        """How far each vertex is under a beard."""
        person = self.person
        grown = torch.maximum(self.shown, person.hair_beside * person.beard)
        known = torch.maximum(self.skin, grown)
        if self.twin is not None:
            there = MIRRORED * (1 - known)
            grown, known = (each + there * each[self.twin] for each in (grown, known))
        share = (grown / known.clamp(min=1e-6))[:, None]
        return continued(person.sight.faces, share, known)[:, 0].clamp(0, 1) * person.beard

    @property
    def colours(self) -> Float[Tensor, "V 3"]:
        """Of the beard at each vertex: as it is in the photo, far from there as it is usually."""
        person = self.person
        there = person.labels.hair * person.matte * person.bearded
        mean = mean_near(person.colours, single(there), NEAR * person.work.size)[0]
        colour = person.at_vertices(mean)
        usual = (colour * self.shown[:, None]).sum(0) / self.shown.sum().clamp(min=1e-6)
        return (usual + continued(person.sight.faces, colour - usual, self.shown)).clamp(0, 1)
