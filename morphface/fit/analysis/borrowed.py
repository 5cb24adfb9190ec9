"""Colours for a model that has none: those of the open head, carried over.

Without them shape would have to explain brows, lips and the tone of skin. What is carried over
fits roughly, so that colours count for less, and only the skin near the landmarks is looked at.
"""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.core.kept import once_each
from morphface.fit.analysis.surface import SKIN, face_weight, near_landmarks
from morphface.models import LinearBasis, MorphableModel, load_model
from morphface.models.skin import skin_faces

__all__ = ["with_colours"]

_LENDER = "open-head"


def with_colours(model: MorphableModel) -> MorphableModel:
    """A model with reflectance: `model`, or where it has none, one that borrows it.

    A model that has no landmarks in common with the lender gets one albedo. It is made once, in
    seconds, and kept for as long as the model lives.
    """
    if model.reflectance is not None:
        return model
    return _dressed(model)


@once_each
@torch.no_grad()
def _dressed(model: MorphableModel) -> MorphableModel:
    weight = face_weight(model) * near_landmarks(model)
    for eye in model.eyes or ():
        weight[eye.vertices.long()] = 0.0
    if "eye_sockets" in model.regions:
        weight = weight * (1 - model.regions["eye_sockets"])
    return replace(model, reflectance=_borrowed(model), regions={"face": weight})


def _borrowed(model: MorphableModel) -> LinearBasis:
    """The lender's reflectance on the vertices of `model`, going on outside of the face."""
    from morphface.models.conversion import find_correspondence

    like = model.identity.mean
    mean, lender = like.new_tensor(SKIN).expand_as(like).clone(), load_model(_LENDER)
    try:
        known = find_correspondence(lender, model.to("cpu"))
    except ModelError:
        known = None
    if lender.reflectance is None or known is None:
        return LinearBasis(mean, like.new_zeros(0, *like.shape))
    colours = lender.reflectance
    directions = like.new_zeros(colours.rank, *like.shape)
    skin = model.faces[skin_faces(model)].unique()
    nearest = _nearest(like[skin], like[known.vertices.to(like.device)])
    mean[skin] = known.points(colours.mean)[nearest].to(like)
    directions[:, skin] = known.points(colours.directions)[:, nearest].to(like)
    return LinearBasis(mean, directions)


def _nearest(points: Float[Tensor, "n 3"], others: Float[Tensor, "m 3"]) -> Int[Tensor, " n"]:
    from scipy.spatial import KDTree

    return torch.from_numpy(KDTree(others.cpu().numpy()).query(points.cpu().numpy())[1])
