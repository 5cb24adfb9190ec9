"""The same face in the parameters of another model.

The target's bases are fitted to the source's surface: first to the points that correspond, then
to the nearest ones, across the surface, since bending one surface onto another does not tell how
far its points slid along it. The heads of two models may be held differently, so a rigid motion
between their frames is fitted too, and the pose corrected for it.
"""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.core.records import Record
from morphface.models.conversion.correspondence import Correspondence, find_correspondence
from morphface.models.conversion.registration import Surface, land, skin_surface
from morphface.models.conversion.solver import Fit, Task, fit_surfaces
from morphface.models.landmark_file import fingerprint
from morphface.models.morphable import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Converted", "convert_parameters"]

_MOST_POINTS = 6000


@dataclass(frozen=True, eq=False)
class Converted(Record):
    """A face in the parameters of another model.

    Args:
        parameters: of the target model.
        error_mm: in each frame, the median distance of the source's face to the target's surface.
    """

    parameters: FaceParameters
    error_mm: Float[Tensor, " T"]


def convert_parameters(
    parameters: FaceParameters,
    from_model: MorphableModel,
    to_model: MorphableModel,
    *,
    correspondence: Correspondence | None = None,
) -> Converted:
    """The parameters of `to_model` that show the same face.

    Identity and expression are fitted; illumination and gaze are carried over, and so is the
    pose, corrected for how differently the two models hold their heads. Reflectance is fitted
    where both models have one and is zero elsewhere.

    Args:
        parameters: of `from_model`.
        from_model: the source.
        to_model: the target.
        correspondence: of the two models, in this direction; None finds it, which takes seconds
            once for each pair of models.

    Raises:
        ModelError: the correspondence is of other models, or the models have no landmarks in
            common.
        ShapeError: the parameters have more coefficients than `from_model`.
    """
    link = correspondence or find_correspondence(from_model, to_model)
    if link.models != (fingerprint(from_model), fingerprint(to_model)):
        raise ModelError(
            f"correspondence must be that from {from_model.name!r} to {to_model.name!r}, "
            "but it was found for other models"
        )
    source = from_model.vertices(parameters.identity, parameters.expression, parameters.gaze)
    neutral = from_model.vertices(
        parameters.identity[0], torch.zeros_like(parameters.expression[0])
    )
    places = link.points(neutral)
    stride = -(-len(link.vertices) // _MOST_POINTS)
    fit = fit_surfaces(
        Task(
            model=to_model,
            vertices=link.vertices[::stride].numpy(),
            neutral=places[::stride].double().numpy(),
            offsets=(link.points(source) - places)[:, ::stride].double().numpy(),
            trust=link.trust[::stride].double().numpy(),
            surface=skin_surface(from_model, neutral)[0],
        )
    )
    converted = FaceParameters(
        identity=torch.from_numpy(fit.identity).float()[None],
        expression=torch.from_numpy(fit.expression).float(),
        reflectance=_reflectance(parameters, from_model, to_model, link),
        illumination=parameters.illumination,
        gaze=parameters.gaze,
        **_pose(parameters, fit),
    )
    return Converted(converted, _errors(converted, to_model, fit, source[:, link.face]))


def _pose(parameters: FaceParameters, fit: Fit) -> dict[str, Tensor]:
    """Head to camera, from the target's frame: through the source's."""
    turn = roma.rotvec_to_rotmat(parameters.rotation.double())
    rotation = turn @ torch.from_numpy(fit.rotation)
    shift = turn @ torch.from_numpy(fit.shift) + parameters.translation
    return {"rotation": roma.rotmat_to_rotvec(rotation).float(), "translation": shift.float()}


def _reflectance(
    parameters: FaceParameters,
    from_model: MorphableModel,
    to_model: MorphableModel,
    link: Correspondence,
) -> Float[Tensor, "1 A"]:
    basis = to_model.reflectance
    if basis is None or from_model.reflectance is None:
        return torch.zeros(1, 0 if basis is None else basis.rank)
    wanted = link.points(from_model.albedo(parameters.reflectance[0]))
    weight = link.trust.sqrt()[:, None]
    rows = (weight * basis.directions[:, link.vertices]).flatten(1).double()
    right = (weight * (wanted - basis.mean[link.vertices])).flatten().double()
    noise = 0.05**2 * torch.eye(len(rows), dtype=torch.float64)
    return torch.linalg.solve(rows @ rows.T + noise, rows @ right).float()[None]


def _errors(
    converted: FaceParameters, model: MorphableModel, fit: Fit, face: Float[Tensor, "T M 3"]
) -> Float[Tensor, " T"]:
    shape = model.vertices(converted.identity, converted.expression, converted.gaze)
    medians = []
    for frame, points in enumerate(face.double().numpy()):
        skin = skin_surface(model, shape[frame])[0]
        there = land(points, Surface(fit.apply(skin.vertices), skin.faces))
        medians.append(float(np.median(np.linalg.norm(there.points - points, axis=1))))
    return torch.tensor(medians)
