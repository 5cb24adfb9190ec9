"""What a dataset shows: how many frames, which poses, which expressions.

Sums and extremes of each sequence are kept, so that those of a dataset follow without reading it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from morphface.geometry.angles import rotvec_to_angles
from morphface.models import MorphableModel
from morphface.parameters import LOST, STATES, Track
from morphface.pipelines.prepare.unit import Outcome

__all__ = ["of_track", "summed"]

_ANGLES = ("yaw", "pitch", "roll")
_DIGITS = 4
_REASONS = ("lost_because", "warnings", "left_out")
"""What sequences say of their frames: why there is no sample, or what is odd about it."""

Spread = list[int | float]
"""Count, mean, least and greatest of some values."""


def of_track(model: MorphableModel, track: Track) -> dict[str, Any]:
    """Frames by state, quality, poses in degrees and expressions of one person.

    Args:
        model: that the parameters belong to.
        track: of the person; lost frames count as lost and for nothing else.
    """
    seen = track.parameters.map(
        lambda value: value[track.states != LOST] if len(value) > 1 else value
    )
    angles = torch.rad2deg(rotvec_to_angles(seen.rotation)).double().numpy()
    weights = seen.expression.double().numpy()
    return {
        "frames": {name: track.count(state) for state, name in enumerate(STATES)},
        "quality": _spread(np.array([] if track.quality is None else [track.quality])),
        "pose": {name: _spread(angles[:, k]) for k, name in enumerate(_ANGLES)},
        "expression": {
            name: _spread(weights[:, k]) for k, name in enumerate(model.expression.names)
        },
    }


def summed(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The statistics of a dataset, from those of its clips.

    Args:
        outcomes: of each clip.
    """
    found = list(outcomes)
    people = [sequence["statistics"] for outcome in found for sequence in outcome.sequences]
    counts = {
        state: sum(outcome.outcome == state for outcome in found)
        for state in ("prepared", "skipped", "duplicate", "died")
    }
    broken = Counter(outcome.rule for outcome in found if outcome.rule)
    return {
        "clips": counts,
        "rejected_because": dict(sorted(broken.items())),
        "sequences": len(people),
        "frames": {name: sum(person["frames"][name] for person in people) for name in STATES},
        **{name: _counted(found, name) for name in _REASONS},
        "quality": _merge([person["quality"] for person in people if "quality" in person]),
        "pose": _merged([person["pose"] for person in people]),
        "expression": _merged([person["expression"] for person in people]),
    }


def _counted(outcomes: list[Outcome], name: str) -> dict[str, int]:
    """Frames of all sequences by what was noted of them."""
    total: Counter[str] = Counter()
    for outcome in outcomes:
        for sequence in outcome.sequences:
            total.update(sequence.get(name, {}))
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def _spread(values: np.ndarray) -> Spread:
    """Count, mean, least and greatest."""
    if not len(values):
        return [0, 0.0, 0.0, 0.0]
    numbers = (float(values.mean()), float(values.min()), float(values.max()))
    return [len(values), *(round(number, _DIGITS) for number in numbers)]


def _merged(tables: Sequence[dict[str, Spread]]) -> dict[str, Spread]:
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: _merge([table[name] for table in tables if name in table]) for name in names}


def _merge(rows: Sequence[Spread]) -> Spread:
    rows = [row for row in rows if row[0]]
    total = sum(row[0] for row in rows)
    if not total:
        return [0, 0.0, 0.0, 0.0]
    mean = sum(row[0] * row[1] for row in rows) / total
    return [total, round(mean, _DIGITS), min(row[2] for row in rows), max(row[3] for row in rows)]
