"""Whether an eye of a photo is closed, and what closes and opens it in a mesh."""

from dataclasses import replace

from morphface.edit.weights import full_expression
from morphface.parameters import FaceParameters
from morphface.rerender.eye_place import RINGS, EyePlace
from morphface.rerender.lid_lines import lids_apart
from morphface.rerender.looks import Look
from morphface.rerender.ring_axes import RingAxes
from morphface.rerender.seen_head import SeenHead

__all__ = ["lids_meet", "opens", "shut"]

CLOSED = 0.09
"""How far lids are apart, in widths of the eye, up to which they show no eye."""
DROOPING, ASLEEP = 0.13, 0.45
"""The same where the detector takes the eye for closed at least so far. Of 43 portraits one has
closed eyes: 0.49 and 0.56, lids 0.09 and 0.11 apart; the others have at most 0.40."""
BLINKS = "eyeBlinkLeft", "eyeBlinkRight"
"""Scores and expressions that say how far the left and the right eye are closed."""


def shut(head: SeenHead, place: EyePlace, side: int) -> bool:
    """Whether an eye is closed in the photo.

    Args:
        head: that was fitted, and its photo.
        place: of the eye.
        side: 0 is the subject's left eye.
    """
    score = head.face.fit.landmarks.scores.get(BLINKS[side], 0.0)
    return place.openness < (DROOPING if score > ASLEEP else CLOSED)


def opens(head: SeenHead, parameters: FaceParameters, side: int) -> bool:
    """Whether an eye is less closed than in the photo: a gaze alone opens no lids.

    Args:
        head: that was fitted.
        parameters: of the face, one frame.
        side: 0 is the subject's left eye.
    """
    model = head.face.model
    if BLINKS[side] not in model.expression.names:
        return True
    column = model.expression.names.index(BLINKS[side])
    both = parameters, head.face.parameters
    now, was = (full_expression(each, model)[0, column] for each in both)
    return bool(now < was)


def lids_meet(head: SeenHead, axes: RingAxes, side: int) -> float:
    """How far the lids of the mesh are apart when an eye of the photo closes; below 0 they cross.

    Args:
        head: that was fitted.
        axes: of the eye in the photo, in whose widths it is measured.
        side: 0 is the subject's left eye.
    """
    fitted, model = head.face.parameters, head.face.model
    if BLINKS[side] not in model.expression.names:
        return 0.0
    expression = full_expression(fitted, model)[:1].clone()
    expression[:, model.expression.names.index(BLINKS[side])] = 1.0
    look = Look.of(model, replace(fitted, expression=expression))
    ring = head.landmarks(look.vertices)[list(RINGS[side][0])]
    return lids_apart(head.face.camera.project(ring)[:, :2], axes)
