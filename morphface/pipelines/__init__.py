"""From a photo to files: wiring only, each step is a function of another package."""

from morphface.pipelines.photo import FittedFace, FittedPhoto, fit_photo
from morphface.pipelines.reconstruct import reconstruct

__all__ = ["FittedFace", "FittedPhoto", "fit_photo", "reconstruct"]
