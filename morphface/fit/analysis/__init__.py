"""Analysis by synthesis: the parameters of a face from its pixels."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.analysis.photometric import fit_photometric
    from morphface.fit.analysis.result import PhotometricResult
    from morphface.fit.analysis.settings import GROUPS, PhotometricSettings, Stage


__all__ = ["GROUPS", "PhotometricResult", "PhotometricSettings", "Stage", "fit_photometric"]

_HOMES = {
    "GROUPS": "settings",
    "PhotometricResult": "result",
    "PhotometricSettings": "settings",
    "Stage": "settings",
    "fit_photometric": "photometric",
}

__getattr__ = lazy_names(__name__, _HOMES)
