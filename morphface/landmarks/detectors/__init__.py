"""Who finds landmarks in a picture: one protocol, and adapters that are imported when used."""

from typing import Protocol, runtime_checkable

from morphface.landmarks.points import Landmarks
from morphface.media.images import Photo

__all__ = ["LandmarkDetector"]


@runtime_checkable
class LandmarkDetector(Protocol):
    """Finds faces in one picture, upright as it is given."""

    def detect(self, photo: Photo) -> list[Landmarks]:
        """The landmarks of each face in `photo`, the largest face first."""
        ...
