"""How far a fit may be believed: measured, warned of by name, and put into one number."""

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
