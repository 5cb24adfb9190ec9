"""From a photo or a video to files: wiring only, each step is a function of another package."""

from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.pipelines.photo import fit_photo
from morphface.pipelines.reconstruct import reconstruct
from morphface.pipelines.reconstruct_together import reconstruct_together
from morphface.pipelines.together import FittedPhotos, fit_photos
from morphface.pipelines.tracking import track_video

__all__ = [
    "FittedFace",
    "FittedPhoto",
    "FittedPhotos",
    "fit_photo",
    "fit_photos",
    "reconstruct",
    "reconstruct_together",
    "track_video",
]
