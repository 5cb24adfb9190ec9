"""What a fit returns: parameters, camera, and how far they may be trusted."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from morphface.core.display import Displayed
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.landmarks.points import Landmarks
from morphface.parameters import FaceParameters

__all__ = ["FitResult"]


@dataclass(frozen=True, eq=False)
class FitResult(Record, Displayed):
    """One fitted face.

    Args:
        parameters: one frame; illumination is zero, and so is reflectance, which landmarks do
            not show.
        camera: the camera that took the picture, as far as the face tells.
        landmarks: what was fitted to.
        predicted: where the fitted face has the landmarks, in pixels.
        landmark_nme: mean distance between detected and predicted landmarks, over all points
            that detector and embedding both have, irises included where the model has eyes,
            divided by the distance between the detected outer eye corners (predicted ones where
            they are absent; half the extent of the points for schemes without eyes).
        converged: whether the fit may be trusted.
        reason: why not; empty when it may.
        history: weighted root-mean-square residual of the landmarks after each step, in
            pixels.
        identity_precision: inverse covariance of the identity's coefficients, given the landmarks
            and the prior N(0, 1); None where it is not known.
    """

    parameters: FaceParameters
    camera: Camera
    landmarks: Landmarks
    predicted: Float[Tensor, "N 2"]
    landmark_nme: float
    converged: bool
    reason: str
    history: tuple[float, ...]
    identity_precision: Float[Tensor, "I I"] | None = None

    @property
    def residuals(self) -> Float[Tensor, "N 2"]:
        """From each detected landmark to the predicted one, in pixels."""
        return self.predicted - self.landmarks.points
