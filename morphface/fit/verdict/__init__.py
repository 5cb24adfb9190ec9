"""How far a fit may be believed: measured, warned of by name, and put into one number."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.fit.verdict.frames import (
        FRAME_WARNINGS,
        check_frame_kinds,
        frame_measures,
        frame_warnings,
        judge_track,
        refuse_frames,
        warned_frames,
    )
    from morphface.fit.verdict.judge import judge
    from morphface.fit.verdict.measures import Measures, measure
    from morphface.fit.verdict.people import PersonMeasures, person_quality
    from morphface.fit.verdict.record import WARNINGS, Verdict, Warned, check_kinds


__all__ = [
    "FRAME_WARNINGS",
    "WARNINGS",
    "Measures",
    "PersonMeasures",
    "Verdict",
    "Warned",
    "check_frame_kinds",
    "check_kinds",
    "frame_measures",
    "frame_warnings",
    "judge",
    "judge_track",
    "measure",
    "person_quality",
    "refuse_frames",
    "warned_frames",
]

_HOMES = {
    "FRAME_WARNINGS": "frames",
    "Measures": "measures",
    "PersonMeasures": "people",
    "Verdict": "record",
    "WARNINGS": "record",
    "Warned": "record",
    "check_frame_kinds": "frames",
    "check_kinds": "record",
    "frame_measures": "frames",
    "frame_warnings": "frames",
    "judge": "judge",
    "judge_track": "frames",
    "measure": "measures",
    "person_quality": "people",
    "refuse_frames": "frames",
    "warned_frames": "frames",
}

__getattr__ = lazy_names(__name__, _HOMES)
