"""Landmarks and pictures in, parameters and a camera out."""

from morphface.fit.analysis import PhotometricResult, PhotometricSettings, Stage, fit_photometric
from morphface.fit.linear import LinearSettings, fit_linear
from morphface.fit.shared.result import FitResult

__all__ = [
    "FitResult",
    "LinearSettings",
    "PhotometricResult",
    "PhotometricSettings",
    "Stage",
    "fit_linear",
    "fit_photometric",
]
