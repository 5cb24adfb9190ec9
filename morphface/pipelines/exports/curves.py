"""Curves of other programs as tracks, which drive people here."""

from pathlib import Path
from typing import Any

from morphface.core.errors import ParameterError
from morphface.exchange import read_arkit_json, read_live_link, track_of_curves
from morphface.models import load_model
from morphface.parameters import save_track
from morphface.pipelines.exports.source import IMPORTED

__all__ = ["import_curves"]


def import_curves(
    source: str | Path,
    out: str | Path | None = None,
    *,
    model: str | Path = "open-head",
    rate: float | None = None,
    degrees: bool | None = None,
) -> dict[str, Any]:
    """Make a track of curves of ARKit, which can drive anybody: `transfer`, `reenact`.

    Args:
        source: a recording of Live Link Face (.csv), or curves that `export` wrote (.json).
        out: the track to write; None: beside the source, with the ending .npz.
        model: name or path of the model that the track is for.
        rate: frames a second that the timecodes of a recording count in; None tells it by them.
        degrees: whether the angles of a recording are in degrees; None tells it by their range.

    Returns:
        The path, the number of frames, the duration, and notes of what was decided.

    Raises:
        MissingFileError: the source is not there.
        ParameterError: it has other content, or is damaged.
        ModelError: there is no such model.
        OutputError: the track cannot be written.
    """
    place = Path(source)
    notes: list[str] = []
    if place.suffix.lower() == ".json":
        curves = read_arkit_json(place)
    elif place.suffix.lower() == ".csv":
        curves, notes = read_live_link(place, rate=rate, degrees=degrees)
    else:
        raise ParameterError(
            f"{place.name!r} must be a recording of Live Link Face (.csv) or curves (.json)"
        )
    head = load_model(model)
    target = place.with_suffix(".npz") if out is None else Path(out)
    extra = {IMPORTED: place.name, "notes": notes}
    save_track(target, track_of_curves(curves, head), model=head.name, extra=extra)
    seconds = round(float(curves.times[-1] - curves.times[0]), 3)
    return {"path": str(target), "frames": curves.frames, "seconds": seconds, "notes": notes}
