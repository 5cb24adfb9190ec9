"""What analysis by synthesis returns: parameters, how well they explain the pixels, a verdict."""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from morphface.core.display import Displayed
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.landmarks.points import Landmarks
from morphface.parameters import FaceParameters

__all__ = ["PhotometricResult"]


@dataclass(frozen=True, eq=False)
class PhotometricResult(Record, Displayed):
    """One person, fitted to the pixels of T photos.

    Args:
        parameters: identity and reflectance of the person, the rest for each photo.
        cameras: that took the photos, as far as the face tells.
        landmarks: the detected ones.
        predicted: where the fitted face has them, in pixels.
        landmark_nme: their mean distance, as in `FitResult`.
        photometric_rmse: root-mean-square difference of colour over the face where it is not
            hidden, for each photo; photos are in [0, 1].
        energies: each term of the energy at the end.
        history: total energy after each step; the energies of different stages, and of different
            draws of pixels, are not on one scale.
        albedo: of the vertices, as fitted: that of the components, and what the photos show of the
            skin beyond them. Components of a model without reflectance are borrowed.
        iterations: steps that were made.
        occlusion: how likely each pixel of a photo shows something before the face, 0 to 1.
        gain: of each photo's channels beyond what light can explain.
        grey: whether a photo was compared by its luminance alone.
        converged: whether the fit may be trusted.
        reason: why not; empty when it may.
        reasons: why each photo's part may not be trusted; empty for those that may.
        fine: the albedo at the vertices of the model's `fine_mesh`, in half precision, with brows,
            wrinkles and freckles; None where they were not looked for.
    """

    parameters: FaceParameters
    cameras: tuple[Camera, ...]
    landmarks: tuple[Landmarks, ...]
    predicted: tuple[Float[Tensor, "N 2"], ...]
    landmark_nme: tuple[float, ...]
    photometric_rmse: tuple[float, ...]
    energies: dict[str, float]
    history: tuple[float, ...]
    albedo: Float[Tensor, "V 3"]
    iterations: int
    occlusion: tuple[Float[Tensor, "H W"], ...]
    gain: Float[Tensor, "T 3"]
    grey: tuple[bool, ...]
    converged: bool
    reason: str
    reasons: tuple[str, ...] = ()
    fine: Float[Tensor, "W 3"] | None = None

    def of_photo(self, number: int) -> "PhotometricResult":
        """What was found for one photo; energies and history stay those of all.

        Args:
            number: of the photo, from 0.
        """
        one, reason = slice(number, number + 1), self.reasons[number]
        return replace(
            self,
            parameters=self.parameters[number],
            cameras=self.cameras[one],
            landmarks=self.landmarks[one],
            predicted=self.predicted[one],
            landmark_nme=self.landmark_nme[one],
            photometric_rmse=self.photometric_rmse[one],
            occlusion=self.occlusion[one],
            gain=self.gain[one],
            grey=self.grey[one],
            converged=not reason,
            reason=reason,
            reasons=(reason,),
        )
