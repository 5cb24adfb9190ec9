"""The 52 ARKit expressions in the coefficients of any model."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.models.catalogue import load_model
from morphface.models.conversion.convert import convert_parameters
from morphface.models.conversion.correspondence import Correspondence
from morphface.models.landmark_file import fingerprint
from morphface.models.morphable import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["arkit_directions"]

_kept: dict[str, Float[Tensor, "52 E"]] = {}


def arkit_directions(
    model: MorphableModel, *, correspondence: Correspondence | None = None
) -> dict[str, Float[Tensor, " E"]]:
    """What the coefficients of `model` are at weight 1 of each ARKit blendshape, by name.

    A model that has an expression of a name gives that; the others are those of the open head,
    fitted to the model. The way back, from a model's coefficients to weights, is `arkit_weights`.

    Args:
        model: any model.
        correspondence: from the open head to `model`; None finds it, once for each model.

    Raises:
        ModelError: as in `convert_parameters`.
    """
    head = load_model("open-head")
    own = dict(zip(model.expression.names, torch.eye(model.expression.rank), strict=True))
    if set(head.expression.names) <= set(own):
        return {name: own[name] for name in head.expression.names}
    key = fingerprint(model)
    rows = _kept.get(key) if correspondence is None else None
    if rows is None:
        rows = _fitted(head, model, correspondence)
    if correspondence is None:
        _kept[key] = rows
    fitted = dict(zip(head.expression.names, rows, strict=True))
    return {name: own.get(name, row) for name, row in fitted.items()}


def _fitted(
    head: MorphableModel, model: MorphableModel, correspondence: Correspondence | None
) -> Float[Tensor, "52 E"]:
    count = head.expression.rank
    each = replace(FaceParameters.neutral(frames=count), expression=torch.eye(count))
    return convert_parameters(
        each, head, model, correspondence=correspondence
    ).parameters.expression
