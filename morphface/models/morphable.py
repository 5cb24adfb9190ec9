"""A morphable model: identity, expression and reflectance on one template.

Model frame: right-handed, +x to the subject's left, +y up, +z out of the face, origin between
the eyeballs' centres of the mean, millimetres. Reflectance is RGB in [0, 1].
"""

from dataclasses import dataclass, field

import numpy as np
import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.display import Displayed
from morphface.core.errors import ModelError
from morphface.core.records import Record
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.parameters import FaceParameters

__all__ = ["Eye", "MorphableModel", "gaze_rotation"]


@dataclass(frozen=True, eq=False)
class Eye(Record):
    """An eyeball: a rigid part that turns about its centre.

    Args:
        vertices: indices of the eyeball's vertices.
        centre_offset: from the mean of those vertices, in a neutral face, to the centre of
            rotation, in millimetres.
        radius: of the eyeball, in millimetres.
        iris_radius: of the visible iris, in millimetres.
    """

    vertices: Int[Tensor, " E"]
    centre_offset: Float[Tensor, "3"]
    radius: float
    iris_radius: float

    def centre(self, neutral: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch 3"]:
        """Centre of rotation in a face without expression."""
        return neutral[..., self.vertices, :].mean(dim=-2) + self.centre_offset


def gaze_rotation(gaze: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation of an eyeball for (yaw, pitch) in radians.

    Zero looks along +z, positive yaw to the subject's left (+x), positive pitch up. Yaw is
    applied after pitch, so it is the longitude of the direction of sight and pitch its latitude.
    """
    check_shape("gaze", gaze, 2)
    zero = torch.zeros_like(gaze[..., 0])
    yaw = roma.rotvec_to_rotmat(torch.stack([zero, gaze[..., 0], zero], dim=-1))
    pitch = roma.rotvec_to_rotmat(torch.stack([-gaze[..., 1], zero, zero], dim=-1))
    return yaw @ pitch


@dataclass(frozen=True, eq=False)
class MorphableModel(Record, Displayed):
    """Identity, expression and reflectance on one template.

    Args:
        name: how `load_model` finds it.
        identity: neutral faces.
        expression: offsets from neutral, with names and bounds.
        faces: vertex indices, counter-clockwise seen from outside.
        reflectance: albedo per vertex, or None for a shape-only model.
        uv: texture coordinates, (0, 0) at the lower left.
        uv_faces: for each face, the indices into `uv` of its corners.
        mirror: for each vertex, the one on the other side of the face.
        regions: soft masks over vertices in [0, 1], by name.
        eyes: the subject's left and right eyeball, or None where the model has no eyeballs.
        landmarks: embeddings by scheme name.
    """

    name: str
    identity: LinearBasis
    expression: ExpressionBasis
    faces: Int[Tensor, "F 3"]
    reflectance: LinearBasis | None = None
    uv: Float[Tensor, "U 2"] | None = None
    uv_faces: Int[Tensor, "F 3"] | None = None
    mirror: Int[Tensor, " V"] | None = None
    regions: dict[str, Float[Tensor, " V"]] = field(default_factory=dict)
    eyes: tuple[Eye, Eye] | None = None
    landmarks: dict[str, LandmarkEmbedding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_shape("faces", self.faces, None, 3)
        check_shape("expression.directions", self.expression.directions, None, self.size, 3)
        if self.reflectance is not None:
            check_shape("reflectance.mean", self.reflectance.mean, self.size, 3)

    @property
    def size(self) -> int:
        """Number of vertices."""
        return len(self.identity.mean)

    def neutral(self, frames: int = 1) -> FaceParameters:
        """The mean face of this model without expression, as `FaceParameters.neutral`.

        Args:
            frames: how many frames.
        """
        return FaceParameters.neutral(
            identity=self.identity.rank,
            expression=self.expression.rank,
            reflectance=0 if self.reflectance is None else self.reflectance.rank,
            frames=frames,
        )

    def vertices(
        self,
        identity: Float[Tensor, "*#batch i"],
        expression: Float[Tensor, "*#batch e"],
        gaze: Float[Tensor, "*#batch 2 2"] | None = None,
    ) -> Float[Tensor, "*batch V 3"]:
        """Vertex positions in the model frame, in millimetres, in the precision of the model.

        Args:
            identity: coefficients in standard deviations, in any precision; arrays of NumPy are
                taken, too.
            expression: weights or coefficients, as `expression.bounds` says.
            gaze: (yaw, pitch) in radians of the left and the right eye; None looks ahead.

        Raises:
            ShapeError: more coefficients than the model has.
        """
        own = self.identity.mean.dtype
        person = torch.as_tensor(identity, dtype=own)
        gaze = None if gaze is None else torch.as_tensor(gaze, dtype=own)
        return self._shape(person, torch.as_tensor(expression, dtype=own), gaze)

    def linearised(
        self, identity: Float[Tensor, " i"], expression: Float[Tensor, " e"]
    ) -> "MorphableModel":
        """The plain linear model that equals this one to first order around a face.

        Solvers ask for it before each solve, so that models with joints need no code of their
        own; a model that is linear already returns itself.

        Args:
            identity: coefficients of one face.
            expression: likewise; missing trailing ones count as zero.
        """
        return self

    def albedo(self, reflectance: Float[Tensor, "*batch a"]) -> Float[Tensor, "*batch V 3"]:
        """RGB reflectance per vertex, clamped to [0, 1].

        Raises:
            ModelError: the model has no reflectance.
        """
        if self.reflectance is None:
            raise ModelError(f"model {self.name!r} has no reflectance, only shape")
        own = torch.as_tensor(reflectance, dtype=self.reflectance.mean.dtype)
        return self.reflectance.instance(own).clamp(0.0, 1.0)

    def landmark_embedding(self, scheme: str) -> LandmarkEmbedding:
        """The embedding of a landmark scheme.

        Raises:
            ModelError: none is stored; `morphface.landmarks.embed` computes one.
        """
        if scheme not in self.landmarks:
            raise ModelError(
                f"model {self.name!r} has no embedding of landmark scheme {scheme!r}; "
                "compute it with morphface.landmarks.embed(model)"
            )
        return self.landmarks[scheme]

    def _shape(self, identity: Tensor, expression: Tensor, gaze: Tensor | None) -> Tensor:
        """What `vertices` returns; models that are not linear have their own."""
        neutral = self.identity.instance(identity)
        shape = neutral + self.expression.offset(expression)
        if gaze is None or self.eyes is None:
            return shape
        return self._turn_eyes(shape, neutral, gaze)

    def _turn_eyes(self, shape: Tensor, neutral: Tensor, gaze: Tensor) -> Tensor:
        # torch.broadcast_shapes imports sympy, which takes as long as a fit of landmarks
        batch = np.broadcast_shapes(shape.shape[:-2], gaze.shape[:-2])
        turned = shape.expand(*batch, *shape.shape[-2:]).clone()
        for side, eye in enumerate(self.eyes or ()):
            centre = eye.centre(neutral)[..., None, :]
            arm = turned[..., eye.vertices, :] - centre
            turned[..., eye.vertices, :] = centre + arm @ gaze_rotation(gaze[..., side, :]).mT
        return turned
