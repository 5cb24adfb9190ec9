"""Parameters in, parameters out: editing by name, blending, and transfer between people.

The room can be called: `morphface.edit(...)` is `morphface.edit.edit(...)`.
"""

import sys
from types import ModuleType
from typing import Any

from morphface.edit.between import interpolate
from morphface.edit.light import Light, lamp, light_direction
from morphface.edit.motion import transfer
from morphface.edit.pose import turned_to
from morphface.edit.presets import ARKIT_NAMES, PRESETS, mirrored, preset
from morphface.edit.rest import closest_frame, neutral
from morphface.edit.settings import MODES, Rule, TransferSettings
from morphface.edit.sliders import edit
from morphface.edit.speaking import Manner, speech_curves, speech_to_motion

__all__ = [
    "ARKIT_NAMES",
    "MODES",
    "PRESETS",
    "Light",
    "Manner",
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
    "speech_curves",
    "speech_to_motion",
    "transfer",
    "turned_to",
]


class _Room(ModuleType):
    """This module, which is also the function of its name, for `morphface.edit`."""

    def __call__(self, *arguments: Any, **changes: Any) -> Any:
        return edit(*arguments, **changes)


sys.modules[__name__].__class__ = _Room
