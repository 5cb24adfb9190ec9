"""A fit that starts from the numbers of a latent motion: no landmarks are found before it."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.edit.named import names_of
from morphface.fit import FitResult
from morphface.generate.bridge import MotionBridge
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.crop import FACE_SHARE
from morphface.models import MorphableModel
from morphface.pipelines.oneshot.bridging import moved_by

__all__ = ["start_of"]

FOCAL = 2.25
"""Focal length in sides of the crop, as linear fits expect it."""
AWAY = 900.0
"""Millimetres at which a head is before its place is known."""
ROUNDS = 4
"""In which its place is found: a head that is nearer looks wider than it is."""
DOUBT = 0.02
"""Confidence of landmarks that nobody found: pixels decide."""


def start_of(
    bridge: MotionBridge, motion: Float[Tensor, "1 K"], model: MorphableModel, side: int
) -> FitResult:
    """Where `fit_photometric` may start in a generator's crop of a face.

    Pose, expression and gaze are what the numbers say; identity is the mean. The head is placed so
    that its landmarks fill the share of the crop that generators are trained with
    (`media.crop.FACE_SHARE`). Its landmarks are its own, and count for little.

    Args:
        bridge: from numbers to parameters.
        motion: of one picture.
        model: of the bridge's parameters, with an embedding of the 478 landmarks.
        side: of the crop, in pixels.

    Raises:
        ShapeError: the motion has not the axes above.
        ParameterError: the bridge is of another model.
    """
    check_shape("motion", motion, 1, len(bridge.to_named.origin))
    if bridge.names != tuple(names_of(model)):
        raise ParameterError("the bridge must be of the model's parameters, but has other names")
    face = moved_by(model.neutral(), bridge.to_named(motion), model)
    camera = Camera.facing((side, side), focal=FOCAL * side)
    place = torch.tensor([0.0, 0.0, -AWAY])
    shape = model.vertices(face.identity, face.expression)[0]
    marks = model.landmark_embedding("478").points(shape)
    for _ in range(ROUNDS):
        points = camera.project(to_camera(marks, face.rotation[0], place))[:, :2]
        left, top, right, bottom = box_of(points)
        place = place * max(right - left, bottom - top) / (FACE_SHARE * side)
        off = torch.tensor([side - left - right, top + bottom - side, 0.0]) / 2
        place = place - off * place[2] / (FOCAL * side)
    face = replace(face, translation=place[None])
    points = camera.project(to_camera(marks, face.rotation[0], place))[:, :2]
    sure = torch.full((len(points),), DOUBT)
    landmarks = Landmarks(points, "478", sure, box_of(points))
    return FitResult(face, camera, landmarks, points, 0.0, True, "", ())
