"""Parameters and tracks: a head, or a filmstrip of heads with the curves of their expressions."""

from morphface.core.errors import MissingDependencyError
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.parameters.track import STATES, Track
from morphface.show.cards import Card
from morphface.show.heads import draw_heads, guessed_model
from morphface.show.pictures import Picture, evenly, sheet
from morphface.show.words import Rows, parameter_rows

__all__ = ["STRIP", "parameters_card", "strip", "track_card"]

STRIP = 7
"""Heads of a filmstrip."""
HEAD, SMALL = 320, 88


def parameters_card(parameters: FaceParameters) -> Card:
    """The head, or a filmstrip with curves; only numbers if the model is not known."""
    model, frames = guessed_model(parameters), parameters.frames
    title = "FaceParameters" + (f", {frames} frames" if frames != 1 else "")
    rows = parameter_rows(parameters, model)
    if model is None or frames == 0:
        return Card(title, (*rows, ("picture", "none: the model is not known")))
    rows = (*rows, ("drawn on", f"{model.name}, whose sizes they have"))
    return Card(
        title, rows, lambda: _picture(parameters, model, parameters), "head with the parameters"
    )


def track_card(track: Track) -> Card:
    """A filmstrip with curves, and how much of the track is measured."""
    model = guessed_model(track.parameters)
    rows = (*_track_rows(track), *parameter_rows(track.parameters, model))
    title = f"Track, {track.frames} frames"
    if model is None or track.frames == 0:
        return Card(title, (*rows, ("picture", "none: the model is not known")))
    return Card(
        title, rows, lambda: _picture(track, model, track.parameters), "heads over the track"
    )


def strip(parameters: FaceParameters, model: MorphableModel, count: int = STRIP) -> Picture:
    """Heads of frames spread from the first to the last, side by side."""
    chosen = evenly(parameters.frames, count)
    return sheet([draw_heads(parameters, model, SMALL, frames=chosen)], gap=0)


def _picture(
    value: FaceParameters | Track, model: MorphableModel, parameters: FaceParameters
) -> Picture:
    if parameters.frames == 1:
        return draw_heads(parameters, model, HEAD)[0]
    heads = strip(parameters, model)
    curves = _curves(value, model, heads.width)
    return heads if curves is None else sheet([[heads], [curves]], gap=0)


def _curves(value: FaceParameters | Track, model: MorphableModel, width: int) -> Picture | None:
    """The curves of the most moving expressions; None without matplotlib."""
    from morphface.show.plots import expression_picture

    try:
        return expression_picture(value, model, width)
    except MissingDependencyError:
        return None


def _track_rows(track: Track) -> Rows:
    counts = [(track.count(s), w) for s, w in enumerate(STATES)]
    said = ", ".join(f"{count} {words}" for count, words in counts if count) or "none"
    rows = [("frames", said)]
    if track.frames:
        rows.append(("time", f"{float(track.times[0]):.2f} to {float(track.times[-1]):.2f} s"))
    error = track.landmark_nme[track.landmark_nme.isfinite()]
    if len(error):
        rows.append(("landmark error", f"{100 * float(error.mean()):.2f} % of the eye distance"))
    height, width = track.camera.size
    return (*rows, ("picture size", f"{width} x {height}"))
