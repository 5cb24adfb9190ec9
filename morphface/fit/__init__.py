"""Landmarks and pictures in, parameters and a camera out."""

from morphface.fit.analysis import PhotometricResult, PhotometricSettings, Stage, fit_photometric
from morphface.fit.linear import fit_linear
from morphface.fit.result import FitResult
from morphface.fit.settings import LinearSettings

__all__ = [
    "FitResult",
    "LinearSettings",
    "PhotometricResult",
    "PhotometricSettings",
    "Stage",
    "fit_linear",
    "fit_photometric",
]
