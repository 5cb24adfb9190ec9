"""The texture of a head from photos of it: seen parts de-lit, the rest completed."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.texture.head import HeadTexture, texture_from_photos
    from morphface.fit.texture.photo import PhotoOfHead


__all__ = ["HeadTexture", "PhotoOfHead", "texture_from_photos"]

_HOMES = {
    "HeadTexture": "head",
    "PhotoOfHead": "photo",
    "texture_from_photos": "head",
}

__getattr__ = lazy_names(__name__, _HOMES)
