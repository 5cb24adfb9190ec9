"""Parameters in, parameters out: editing by name, blending, and transfer between people."""

from morphface.edit.between import interpolate
from morphface.edit.light import Light, lamp, light_direction
from morphface.edit.motion import transfer
from morphface.edit.pose import turned_to
from morphface.edit.presets import ARKIT_NAMES, PRESETS, mirrored, preset
from morphface.edit.rest import closest_frame, neutral
from morphface.edit.settings import MODES, Rule, TransferSettings
from morphface.edit.sliders import edit

__all__ = [
    "ARKIT_NAMES",
    "MODES",
    "PRESETS",
    "Light",
    "Rule",
    "TransferSettings",
    "closest_frame",
    "edit",
    "interpolate",
    "lamp",
    "light_direction",
    "mirrored",
    "neutral",
    "preset",
    "transfer",
    "turned_to",
]
