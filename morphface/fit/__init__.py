"""Landmarks and pictures in, parameters and a camera out."""

from morphface.fit.linear import fit_linear
from morphface.fit.result import FitResult
from morphface.fit.settings import LinearSettings

__all__ = ["FitResult", "LinearSettings", "fit_linear"]
