"""Faces found from their parts, and MediaPipe's landmarks at those.

The parts say where a face is and how it is turned, however many there are and whoever covers whom.
MediaPipe's landmark network, which needs a box, is then asked there; where it knows nothing, as in
full profile, or says something else, the five points of the parts stay.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.landmarks.boxes import area, largest_first
from morphface.landmarks.parts.files import load_parts
from morphface.landmarks.parts.find import SIDES, PartsFace, find_parts
from morphface.landmarks.parts.network import PartsNetwork
from morphface.landmarks.parts.settings import AssemblySettings
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import NOSE_AND_MOUTH, to_scheme
from morphface.landmarks.unseen import follow_mesh
from morphface.media.images import Photo

__all__ = ["PartsDetector", "five_of_parts"]

_WITNESS = 0.12
"""Mean distance of MediaPipe's points from the parts, in sizes of the box, from which it is wrong:
as for YuNet's points."""
_FIVE = (68, 69, *NOSE_AND_MOUTH)
"""Pupils, tip of the nose and corners of the mouth among the points of the parts."""


class PartsDetector:
    """Finds faces from below: parts first, then whose they are.

    Args:
        network: of parts: a run of `morphface train parts`, its file, or what `load_parts` read.
        settings: thresholds of the assembly; None takes the defaults.
        sides: longer sides at which a picture is looked at, in pixels.
        mesh: whether MediaPipe's landmark network is asked at each face; else all have five points.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it is no network of parts.
    """

    def __init__(
        self,
        network: str | Path | PartsNetwork,
        *,
        settings: AssemblySettings | None = None,
        sides: tuple[int, ...] = SIDES,
        mesh: bool = True,
    ) -> None:
        self._network = network if isinstance(network, PartsNetwork) else load_parts(network)
        self._settings, self._sides, self._mesh = settings, sides, mesh

    def parts(self, photo: Photo) -> list[PartsFace]:
        """The parts of each face in `photo`, the surest face first.

        Args:
            photo: any picture.
        """
        pixels = photo.to_uint8().cpu().numpy()
        return find_parts(pixels, self._network, self._settings, sides=self._sides)

    def detect(self, photo: Photo) -> list[Landmarks]:
        """The landmarks of each face in `photo`, the largest face first.

        Of the scheme "478" where MediaPipe's network agrees with the parts, else "5", with
        confidence 0 for those of the five that were not seen.

        Args:
            photo: any picture.
        """
        found = self.parts(photo)
        photo = Photo(photo.to_uint8(), source=photo.source)
        return largest_first(self._landmarks(photo, face) for face in found)

    def _landmarks(self, photo: Photo, face: PartsFace) -> Landmarks:
        across = face.pose.turn[:2, 0]
        tilt = 0.0 if abs(across[0]) < 1e-3 else float(np.arctan(-across[1] / across[0]))
        mesh = follow_mesh(photo, face.box, tilt) if self._mesh else None
        return mesh if mesh is not None and _agree(mesh, face) else five_of_parts(face)


def five_of_parts(face: PartsFace) -> Landmarks:
    """Centres of the eyes, tip of the nose and corners of the mouth, as of the scheme "5".

    Args:
        face: of parts; of those that it lacks the confidence is 0.
    """
    rows = [face.graph.part(point) for point in _FIVE]
    points = face.points[rows]
    sure = face.confidence[rows].clip(0, 1)
    seen = points[sure > 0]
    middle = seen.mean(axis=0) if len(seen) else np.array(face.box).reshape(2, 2).mean(axis=0)
    points = np.where(sure[:, None] > 0, points, middle)
    return Landmarks(_tensor(points), "5", _tensor(sure), face.box)


def _agree(mesh: Landmarks, face: PartsFace) -> bool:
    """Whether MediaPipe's points are where the parts were seen."""
    known = to_scheme(mesh, "68").points.numpy()
    rows = [
        (part, point)
        for part, point in enumerate(face.graph.points)
        if point < len(known) and face.confidence[part] > 0
    ]
    if not rows:
        return False
    parts, points = (list(each) for each in zip(*rows, strict=True))
    away = np.linalg.norm(face.points[parts] - known[points], axis=-1).mean()
    return bool(away < _WITNESS * max(area(face.box), 1e-6) ** 0.5)


def _tensor(values: Float[np.ndarray, "..."]) -> Float[Tensor, "..."]:
    return torch.from_numpy(values).float()
