"""What a photo has beyond its layers, so that the smallest turn changes next to nothing.

A head that turns is drawn by a mesh, a relief and what may be behind them. All are about as the
photo is, and none quite: hair is seen through, spectacles stand off a face. What the layers of an
unturned head miss of the photo goes along with the person where it is theirs and stays where it is
not, and is given up as the turn grows.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.rerender.lookup import looked_up
from morphface.rerender.mesh_layer import Drawn
from morphface.rerender.turn import Turn
from morphface.rerender.turned import Turned

__all__ = ["Remainder"]

ANGLE = 0.08, 0.3
"""Turns, in radians, up to which all of it is added, and from which on nothing."""
SHIFT = 20.0, 60.0
"""The same of how far a head is moved, in millimetres."""
LEFT = (0.02, 0.1), (3.0, 15.0)
"""Both for what is thin and stays where it was: single hairs beside a head that is elsewhere are
crumbs."""
LEAST = 0.01
"""What is missing, as a colour, that counts."""
ROOM = 0.15
"""How far beyond all that is missing it may go, in sizes of that."""
THIN = 3
"""Pixels across a line that is none of the photo's: a mesh has it where it folds over, and there it
does not stay in its place."""


@dataclass(frozen=True, eq=False)
class Remainder:
    """What the layers of an unturned head miss.

    Args:
        photo: as it is.
        missing: the photo without the picture that they make.
        person: how far each pixel shows the person.
        beyond: what is missing where the mesh is wider than the person, whose it is not.
    """

    photo: Float[Tensor, "H W 3"]
    missing: Float[Tensor, "H W 3"]
    person: Float[Tensor, "H W 1"]
    beyond: Float[Tensor, "H W 3"]

    @classmethod
    def of(
        cls,
        unturned: Turned,
        photo: Float[Tensor, "H W 3"],
        mesh: Drawn | None,
        own: Float[Tensor, "H W 1"],
    ) -> "Remainder":
        """What is missing.

        Args:
            unturned: what the layers make of the photo as it is.
            photo: that it should be.
            mesh: that is drawn in them.
            own: how far each pixel of the photo shows the person alone.
        """
        missing = photo - unturned.frame
        beyond = torch.zeros_like(missing)
        if mesh is not None:
            on_mesh = mesh.placed(mesh.over, unturned.person)
            missing = torch.lerp(missing, _broad(missing), on_mesh)
            beyond = missing * on_mesh * (1 - own)
        return cls(photo, missing - beyond, unturned.person, beyond)

    @staticmethod
    def share(turn: Turn) -> float:
        """How much of it a turn leaves.

        Args:
            turn: of the head.
        """
        return _left(turn, ANGLE, SHIFT)

    def add(self, turned: Turned, turn: Turn) -> None:
        """Adds to a picture what it has of the photo, in place.

        Args:
            turned: the picture.
            turn: of the head.
        """
        share = self.share(turn)
        here = self._box
        frame, place, person = (x[here] for x in (turned.frame, turned.place, turned.person))
        theirs = looked_up(self.missing.numpy(), place)
        # What the person has uncovered is nothing that the photo shows.
        thin = self._thin[here]
        thin_left = _left(turn, *LEFT)
        stays = share * (self.missing[here] - thin) + thin_left * thin
        rest = torch.minimum(1 - person, 1 - self.person[here]) * stays
        rest = rest + thin_left * self.beyond[here]
        found = frame + share * person * theirs + rest
        # It leads towards the photo, and not beyond what that has there.
        known = looked_up(self.photo.numpy(), place), self.photo[here], frame
        low, high = (one(one(*known[:2]), known[2]) for one in (torch.minimum, torch.maximum))
        frame.copy_(found.clamp(low, high))

    @cached_property
    def _thin(self) -> Float[Tensor, "H W 3"]:
        """Thin lines that are missing."""
        return self.missing - _broad(self.missing)

    @cached_property
    def _box(self) -> tuple[slice, slice]:
        """The part of the picture in which something is missing, with room for its motion."""
        size = torch.maximum(self.missing.abs(), self.beyond.abs()).amax(-1)
        spans = []
        for axis in (0, 1):
            some = torch.nonzero(size.amax(1 - axis) > LEAST)[:, 0]
            first, last = (int(some[0]), int(some[-1]) + 1) if len(some) else (0, 0)
            room = round(ROOM * (last - first))
            spans.append(slice(max(first - room, 0), last + room))
        return spans[0], spans[1]


def _left(turn: Turn, angle: tuple[float, float], shift: tuple[float, float]) -> float:
    """How much a turn leaves of what is given up between two angles, and two shifts."""
    sizes = torch.tensor(turn.angle), turn.shift.norm()
    left = [smoothstep(size, *ends[::-1]) for size, ends in zip(sizes, (angle, shift), strict=True)]
    return float(left[0] * left[1])


def _broad(missing: Float[Tensor, "H W 3"]) -> Float[Tensor, "H W 3"]:
    """What is missing, without thin lines."""
    import cv2

    size = missing.abs().amax(-1).numpy()
    opened = cv2.morphologyEx(size, cv2.MORPH_OPEN, np.ones((THIN, THIN), np.uint8))
    share = torch.from_numpy(opened / np.maximum(size, 1e-6))
    return missing * share[..., None]
