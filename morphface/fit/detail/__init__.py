"""Detail from shading: relief on a fitted face that is finer than its model, without training."""

from morphface.core.doors import lazy_names

__all__ = ["DetailSettings", "align_faces", "fit_detail"]

_HOMES = {"DetailSettings": "settings", "align_faces": "together", "fit_detail": "fit"}

__getattr__ = lazy_names(__name__, _HOMES)
