"""Where a known person looks, frame by frame: what the irises show, and how far it is believed.

Nothing else depends on the gaze, so it has four normal equations of its own.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from morphface.fit.analysis.priors import gaze_precision
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.gaze import eye_angles
from morphface.fit.video.person import Person
from morphface.fit.video.points import Sighting
from morphface.fit.video.settings import VideoSettings
from morphface.fit.video.state import State

__all__ = ["gaze_of", "look"]

_IRIS = 0.5  # millimetres, the noise of an iris landmark, as in `fit_photometric`
_RADIUS = 12.0  # millimetres, of an eyeball
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")
_SHUT = 0.6  # weight of a blink from which nothing of the iris is seen


def look(
    person: Person, seen: Sighting, state: State, last: State, settings: VideoSettings
) -> State:
    """The state with its gaze: held while it wavers, let go where it leaps, kept in a blink.

    Args:
        person: who looks.
        seen: landmarks of the frame.
        state: of the frame.
        last: of the last frame.
        settings: how still eyes are.
    """
    found = gaze_of(seen, state)
    if found is None:
        return state
    trust = _openness(person, state).repeat(2)
    data = trust * (_RADIUS / _IRIS) ** 2
    precision = gaze_precision(settings.photometric) + np.diag(data)
    gradient = data * found.ravel()
    if settings.inertia is not None:
        inertia, off = settings.inertia, np.abs(found - last.gaze).ravel() * trust
        beyond = np.maximum(off - inertia.significance * inertia.gaze, 0)
        still = 1 / (inertia.gaze + inertia.release * beyond) ** 2
        precision += np.diag(still)
        gradient += still * last.gaze.ravel()
    return replace(state, gaze=np.linalg.solve(precision, gradient).reshape(2, 2))


def _openness(person: Person, state: State) -> Float[np.ndarray, "2"]:
    """How far the lids let each iris be seen, 0 to 1."""
    names = person.model.expression.names
    shut = [state.expression[names.index(lid)] if lid in names else 0.0 for lid in _LIDS]
    return np.clip(1 - np.array(shut) / _SHUT, 1e-3, 1.0)


def gaze_of(seen: Sighting, state: State) -> Float[np.ndarray, "2 2"] | None:
    """(yaw, pitch) of each eye that the irises show; None where they are not seen."""
    rows = seen.rows
    if len(rows.eyes) != 2:
        return None
    points, gaze = rows.points(state.expression), np.zeros((2, 2))
    confidence = to_numpy(seen.landmarks.confidence) * rows.confidence
    rays = np.column_stack([seen.targets / seen.focal, -np.ones(len(points))]) @ state.rotation
    viewpoint = -state.translation @ state.rotation
    for side, eye in enumerate(rows.eyes):
        known = eye.points[confidence[eye.points] > 0]
        if not len(known):
            return None
        gaze[side] = eye_angles(points[known] - eye.centre, viewpoint - eye.centre, rays[known])
    return gaze
