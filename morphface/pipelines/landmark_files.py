"""The landmarks of fitted faces in the file of another program."""

from collections.abc import Sequence
from pathlib import Path

from morphface.fit.fitted import FittedFace
from morphface.landmarks.parts import write_openpose
from morphface.landmarks.placing import turned_back
from morphface.media.images import Photo
from morphface.pipelines.wishes import OPENPOSE

__all__ = ["write_landmarks"]


def write_landmarks(folder: Path, faces: Sequence[FittedFace], photo: Photo) -> None:
    """Write `openpose.json`: the landmarks that were found, not those of the fit.

    They are in pixels of the picture as it is shown, though it was turned for the fit; where its
    lens was undistorted for that, they are those without distortion.

    Args:
        folder: where to.
        faces: of a photo.
        photo: that they were fitted to.

    Raises:
        OutputError: the file cannot be written there.
    """
    found = [turned_back(face.fit.landmarks, photo.size, photo.turns) for face in faces]
    write_openpose(folder / OPENPOSE, found)
