"""The linear stage: the parameters of a face from its landmarks."""

from morphface.fit.linear.fit import fit_linear
from morphface.fit.linear.settings import LinearSettings

__all__ = ["LinearSettings", "fit_linear"]
