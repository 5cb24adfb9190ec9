"""Landmarks and pictures in, parameters and a camera out."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.analysis import (
        PhotometricResult,
        PhotometricSettings,
        Stage,
        fit_photometric,
    )
    from morphface.fit.detail import DetailSettings, align_faces, fit_detail
    from morphface.fit.fitted import FittedFace, FittedPhoto
    from morphface.fit.linear import LinearSettings, fit_linear
    from morphface.fit.shared.result import FitResult
    from morphface.fit.texture import HeadTexture, PhotoOfHead, texture_from_photos
    from morphface.fit.texture.faces import head_texture, head_texture_from_photos
    from morphface.fit.video import (
        TrackCollector,
        TrackedFace,
        TrackedFrame,
        VideoSettings,
        fit_video,
        track_people,
    )
    from morphface.fit.video.smoothing import SmoothingSettings, smooth


__all__ = [
    "DetailSettings",
    "FitResult",
    "FittedFace",
    "FittedPhoto",
    "HeadTexture",
    "LinearSettings",
    "PhotoOfHead",
    "PhotometricResult",
    "PhotometricSettings",
    "SmoothingSettings",
    "Stage",
    "TrackCollector",
    "TrackedFace",
    "TrackedFrame",
    "VideoSettings",
    "align_faces",
    "fit_detail",
    "fit_linear",
    "fit_photometric",
    "fit_video",
    "head_texture",
    "head_texture_from_photos",
    "smooth",
    "texture_from_photos",
    "track_people",
]


_HOMES = {
    "DetailSettings": "detail",
    "FitResult": "shared.result",
    "FittedFace": "fitted",
    "FittedPhoto": "fitted",
    "HeadTexture": "texture",
    "LinearSettings": "linear",
    "PhotoOfHead": "texture",
    "PhotometricResult": "analysis",
    "PhotometricSettings": "analysis",
    "SmoothingSettings": "video.smoothing",
    "Stage": "analysis",
    "TrackCollector": "video",
    "TrackedFace": "video",
    "TrackedFrame": "video",
    "VideoSettings": "video",
    "align_faces": "detail",
    "fit_detail": "detail",
    "fit_linear": "linear",
    "fit_photometric": "analysis",
    "fit_video": "video",
    "head_texture": "texture.faces",
    "head_texture_from_photos": "texture.faces",
    "smooth": "video.smoothing",
    "texture_from_photos": "texture",
    "track_people": "video",
}

__getattr__ = lazy_names(__name__, _HOMES)
