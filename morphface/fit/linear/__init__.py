"""The linear stage: the parameters of a face from its landmarks."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.linear.fit import fit_linear
    from morphface.fit.linear.settings import LinearSettings


__all__ = ["LinearSettings", "fit_linear"]

_HOMES = {
    "LinearSettings": "settings",
    "fit_linear": "fit",
}

__getattr__ = lazy_names(__name__, _HOMES)
