"""The texture of a head from photos of it: seen parts de-lit, the rest completed."""

from morphface.fit.texture.head import HeadTexture, texture_from_photos
from morphface.fit.texture.photo import PhotoOfHead

__all__ = ["HeadTexture", "PhotoOfHead", "texture_from_photos"]
