"""Parameters in, parameters out: editing by name, blending, and transfer between people."""

from morphface.edit.light import Light, lamp, light_direction
from morphface.edit.presets import ARKIT_NAMES, PRESETS, mirrored, preset
from morphface.edit.sliders import edit

__all__ = [
    "ARKIT_NAMES",
    "PRESETS",
    "Light",
    "edit",
    "lamp",
    "light_direction",
    "mirrored",
    "preset",
]
