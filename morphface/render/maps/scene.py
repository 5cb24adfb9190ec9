"""A face in front of a camera: what all maps of some frames are drawn from, computed once.

Frames are posed and drawn one by one, so that a frame has the same bits alone and in a batch.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.models import LinearBasis, MorphableModel
from morphface.parameters import FaceParameters
from morphface.render.backends import threads
from morphface.render.detail import Detail
from morphface.render.rasterize import Fragments, rasterize

__all__ = ["Scene", "check_camera", "check_fit", "camera_of", "posed", "scene_of"]


@dataclass(frozen=True, eq=False)
class Scene(Record):
    """Some frames of a face.

    Args:
        model: whose face it is.
        parameters: of these frames.
        camera: of these frames.
        vertices: in the camera frame.
        screen: where they are seen.
        fragments: which face each pixel sees.
        albedo: at the vertices; None if there is none.
        detail: relief on the surface; None if there is none.
    """

    model: MorphableModel
    parameters: FaceParameters
    camera: Camera
    vertices: Float[Tensor, "T V 3"]
    screen: Float[Tensor, "T V 3"]
    fragments: Fragments
    albedo: Float[Tensor, "V 3"] | None
    detail: Detail | None = None

    @cached_property
    def normals(self) -> Float[Tensor, "T V 3"]:
        """Of the vertices, in the camera frame."""
        if self.vertices.device.type != "cpu":
            return vertex_normals(self.vertices, self.model.faces)
        from morphface.render.maps import kernels

        out = torch.zeros_like(self.vertices)
        arrays = self.vertices.contiguous().numpy(), self.model.faces.contiguous().numpy()
        threads.run(kernels.normals, len(out), *arrays, out.numpy())
        return out


def scene_of(
    model: MorphableModel,
    parameters: FaceParameters,
    camera: Camera,
    albedo: Float[Tensor, "V 3"] | None,
    backend: str,
) -> Scene:
    """The scene of parameters that fit the model and the camera."""
    vertices = posed(model, parameters)
    screen = camera.project(vertices)
    perspective = camera.weak_depth is None
    fragments = rasterize(
        screen, model.faces, camera.size, backend=backend, perspective=perspective
    )
    return Scene(model, parameters, camera, vertices, screen, fragments, albedo)


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


def camera_of(camera: Camera, frames: slice) -> Camera:
    """The camera of some frames."""

    def chosen(values: Tensor, axes: int) -> Tensor:
        return values[frames] if values.ndim > axes and len(values) > 1 else values

    weak = None if camera.weak_depth is None else chosen(camera.weak_depth, 0)
    focal, principal = chosen(camera.focal, 0), chosen(camera.principal, 1)
    return replace(camera, focal=focal, principal=principal, weak_depth=weak)


def posed(model: MorphableModel, parameters: FaceParameters) -> Float[Tensor, "T V 3"]:
    """Vertices in the camera frame, in millimetres.

    Args:
        model: that the parameters belong to.
        parameters: of T frames.

    Raises:
        ParameterError: the parameters are those of another model.
    """
    check_fit(model, parameters)
    with threads.kernels_alone():
        person, identity = _person(model, parameters.identity)
        shapes = []
        for frame in range(parameters.frames):
            own = slice(frame, frame + 1)
            gaze = parameters.gaze[own] if model.eyes is not None else None
            shape = person.vertices(identity, parameters.expression[own], gaze)
            shapes.append(to_camera(shape, parameters.rotation[own], parameters.translation[own]))
    return torch.cat(shapes) if shapes else parameters.rotation.new_zeros(0, model.size, 3)


def _person(
    model: MorphableModel, identity: Float[Tensor, "1 I"]
) -> tuple[MorphableModel, Float[Tensor, "1 i"]]:
    """A model of this person alone, and what is left of the identity."""
    if type(model) is not MorphableModel:
        return model, identity  # joints depend on the identity, too
    own = LinearBasis(model.identity.instance(identity)[0], model.identity.directions[:0])
    return replace(model, identity=own), identity[:, :0]
