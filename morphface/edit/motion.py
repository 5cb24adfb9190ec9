"""Moving the pose, expression and gaze of one person onto another.

The formulas are those of Head2Head (Koujan et al. 2020) and Deep Video Portraits (Kim et al.
2018), with rotations composed and a perspective camera, for which depth is the scale.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import radians

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ModelError, ShapeError
from morphface.core.threads import one_torch_thread
from morphface.edit.eyes import matched_eyes
from morphface.edit.frames import check_frames, repeated
from morphface.edit.openings import openings_of
from morphface.edit.parts import mouth_share
from morphface.edit.pose import arm, head_centre
from morphface.edit.rest import closest_frame, neutral
from morphface.edit.settings import Rule, TransferSettings, find_settings
from morphface.edit.sliders import GAZE_LIMITS
from morphface.edit.spaces import Directions, Places, Rotations, Space, Vectors, mean
from morphface.edit.weights import clamped, full_expression, lid_columns
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters

__all__ = ["transfer"]

Pair = tuple[FaceParameters, FaceParameters]
Given = tuple[FaceParameters | None, FaceParameters | None]
Group = Callable[[FaceParameters], Tensor]

_GROUPS: dict[str, tuple[Space, Group]] = {
    "rotation": (Rotations(), lambda face: face.rotation),
    "translation": (Places(), head_centre),
    "expression": (Vectors(), lambda face: face.expression),
    "gaze": (Directions(), lambda face: face.gaze),
}
_STILL = 1e-6


def transfer(
    source: FaceParameters,
    target: FaceParameters,
    settings: str | TransferSettings = "reenact",
    *,
    source_model: MorphableModel | None = None,
    target_model: MorphableModel | None = None,
    source_reference: FaceParameters | None = None,
    target_reference: FaceParameters | None = None,
) -> FaceParameters:
    """The target that moves as the source does.

    Identity, reflectance and light are the target's. A source or target of one frame (a photo)
    stands for as many as the other one has. Where everything is transferred, the result has the
    source's frames, and takes the mean of the target's light if the numbers differ; where
    something of the target is kept, they must be the same.

    Args:
        source: whose motion it is.
        target: who shall move.
        settings: a mode of `MODES`, or what to do with each group.
        source_model: that the source belongs to; None means the target's.
        target_model: that the target belongs to; None means the source's, or the open head.
            A source of another model is converted to the target's.
        source_reference: one frame that relative motion starts from, of the source's model,
            instead of what the settings say.
        target_reference: one frame that the motion is put onto, likewise.

    Raises:
        ParameterError: the settings are unknown, or need more frames than there are.
        ShapeError: numbers of frames differ where they must not, or parameters do not belong
            to their model.
        ModelError: the models are different and cannot be converted.
    """
    chosen = find_settings(settings)
    model = target_model or source_model or load_model("open-head")
    first = source_model or model
    given = (source_reference, target_reference)
    for name, faces, head in (("source", source, first), ("target", target, model)):
        _check_sizes(name, faces, head)
    check_frames(source, target, chosen, given)
    source, given = _same_model(source, given, first, model)
    pair = (_whole(source, model), _whole(target, model))
    with one_torch_thread():  # a second one is no gain, and costs tenfold on a busy machine
        references = _references(pair, given, chosen, model)
        return _Plan(pair, references, chosen, model).result()


@dataclass(frozen=True)
class _Plan:
    """Source and target with all coefficients of one model, and what to do with them."""

    pair: Pair
    references: Pair
    settings: TransferSettings
    model: MorphableModel

    @property
    def frames(self) -> int:
        source, target = self.pair
        return target.frames if source.frames == 1 else source.frames

    def result(self) -> FaceParameters:
        """The target that moves."""
        rows = {"expression": self.expression(), "gaze": self.gaze()}
        if not self.settings.rotation.how == self.settings.translation.how == "keep":
            rows["rotation"] = self.moved("rotation")
            rows["translation"] = self.moved("translation") - arm(rows["rotation"])
        return replace(_lit(self.pair[1], self.frames), **rows)

    def moved(self, name: str, rule: Rule | None = None) -> Tensor:
        """A group of the result, in all frames."""
        space, group = _GROUPS[name]
        source, target = (group(face) for face in self.pair)
        starts = (group(self.references[0]), group(self.references[1]))
        chosen = rule or self.settings.rules[name]
        values = _followed(space, (source, target), starts, chosen.how)
        if chosen.clamp is not None and chosen.how != "keep":
            values = _clamped(space, values, target, chosen.clamp)
        values = values.expand(self.frames, *values.shape[1:])
        if chosen.smooth > 1 and chosen.how != "keep":
            values = space.box(values, chosen.smooth)
        return values

    def gaze(self) -> Float[Tensor, "T 2 2"]:
        """Of the result, within what eyes can do."""
        reach = torch.tensor([radians(limit) for limit in GAZE_LIMITS])
        gaze = self.moved("gaze")
        if self.settings.gaze.how == "keep":
            return gaze
        return torch.minimum(torch.maximum(gaze, -reach), reach)

    def expression(self) -> Float[Tensor, "T E"]:
        """Of the result: the part that is transferred, and the lids that follow the gaze."""
        rule, part = self.settings.expression, self.settings.part
        out = self.moved("expression")
        lids = lid_columns(self.model)
        if lids:
            out = out.clone()
            out[:, lids] = self.moved("expression", self.settings.gaze)[:, lids]
        if rule.how in ("absolute", "relative") and part != "mouth" and self.settings.match_eyes:
            out = self._eyes(out)
        if rule.how != "keep" and part != "face":
            out = self._only(out, part, lids)
        return out if rule.how == self.settings.gaze.how == "keep" else clamped(out, self.model)

    def _eyes(self, expression: Tensor) -> Tensor:
        source, target = (openings_of(face, self.model) for face in self.pair)
        if source is None or target is None:
            return expression
        return matched_eyes(expression, self.model, source, target)

    def _only(self, expression: Tensor, part: str, lids: list[int]) -> Tensor:
        """The target's expression with one part of it changed."""
        share = mouth_share(self.model)
        if part == "upper":
            share = torch.eye(len(share)) - share
        kept = self.pair[1].expression
        out = kept + (expression - kept) @ share.T
        out[:, lids] = expression[:, lids]
        return out


