"""What is expected before a pixel is seen, as precision matrices over the groups."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import Prior
from morphface.fit.analysis.person import Person
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.fit.analysis.surface import face_weight
from morphface.fit.shared.coefficients import coefficient_priors
from morphface.fit.shared.result import FitResult
from morphface.models import MorphableModel

__all__ = [
    "anchor",
    "gaze_precision",
    "light_precision",
    "look_priors",
    "person_priors",
    "symmetry",
]

_BANDS = np.repeat([0, 1, 2], [1, 3, 5])


def person_priors(
    model: MorphableModel, person: Person, settings: PhotometricSettings
) -> tuple[Prior, ...]:
    """Of what photos of one person share: identity as landmarks have it, reflectance N(0, 1).

    Args:
        model: whose identity and reflectance.
        person: what is known of the identity.
        settings: how near its start, and how symmetric, identity is.
    """
    colours = 0 if model.reflectance is None else model.reflectance.rank
    return (
        Prior("identity", person.expected, person.precision),
        Prior("reflectance", np.zeros(colours), np.eye(colours)),
        *anchor("identity", torch.from_numpy(person.mean), settings.identity_anchor),
        *symmetry(model, settings.symmetry_spread),
    )


def anchor(name: str, start: Float[Tensor, " k"], spread: float) -> tuple[Prior, ...]:
    """A group's distance from where it began; nothing where the spread is infinite.

    Args:
        name: of the group.
        start: its value then.
        spread: standard deviation of each coefficient around it.
    """
    if math.isinf(spread):
        return ()
    mean = start.double().cpu().numpy()
    return (Prior(name, mean, np.eye(len(mean)) / spread**2, f"{name}_anchor"),)


def symmetry(model: MorphableModel, spread: float) -> tuple[Prior, ...]:
    """How far identity makes the two sides of the face differ, over all the face.

    It is half the mean square of the part of the motion of the vertices that is odd under
    `model.mirror`, in units of `spread`. There is none where that is infinite, or no mirror known.

    Args:
        model: whose identity it is.
        spread: standard deviation of the odd part, in millimetres.
    """
    if math.isinf(spread) or model.mirror is None:
        return ()
    moves = model.identity.directions
    odd = (moves - moves[:, model.mirror.long()] * moves.new_tensor([-1.0, 1.0, 1.0])) / 2
    weight = face_weight(model)
    rows = (odd * (weight / weight.sum()).sqrt()[:, None]).flatten(1).double().cpu().numpy()
    return (Prior("identity", np.zeros(len(rows)), rows @ rows.T / spread**2, "symmetry"),)


def look_priors(
    model: MorphableModel, start: FitResult, look: Look, settings: PhotometricSettings
) -> tuple[Prior, ...]:
    """Of what each photo has for itself.

    Args:
        model: for bounds and names of expressions.
        start: the detector's scores are near the expression weights.
        look: whose focal length is expected.
        settings: standard deviations.
    """
    mean, spread = coefficient_priors(
        model.expression,
        start.landmarks.scores,
        expression_spread=settings.expression_spread,
        score_spread=settings.score_spread,
    )
    return (
        Prior("expression", mean, np.diag(1 / spread**2)),
        *anchor("expression", look.expression, settings.expression_anchor),
        Prior("gaze", np.zeros(4), gaze_precision(settings)),
        Prior("focal", np.array([math.log(float(look.focal))]), _once(settings.focal_spread)),
    )


def _once(spread: float) -> np.ndarray:
    return np.array([[spread**-2]])


def gaze_precision(settings: PhotometricSettings) -> Float[np.ndarray, "4 4"]:
    """Both eyes look nearly the same way: their mean is free, and their difference small.

    Args:
        settings: both standard deviations.
    """
    mean = np.full((2, 2), 0.25) / settings.gaze_spread**2
    difference = np.array([[1.0, -1.0], [-1.0, 1.0]]) / settings.vergence_spread**2
    return np.kron(mean + difference, np.eye(2))


def light_precision(settings: PhotometricSettings) -> Float[np.ndarray, "27 27"]:
    """Light is nearly grey: its channels vary together, and little against each other.

    Args:
        settings: standard deviations.
    """
    spread = np.array(settings.light_spread)[_BANDS]
    common = np.full((3, 3), 1 / 3)
    chroma = (np.eye(3) - common) / settings.light_chroma**2
    return np.kron(np.diag(spread**-2), common + chroma)
