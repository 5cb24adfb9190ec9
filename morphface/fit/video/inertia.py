"""The temporal prior: a face is expected where it was, and is let go where it plainly moves.

What the detected landmarks move beyond what the person of the last frame explains is evidence of
motion, parameter by parameter. Evidence within the landmarks' noise, which is learned as the
video goes, is left to the prior, that holds the face still; evidence beyond it widens the prior
at once, so that fast motion is followed without delay.
"""

import numpy as np
from jaxtyping import Float

from morphface.fit.video.settings import Inertia
from morphface.fit.video.state import POSE, State, span_of

__all__ = ["evidence", "learned", "released", "spreads"]

_FRAME = 1 / 25  # seconds, that the settings speak of
_NOISE = 0.02  # of landmarks from frame to frame, as a share of their variance; learned soon
_LEARNING = 0.05
_LEAST = 1e-4
_MEDIAN = 0.455  # of the square of a unit normal


def evidence(
    hessian: Float[np.ndarray, "Q Q"],
    gradient: Float[np.ndarray, "Q n"],
    precision: Float[np.ndarray, " E"],
) -> tuple[Float[np.ndarray, "Q n"], Float[np.ndarray, " Q"]]:
    """How far each parameter moves alone, in standard deviations; expressions, after the pose
    has explained its part. And those standard deviations, if all errors of landmarks were noise.

    Args:
        hessian: of the landmarks' energy.
        gradient: of the same, for changes of landmarks.
        precision: of the expressions' prior.
    """
    pose = slice(0, POSE)
    ridge = 1e-6 * np.diag(np.diag(hessian)[pose]) + 1e-9 * np.eye(POSE)
    inverse = np.linalg.inv(hessian[pose, pose] + ridge)
    step = -inverse @ gradient[pose]
    left = gradient[POSE:] + hessian[POSE:, pose] @ step
    stiff = np.diag(hessian)[POSE:] + precision
    spread = np.concatenate([np.sqrt(np.diag(inverse)), 1 / np.sqrt(stiff)])
    return np.concatenate([step, -left / stiff[:, None]]) / spread[:, None], spread


def learned(
    noise: Float[np.ndarray, " Q"] | None, bend: Float[np.ndarray, " Q"]
) -> Float[np.ndarray, " Q"]:
    """What of the landmarks' variance is noise from frame to frame, after another frame.

    It follows the median of what is seen, whatever its outliers.

    Args:
        noise: so far; None at first.
        bend: second difference of the landmarks over time, as evidence. Motion hardly bends within
            three frames; noise of variance v has 6 v.
    """
    noise = np.full(len(bend), _NOISE) if noise is None else noise
    up = np.where(bend**2 > 6 * _MEDIAN * noise, 1.0, -1.0)
    return np.clip(noise * np.exp(_LEARNING * up), _LEAST, 1.0)


def spreads(
    inertia: Inertia, state: State, extent: Float[np.ndarray, " E"], seconds: float
) -> Float[np.ndarray, " P"]:
    """Standard deviation of each column's motion while nothing is known of it.

    Args:
        inertia: for a frame.
        state: of the last frame; for the line of sight.
        extent: range of each expression coefficient.
        seconds: since then.
    """
    span, out = span_of(len(extent)), np.empty(POSE + len(extent) + 27)
    out[span.rotation] = inertia.rotation
    out[span.translation] = [inertia.translation, inertia.translation, inertia.depth]
    out[span.expression] = inertia.expression * extent
    out[span.light] = inertia.illumination
    return out * np.sqrt(np.clip(seconds / _FRAME, 0.1, 25.0))


def released(
    spread: Float[np.ndarray, " P"],
    motion: tuple[Float[np.ndarray, " Q"], Float[np.ndarray, " Q"]],
    noise: Float[np.ndarray, " Q"] | None,
    inertia: Inertia,
) -> Float[np.ndarray, " P"]:
    """The spreads, wide enough for the motion that the landmarks show.

    Args:
        spread: of a face that is still.
        motion: from `evidence`.
        noise: from `learned`; None before.
        inertia: what motion is.
    """
    size, unit = motion
    noise = np.full(len(size), _NOISE) if noise is None else noise
    beyond = np.maximum(np.abs(size) - inertia.significance * np.sqrt(noise), 0.0) * unit
    out = spread.copy()
    out[: len(beyond)] = np.hypot(out[: len(beyond)], inertia.release * beyond)
    return out
