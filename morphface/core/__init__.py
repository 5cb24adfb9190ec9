"""Errors, argument checks and records: what every other package stands on."""

from morphface.core.errors import *  # noqa: F403  their names are listed there
from morphface.core.errors import __all__

__all__ = [*__all__]
