"""Analysis by synthesis: the parameters of a face from its pixels."""

from morphface.fit.analysis.photometric import fit_photometric
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.analysis.settings import GROUPS, PhotometricSettings, Stage

__all__ = ["GROUPS", "PhotometricResult", "PhotometricSettings", "Stage", "fit_photometric"]
