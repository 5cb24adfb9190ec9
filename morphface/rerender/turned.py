"""What layers of a person who has turned make: pictures, and where in the photo these are from."""

from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from morphface.rerender.lookup import steps
from morphface.rerender.mesh_layer import Drawn

__all__ = ["Nodes", "Seen", "Turned"]


@dataclass(frozen=True, eq=False)
class Turned:
    """A photo whose person has turned.

    Args:
        frame: the picture.
        trust: how far each pixel is to be trusted.
        place: where in the photo what each pixel shows of the person is.
        person: how far each pixel shows the person.
    """

    frame: Float[Tensor, "H W 3"]
    trust: Float[Tensor, "H W 1"]
    place: Float[Tensor, "H W 2"]
    person: Float[Tensor, "H W 1"]

    def under(self, mesh: Drawn) -> None:
        """Draws what is before the person over all this, in place.

        Args:
            mesh: of the head.
        """
        mesh.lay(self.frame, self.trust, mesh.over)
        mesh.locate(self.place, self.person)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen of a layer.

    Args:
        place: of each pixel in the photo.
        inwards: from there to where the rear's colour is taken from.
        share: how far it turns with the head.
        faded: how far it is left out.
        other: how far it has the colours of the rear.
        gain: logarithm of how many times brighter it becomes.
        cover: how far there is something.
    """

    place: Float[Tensor, "H W 2"]
    inwards: Float[Tensor, "H W 2"]
    share: Float[Tensor, "H W 1"]
    faded: Float[Tensor, "H W 1"]
    other: Float[Tensor, "H W 1"]
    gain: Float[Tensor, "H W 3"] | None
    cover: Float[Tensor, "H W 1"]

    @cached_property
    def step(self) -> Float[Tensor, "H W 1"]:
        """How far apart in the photo neighbouring pixels are."""
        return steps(self.place)


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a layer, turned.

    Args:
        points: in the camera frame.
        places: of them in the photo.
        inwards: from its place in the photo to where the colours of the rear are taken from.
        faded: how far it is left out.
        gain: logarithm of how many times brighter it becomes; None is as it was.
        share: how far each turns with the head; None is not asked for.
        other: how far it has the colours of the rear; None is wholly.
    """

    points: Float[Tensor, "R C 3"]
    places: Float[Tensor, "R C 2"]
    inwards: Float[Tensor, "R C 2"]
    faded: Float[Tensor, "R C"]
    gain: Float[Tensor, "R C 3"] | None
    share: Float[Tensor, "R C"] | None = None
    other: Float[Tensor, "R C"] | None = None