def _followed(
    space: Space, pair: tuple[Tensor, Tensor], starts: tuple[Tensor, Tensor], how: str
) -> Tensor:
    """The values of the result, before they are limited and smoothed."""
    source, target = pair
    if how == "keep":
        return target
    if how == "absolute":
        return source
    if how == "relative":
        return space.back(space.away(source, starts[0]), starts[1])
    here, there = mean(space, source), mean(space, target)
    offsets = space.away(source, here)
    spread, wanted = _spread(offsets), _spread(space.away(target, there))
    ratio = torch.where(spread > _STILL, wanted / spread.clamp(min=_STILL), 0.0)
    return space.back(offsets * ratio, there)


def _spread(offsets: Tensor) -> Tensor:
    return offsets.std(dim=0, correction=0)


def _clamped(space: Space, values: Tensor, target: Tensor, limit: float) -> Tensor:
    """The values within so many of the target's standard deviations about its mean."""
    centre = mean(space, target)
    reach = limit * _spread(space.away(target, centre))
    offsets = space.away(values, centre)
    return space.back(torch.minimum(torch.maximum(offsets, -reach), reach), centre)


def _lit(target: FaceParameters, frames: int) -> FaceParameters:
    """The target in as many frames, with its mean light if it had another number."""
    if target.frames == frames:
        return target
    light = target.illumination.mean(dim=0, keepdim=True)
    return repeated(replace(target[0], illumination=light), frames)


def _whole(face: FaceParameters, model: MorphableModel) -> FaceParameters:
    if face.expression.shape[1] == model.expression.rank:
        return face
    return replace(face, expression=full_expression(face, model))


def _references(
    pair: Pair, given: Given, settings: TransferSettings, model: MorphableModel
) -> Pair:
    """The frame of the source that relative motion starts from, and that of the target."""
    relative = [name for name, rule in settings.rules.items() if rule.how == "relative"]
    if not relative:
        return pair[0][0], pair[1][0]
    if settings.reference == "neutral":
        # The lids of the eyes follow the gaze, and belong to the expression.
        groups = {*relative, "expression"} if "gaze" in relative else relative
        found = [g or neutral(f, model, groups=groups) for g, f in zip(given, pair, strict=True)]
    elif settings.reference == "first":
        found = [g or f[0] for g, f in zip(given, pair, strict=True)]
    else:
        target = given[1] or pair[1][closest_frame(pair[1], neutral(pair[1], model), model)]
        found = [given[0] or pair[0][closest_frame(pair[0], target, model)], target]
    return _whole(found[0], model), _whole(found[1], model)


def _check_sizes(name: str, face: FaceParameters, model: MorphableModel) -> None:
    have = (face.identity.shape[1], face.expression.shape[1])
    most = (model.identity.rank, model.expression.rank)
    if have[0] > most[0] or have[1] > most[1]:
        raise ShapeError(
            f"{name} has {have[0]} identity and {have[1]} expression coefficients, but model "
            f"{model.name!r} has {most[0]} and {most[1]}; pass the models of both as "
            "source_model= and target_model=, and the source will be converted"
        )


def _same_model(
    source: FaceParameters, given: Given, first: MorphableModel, model: MorphableModel
) -> tuple[FaceParameters, Given]:
    """The source, and its reference, in the coefficients of the target's model."""
    if first is model:
        return source, given
    from morphface.models.conversion import convert_parameters
    from morphface.models.landmark_file import fingerprint

    if fingerprint(first) == fingerprint(model):
        return source, given
    try:
        moved = convert_parameters(source, first, model).parameters
        start = given[0] and convert_parameters(given[0], first, model).parameters
    except ModelError as error:
        raise ModelError(
            f"source is of model {first.name!r} and target of {model.name!r}, and the one "
            f"cannot be converted to the other: {error}"
        ) from error
    return moved, (start, given[1])
