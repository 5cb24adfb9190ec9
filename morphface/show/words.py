"""What tables say of parameters, in a few words."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.geometry.angles import rotvec_to_angles
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Rows", "degrees", "expression_names", "moving", "parameter_rows", "verdict"]

Rows = tuple[tuple[str, str], ...]
_STRONGEST = 5
_WEAKEST = 0.02


def expression_names(parameters: FaceParameters, model: MorphableModel | None) -> tuple[str, ...]:
    """A name for each expression coefficient; a number where there is no model."""
    count = parameters.expression.shape[1]
    names = () if model is None else model.expression.names[:count]
    return (*names, *(f"expression {k}" for k in range(len(names), count)))


def moving(parameters: FaceParameters, count: int) -> list[int]:
    """The expressions that move most over time, the most moving one first."""
    if not parameters.expression.numel():
        return []
    values = parameters.expression.detach()
    spread = values.std(dim=0, correction=0)
    order = spread.argsort(descending=True, stable=True)[:count]
    return [int(k) for k in order if spread[k] > 0]


def parameter_rows(parameters: FaceParameters, model: MorphableModel | None) -> Rows:
    """Sizes, pose, gaze and the strongest expressions; over time, their ranges."""
    p = parameters.detach().to("cpu")
    sizes = f"{p.identity.shape[1]} identity, {p.expression.shape[1]} expression, "
    rows = [
        ("coefficients", f"{sizes}{p.reflectance.shape[1]} reflectance"),
        ("identity", _deviation(p.identity)),
    ]
    if p.frames == 0:
        return (*rows, ("frames", "none"))
    rows.append(("expression", _expressions(p, expression_names(p, model))))
    rows.append(("pose", _pose(p.rotation)))
    rows.append(("gaze", _gaze(p.gaze)))
    return tuple(rows)


def degrees(values: Float[Tensor, " T"]) -> str:
    """An angle in radians, or the range of several."""
    ends = (round(float(torch.rad2deg(v)), 1) + 0.0 for v in (values.amin(), values.amax()))
    low, high = (f"{value:+.1f}" for value in ends)  # + 0.0: no negative zero
    return f"{low}\N{DEGREE SIGN}" if low == high else f"{low} to {high}\N{DEGREE SIGN}"


def verdict(converged: bool, reason: str) -> str:
    """Whether a fit may be trusted."""
    return "converged" if converged else f"not converged: {reason}"


def _deviation(coefficients: Float[Tensor, "1 K"]) -> str:
    if not coefficients.numel():
        return "none"
    size = float(coefficients.square().mean().sqrt())
    return f"{size:.2f} standard deviations from the mean (root mean square)"


def _expressions(p: FaceParameters, names: tuple[str, ...]) -> str:
    if p.frames > 1:
        most = ", ".join(names[k] for k in moving(p, _STRONGEST))
        return f"most moving: {most}" if most else "does not move"
    order = p.expression[0].abs().argsort(descending=True, stable=True)[:_STRONGEST]
    strong = [k for k in order.tolist() if abs(float(p.expression[0, k])) > _WEAKEST]
    return ", ".join(f"{names[k]} {float(p.expression[0, k]):.2f}" for k in strong) or "neutral"


def _pose(rotation: Float[Tensor, "T 3"]) -> str:
    angles = rotvec_to_angles(rotation)
    pairs = zip(("yaw", "pitch", "roll"), angles.T, strict=True)
    return ", ".join(f"{name} {degrees(values)}" for name, values in pairs)


def _gaze(gaze: Float[Tensor, "T 2 2"]) -> str:
    both = gaze.mean(dim=1).T
    return f"yaw {degrees(both[0])}, pitch {degrees(both[1])}"
