"""Which values are shown, and how: the way up from `core/display.py`."""

from collections.abc import Callable
from importlib import import_module

from morphface.core.display import Painting
from morphface.show.cards import Card, painted

__all__ = ["paint"]

_HOMES = {
    "FaceParameters": "faces:parameters_card",
    "Track": "faces:track_card",
    "MorphableModel": "models:model_card",
    "MapSet": "maps:maps_card",
    "FitResult": "fits:fit_card",
    "PhotometricResult": "fits:pixels_card",
    "FittedFace": "fits:face_card",
    "FittedPhoto": "fits:photo_card",
    "FittedPhotos": "fits:photos_card",
}


def paint(value: object) -> Painting | None:
    """A value with its picture and its table, or None if it is of no class that is shown.

    Args:
        value: of a class that is shown, or derived from one.
    """
    homes = [_HOMES[kind.__name__] for kind in type(value).__mro__ if kind.__name__ in _HOMES]
    if not homes:
        return None
    module, name = homes[0].split(":")
    card: Callable[[object], Card] = getattr(import_module(f"morphface.show.{module}"), name)
    return painted(card(value))
