"""Where a model's surface is, in front of the camera, for a sequence of parameters."""

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera, to_camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["check_camera", "check_fit", "posed"]


def check_fit(model: MorphableModel, parameters: FaceParameters) -> None:
    """Refuse parameters with more coefficients than `model` has.

    Raises:
        ParameterError: the message names the group and both sizes.
    """
    ranks = {"identity": model.identity.rank, "expression": model.expression.rank}
    for name, rank in ranks.items():
        count = getattr(parameters, name).shape[-1]
        if count > rank:
            raise ParameterError(
                f"parameters has {count} {name} coefficients, but model {model.name!r} has {rank}; "
                "pass the model that they were fitted with, or convert them with "
                "morphface.models.conversion.convert_parameters"
            )


def check_camera(camera: Camera, frames: int) -> None:
    """Refuse a camera that is neither one for all frames nor one for each.

    Raises:
        ShapeError: the message names both numbers.
    """
    if camera.focal.shape not in [(), (1,), (frames,)] or camera.principal.ndim > 2:
        raise ShapeError(
            f"camera must be one for all or one for each of {frames} frames, "
            f"got focal of shape {tuple(camera.focal.shape)}"
        )


def posed(model: MorphableModel, parameters: FaceParameters) -> Float[Tensor, "T V 3"]:
    """Vertices in the camera frame, in millimetres.

    Args:
        model: that the parameters belong to.
        parameters: of T frames.

    Raises:
        ParameterError: the parameters are those of another model.
    """
    check_fit(model, parameters)
    gaze = parameters.gaze if model.eyes is not None else None
    vertices = model.vertices(parameters.identity, parameters.expression, gaze)
    return to_camera(vertices, parameters.rotation, parameters.translation)
