"""A photo and the faces that were fitted to it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.display import Displayed
from morphface.fit.analysis import PhotometricResult
from morphface.fit.shared.result import FitResult
from morphface.fit.verdict.record import Verdict
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.focal import FocalLength
from morphface.media.images import Photo
from morphface.models import MorphableModel, fine_mesh
from morphface.parameters import FaceParameters
from morphface.render import FineColours
from morphface.render.detail import Detail

__all__ = ["FittedFace", "FittedPhoto"]


@dataclass(frozen=True, eq=False)
class FittedFace(Displayed):
    """One face of a photo.

    Args:
        fit: what the landmarks say.
        model: that the parameters belong to.
        seconds: how long each step took.
        pixels: what the pixels say, which then counts; None if they were not asked.
        verdict: how far the fit may be believed; None where nobody judged it.
        detail: relief that is finer than the model; None where nobody looked for it.
    """

    fit: FitResult
    model: MorphableModel
    seconds: dict[str, float]
    pixels: PhotometricResult | None = None
    verdict: Verdict | None = None
    detail: Detail | None = None

    @property
    def parameters(self) -> FaceParameters:
        """What was fitted."""
        return self.fit.parameters if self.pixels is None else self.pixels.parameters

    @property
    def camera(self) -> Camera:
        """The camera that took the photo, as far as the face tells."""
        return self.fit.camera if self.pixels is None else self.pixels.cameras[0]

    @property
    def predicted(self) -> Float[Tensor, "N 2"]:
        """Where the fitted face has the landmarks, in pixels."""
        return self.fit.predicted if self.pixels is None else self.pixels.predicted[0]

    @property
    def landmark_nme(self) -> float:
        """Landmark error of what was fitted, as in `FitResult`."""
        return self.fit.landmark_nme if self.pixels is None else self.pixels.landmark_nme[0]

    @property
    def converged(self) -> bool:
        """Whether the fit may be trusted."""
        if self.verdict is not None:
            return self.verdict.converged
        return self.fit.converged if self.pixels is None else self.pixels.converged

    @property
    def reason(self) -> str:
        """Why not; empty when it may."""
        if self.verdict is not None:
            return self.verdict.reason
        return self.fit.reason if self.pixels is None else self.pixels.reason

    @property
    def pose_degrees(self) -> dict[str, float]:
        """Yaw, pitch and roll in degrees, turned in that order; see `geometry.angles`."""
        angles = rotvec_to_angles(self.parameters.rotation[0])
        return dict(zip(("yaw", "pitch", "roll"), torch.rad2deg(angles).tolist(), strict=True))

    def albedo(self) -> Float[Tensor, "V 3"]:
        """The fitted reflectance per vertex; the mean where no pixels were asked.

        Raises:
            ModelError: no pixels were asked, and the model has no reflectance.
        """
        if self.pixels is not None:
            return self.pixels.albedo
        return self.model.albedo(self.parameters.reflectance)[0]

    def fine_albedo(self) -> FineColours:
        """The fitted reflectance as finely as it is known: with brows, wrinkles and freckles.

        Raises:
            ModelError: no pixels were asked, and the model has no reflectance.
        """
        mesh = fine_mesh(self.model)
        if self.pixels is not None and self.pixels.fine is not None:
            return FineColours(mesh, self.pixels.fine.float())
        return FineColours(mesh, mesh.spread(self.albedo()))

    def vertices(self) -> Float[Tensor, "V 3"]:
        """The fitted head in the model frame, in millimetres."""
        face = self.parameters
        return self.model.vertices(face.identity, face.expression, face.gaze)[0]

    def vertices_in_camera(self) -> Float[Tensor, "V 3"]:
        """The fitted head in the camera frame, in millimetres."""
        face = self.parameters
        return to_camera(self.vertices(), face.rotation[0], face.translation[0])


@dataclass(frozen=True, eq=False)
class FittedPhoto(Displayed):
    """The faces of a photo.

    Args:
        photo: turned so that its faces are upright.
        faces: those asked for.
        focal: the focal length that was given, as it was given; None if none was.
    """

    photo: Photo
    faces: tuple[FittedFace, ...]
    focal: FocalLength | None = None
