"""From the parameters of one model to those of another that show the same face."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.models.conversion.arkit import arkit_directions, arkit_weights
    from morphface.models.conversion.convert import Converted, convert_parameters
    from morphface.models.conversion.correspondence import (
        Correspondence,
        find_correspondence,
        read_correspondence,
        save_correspondence,
    )


__all__ = [
    "Converted",
    "Correspondence",
    "arkit_directions",
    "arkit_weights",
    "convert_parameters",
    "find_correspondence",
    "read_correspondence",
    "save_correspondence",
]

_HOMES = {
    "Converted": "convert",
    "Correspondence": "correspondence",
    "arkit_directions": "arkit",
    "arkit_weights": "arkit",
    "convert_parameters": "convert",
    "find_correspondence": "correspondence",
    "read_correspondence": "correspondence",
    "save_correspondence": "correspondence",
}

__getattr__ = lazy_names(__name__, _HOMES)
