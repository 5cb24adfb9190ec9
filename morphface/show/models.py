"""Morphable models: the mean from three sides, and what their coefficients do."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.models import MorphableModel
from morphface.pipelines.models import sizes_of
from morphface.show.cards import Card
from morphface.show.heads import draw_shapes, looking
from morphface.show.pictures import Picture, captioned, sheet

__all__ = ["BASES", "draw_mode", "mode_range", "model_card"]

BASES = ("identity", "expression", "reflectance")
DEVIATIONS = 3.0
"""How far a mode without bounds is shown, in standard deviations."""
_PANEL = 160
_VIEWS = {"front": 0.0, "three quarters": 40.0, "profile": 85.0}


def model_card(model: MorphableModel) -> Card:
    """The mean head from three sides, two modes of identity and an expression."""
    rows = (
        ("name", model.name),
        *sizes_of(model).items(),
        ("regions", ", ".join(sorted(model.regions)) or "none"),
        ("landmarks", ", ".join(sorted(model.landmarks)) or "none yet"),
    )
    return Card(type(model).__name__, rows, lambda: _picture(model), "mean head and modes")


def rank_of(model: MorphableModel, basis: str) -> int:
    """How many modes a basis of a model has; 0 where the model lacks it.

    Raises:
        ParameterError: there is no such basis.
    """
    if basis not in BASES:
        raise ParameterError(f"basis must be one of {', '.join(BASES)}, got {basis!r}")
    found = getattr(model, basis)
    return 0 if found is None else found.rank


def mode_range(model: MorphableModel, basis: str, mode: int) -> tuple[float, float]:
    """The lowest and the highest coefficient that a mode is shown with."""
    if basis == "expression":
        low, high = model.expression.bounds[mode].tolist()
        if torch.tensor([low, high]).isfinite().all():
            return low, high
    return -DEVIATIONS, DEVIATIONS


def draw_mode(
    model: MorphableModel, basis: str, mode: int, values: Float[Tensor, " n"], size: int
) -> list[Picture]:
    """The mean head with one coefficient of a basis at each of some values.

    Args:
        model: whose modes.
        basis: "identity", "expression" or "reflectance".
        mode: which coefficient.
        values: of the coefficient.
        size: of the pictures, in pixels.
    """
    given = {
        name: model.identity.mean.new_zeros(len(values), rank_of(model, name)) for name in BASES
    }
    given[basis][:, mode] = values.to(given[basis])
    shapes = model.vertices(given["identity"], given["expression"])
    colours = model.albedo(given["reflectance"]) if model.reflectance else None
    if basis != "reflectance":
        colours = None if colours is None else colours[:1]
    return draw_shapes(model, shapes, size, colours=colours)


def _picture(model: MorphableModel) -> Picture:
    zero = {name: model.identity.mean.new_zeros(1, rank_of(model, name)) for name in BASES}
    mean = model.vertices(zero["identity"], zero["expression"])
    colours = model.albedo(zero["reflectance"]) if model.reflectance else None
    turns = torch.cat([looking(yaw) for yaw in _VIEWS.values()])
    views = draw_shapes(model, mean.expand(3, -1, -1), _PANEL, colours=colours, rotation=turns)
    shown = [("identity", k, f"identity {k}") for k in range(min(2, model.identity.rank))]
    if model.expression.rank:
        largest = int(model.expression.directions.square().sum((1, 2)).argmax())
        shown.append(("expression", largest, model.expression.names[largest]))
    modes = []
    for basis, mode, name in shown:
        value = mode_range(model, basis, mode)[1]
        drawn = draw_mode(model, basis, mode, torch.tensor([value]), _PANEL)[0]
        modes.append(captioned(drawn, f"{name} {value:+.2g}"))
    return sheet([[captioned(v, name) for v, name in zip(views, _VIEWS, strict=True)], modes])
