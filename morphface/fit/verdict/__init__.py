"""How far a fit may be believed: measured, warned of by name, and put into one number."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.verdict.frames import frame_warnings, warned_frames
    from morphface.fit.verdict.judge import judge
    from morphface.fit.verdict.measures import Measures, measure
    from morphface.fit.verdict.record import WARNINGS, Verdict, Warned, check_kinds


__all__ = [
    "WARNINGS",
    "Measures",
    "Verdict",
    "Warned",
    "check_kinds",
    "frame_warnings",
    "judge",
    "measure",
    "warned_frames",
]

_HOMES = {
    "Measures": "measures",
    "Verdict": "record",
    "WARNINGS": "record",
    "Warned": "record",
    "check_kinds": "record",
    "frame_warnings": "frames",
    "judge": "judge",
    "measure": "measures",
    "warned_frames": "frames",
}

__getattr__ = lazy_names(__name__, _HOMES)
