"""From the parameters of one model to those of another that show the same face."""

from morphface.models.conversion.arkit import arkit_directions
from morphface.models.conversion.convert import Converted, arkit_weights, convert_parameters
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
