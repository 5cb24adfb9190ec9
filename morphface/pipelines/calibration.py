"""A camera that somebody calibrated: of this picture, upright, without distortion."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from morphface.core.errors import ParameterError
from morphface.exchange import camera_of
from morphface.geometry.camera import Camera
from morphface.geometry.focal import FocalLength
from morphface.geometry.intrinsics import Intrinsics
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.photo import UPRIGHT, Photo
from morphface.media.undistort import undistorted

__all__ = ["CameraSource", "Calibration", "check_camera", "lens_of"]

CameraSource = Camera | Intrinsics | str | Path
"""A pinhole camera; `Intrinsics`; their numbers as text, "fx,fy,cx,cy" and perhaps distortion; or a
`cameras.txt` of COLMAP or a `transforms.json`."""

_FILES = (".txt", ".json")


def check_camera(camera: CameraSource | None, focal: FocalLength | None) -> None:
    """Refuse a camera that is none, and one beside a focal length.

    Args:
        camera: as it was given.
        focal: the same.

    Raises:
        ParameterError: there are both, or the text is none of a camera.
    """
    if camera is not None and focal is not None:
        raise ParameterError("camera has a focal length of its own: leave out focal")
    if isinstance(camera, str) and not _is_file(camera):
        Intrinsics.parse(camera)


def lens_of(camera: CameraSource, picture: str, size: tuple[int, int]) -> Intrinsics:
    """The camera in numbers.

    Args:
        camera: as it was given.
        picture: its name, by which files know it.
        size: its height and width, for files that do not say.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no camera.
    """
    if isinstance(camera, Intrinsics):
        return camera
    if isinstance(camera, Camera):
        return Intrinsics.of(camera)
    if _is_file(camera):
        return camera_of(camera, picture, size)
    return Intrinsics.parse(str(camera))


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a picture and its landmarks become under the camera that took it.

    Args:
        lens: in pixels of the picture as it is shown.
        size: height and width of that.
    """

    lens: Intrinsics
    size: tuple[int, int]

    @classmethod
    def of(cls, camera: CameraSource, photo: Photo) -> "Calibration":
        """The calibration of a photo.

        Args:
            camera: that took it, in pixels as they are shown, or, where its size says so, as they
                are stored.
            photo: as it was read.

        Raises:
            MissingFileError: there is no such file.
            ParameterError: it is no camera, or not that of this photo.
        """
        lens = lens_of(camera, photo.source, photo.size)
        mirror, turns = UPRIGHT[photo.orientation]
        stored = photo.size[::-1] if turns % 2 else photo.size
        if lens.size == stored != photo.size:
            lens = lens.moved(stored, mirror, turns)
        return cls(lens.of_picture(photo.size), photo.size)

    def photo(self, photo: Photo) -> Photo:
        """The picture without distortion.

        Args:
            photo: as it was read.
        """
        return undistorted(photo, self.lens)

    def landmarks(self, faces: Sequence[Landmarks]) -> list[Landmarks]:
        """Landmarks that a file has, in pixels of the picture without distortion.

        Args:
            faces: in pixels of the picture as it was read.
        """
        if self.lens.straight:
            return list(faces)
        points = [self.lens.undistorted(face.points) for face in faces]
        return [
            replace(face, points=p, box=box_of(p[face.confidence > 0]))
            for face, p in zip(faces, points, strict=True)
        ]

    def camera(self, photo: Photo) -> Camera:
        """The pinhole camera of the picture without distortion.

        Args:
            photo: that picture, perhaps turned.
        """
        return self.lens.moved(self.size, False, photo.turns).camera(photo.size)


def _is_file(camera: str | Path) -> bool:
    return isinstance(camera, Path) or Path(camera).suffix.lower() in _FILES
