"""Parameters of an older revision of a built-in model, as those of the present one.

A revision has another mean, identity components that span the same heads, another origin, other
colours, or expressions of another strength. A file says in its header, by `model_revision`, which
one it belongs to; one that says nothing is of the first. What becomes of coefficients and
translation is kept in `data/NAME_REVISION.safetensors`, for each revision that there was.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

import roma
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.parameters.face import FaceParameters

__all__ = [
    "CONVERTED",
    "REVISION",
    "REVISIONS",
    "Upgrade",
    "brought_up",
    "read_upgrade",
    "revision_of",
    "upgraded",
]

REVISIONS = {"open-head": 3}
"""The present revision of each model that was ever revised."""
REVISION = "model_revision"
"""Entry of a header: which revision of its model the parameters belong to."""
CONVERTED = "converted_from_revision"
"""Entry of the header of a file that was converted while it was read."""

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, eq=False)
class Upgrade(Record):
    """From one revision of a model to the next.

    Args:
        matrix: `(identity - centre) @ matrix.T` are the new coefficients.
        centre: the old coefficients of the new mean.
        shift: the new origin in the old model frame, in millimetres.
        factors: by which weights of expressions are multiplied, those of the first ones; a weight
            with a factor other than 1 ends at 1 as before.
        colours: `reflectance @ colours.T + colour_offset` are the new coefficients of reflectance;
            empty where these have not changed.
        colour_offset: the same.

    Raises:
        ShapeError: the shapes do not fit together.
    """

    matrix: Float[Tensor, "I I"]
    centre: Float[Tensor, " I"]
    shift: Float[Tensor, "3"]
    factors: Float[Tensor, " E"] = field(default_factory=lambda: torch.ones(0))
    colours: Float[Tensor, "A A"] = field(default_factory=lambda: torch.ones(0, 0))
    colour_offset: Float[Tensor, " A"] = field(default_factory=lambda: torch.ones(0))

    def __post_init__(self) -> None:
        check_shape("matrix", self.matrix, len(self.centre), len(self.centre))
        check_shape("shift", self.shift, 3)
        check_shape("colours", self.colours, len(self.colour_offset), len(self.colour_offset))

    def apply(self, parameters: FaceParameters) -> FaceParameters:
        """The same face in the same place, in parameters of the next revision.

        Args:
            parameters: of the revision before.

        Raises:
            ParameterError: the identity has not as many coefficients as the model.
        """
        found, rank = parameters.identity.shape[1], len(self.centre)
        if found != rank:
            raise ParameterError(
                f"identity must have {rank} coefficients to be converted to the present revision "
                f"of its model, got {found}; fit or track again"
            )
        moved = (parameters.identity.double() - self.centre.double()) @ self.matrix.double().T
        turn = roma.rotvec_to_rotmat(parameters.rotation.double())
        translation = parameters.translation.double() + turn @ self.shift.double()
        return replace(
            parameters,
            identity=moved.to(parameters.identity),
            expression=self._weights(parameters.expression),
            reflectance=self._reflectance(parameters.reflectance),
            translation=translation.to(parameters.translation),
        )

    def _reflectance(self, reflectance: Tensor) -> Tensor:
        """Coefficients of another number than the model's are of none of its colours, and stay."""
        if reflectance.shape[1] != len(self.colour_offset):
            return reflectance
        moved = reflectance.double() @ self.colours.double().T + self.colour_offset.double()
        return moved.to(reflectance)

    def _weights(self, expression: Tensor) -> Tensor:
        missing = max(expression.shape[1] - len(self.factors), 0)
        factors = torch.nn.functional.pad(self.factors, (0, missing), value=1.0)
        factors = factors[: expression.shape[1]].to(expression)
        return torch.where(factors == 1, expression, (expression * factors).clamp(max=1.0))


def revision_of(model: object) -> int | None:
    """The present revision of a model; None if it was never revised, or is not built in.

    Args:
        model: its name, or the path of its file.
    """
    return REVISIONS.get(_known(model))


@lru_cache(maxsize=4)
def read_upgrade(model: str, revision: int) -> Upgrade:
    """How parameters of a revision become those of the next.

    Args:
        model: its name, one of `REVISIONS`.
        revision: from 1, below the present one.
    """
    return Upgrade(**load_file(_DATA / f"{model.replace('-', '_')}_{revision}.safetensors"))


def brought_up(parameters: FaceParameters, model: str, revision: int) -> FaceParameters:
    """Parameters of an older revision in those of the present one.

    Args:
        parameters: of that revision.
        model: its name, or the path of its file; one that was never revised changes nothing.
        revision: from 1.

    Raises:
        ParameterError: the identity has not as many coefficients as the model.
    """
    for step in range(revision, revision_of(model) or revision):
        parameters = read_upgrade(_known(model), step).apply(parameters)
    return parameters


def upgraded(
    path: str | Path, parameters: FaceParameters, header: dict[str, Any]
) -> tuple[FaceParameters, dict[str, Any]]:
    """Parameters as they are today, and the header that says so.

    Those of an older revision of a built-in model are converted; all others stay as they are.

    Args:
        path: of their file, for messages.
        parameters: as they were read.
        header: with the entry "model", and from the second revision on `REVISION`.

    Raises:
        ParameterError: the revision is none, or newer than ours, or the identity has not as many
            coefficients as the model.
    """
    name, newest = _known(header.get("model")), revision_of(header.get("model"))
    if newest is None:
        return parameters, header
    revision = header.get(REVISION, 1)
    if not isinstance(revision, int) or revision < 1:
        raise ParameterError(f"{path} has no valid revision of model {name!r}, got {revision!r}")
    if revision > newest:
        raise ParameterError(
            f"{path} belongs to revision {revision} of model {name!r}, and this morphface has "
            f"{newest}; update morphface to read it"
        )
    if revision == newest:
        return parameters, header
    try:
        moved = brought_up(parameters, name, revision)
    except ParameterError as error:
        raise ParameterError(f"{path} is not usable: {error}") from error
    return moved, header | {REVISION: newest, CONVERTED: revision}


def _known(model: object) -> str:
    """The name of a model, also by the path of its file."""
    return PurePath(str(model)).name.removesuffix(".safetensors").replace("_", "-")
