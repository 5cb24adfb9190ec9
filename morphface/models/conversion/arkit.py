"""The 52 ARKit expressions in the coefficients of any model."""

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.models.catalogue import load_model
from morphface.models.landmark_file import fingerprint
from morphface.models.morphable import MorphableModel
from morphface.parameters import FaceParameters

if TYPE_CHECKING:
    from morphface.models.conversion.correspondence import Correspondence

__all__ = ["arkit_directions", "arkit_weights"]

_kept: dict[str, Float[Tensor, "52 E"]] = {}


def arkit_directions(
    model: MorphableModel, *, correspondence: "Correspondence | None" = None
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


def arkit_weights(
    parameters: FaceParameters,
    model: MorphableModel,
    *,
    correspondence: "Correspondence | None" = None,
) -> dict[str, Float[Tensor, " T"]]:
    """The weights of the 52 ARKit blendshapes, by name, that show the same expressions.

    A model that has expressions of these names gives its own weights; another's face is
    projected onto the open head.

    Args:
        parameters: of `model`.
        model: any model.
        correspondence: from `model` to the open head; None finds it.

    Raises:
        ModelError: as in `convert_parameters`.
    """
    head = load_model("open-head")
    names = head.expression.names
    if set(names) <= set(model.expression.names):
        weights = parameters.expression
        column = {name: model.expression.names.index(name) for name in names}
        none = torch.zeros(len(weights))  # missing trailing weights count as zero
        return {n: weights[:, k] if k < weights.shape[1] else none for n, k in column.items()}
    from morphface.models.conversion.convert import convert_parameters  # it brings optimisers

    converted = convert_parameters(parameters, model, head, correspondence=correspondence)
    return dict(zip(names, converted.parameters.expression.T, strict=True))


def _fitted(
    head: MorphableModel, model: MorphableModel, correspondence: "Correspondence | None"
) -> Float[Tensor, "52 E"]:
    from morphface.models.conversion.convert import convert_parameters  # likewise

    count = head.expression.rank
    each = replace(FaceParameters.neutral(frames=count), expression=torch.eye(count))
    return convert_parameters(
        each, head, model, correspondence=correspondence
    ).parameters.expression
