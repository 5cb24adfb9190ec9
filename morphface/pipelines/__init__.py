"""From a photo or a video to files: wiring only, each step is a function of another package."""

from morphface.pipelines.photo import FittedFace, FittedPhoto, fit_photo
from morphface.pipelines.reconstruct import reconstruct
from morphface.pipelines.tracking import track_video

__all__ = ["FittedFace", "FittedPhoto", "fit_photo", "reconstruct", "track_video"]
