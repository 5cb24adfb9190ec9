"""What a transfer does with each group of parameters, and the usual jobs by name."""

from dataclasses import dataclass, field

from morphface.core.errors import ParameterError
from morphface.edit.names import unknown

__all__ = ["HOWS", "MODES", "PARTS", "REFERENCES", "Rule", "TransferSettings", "find_settings"]

HOWS = ("keep", "absolute", "relative", "standardised")
PARTS = ("face", "mouth", "upper")
REFERENCES = ("neutral", "closest", "first")


@dataclass(frozen=True)
class Rule:
    """How one group comes from the source to the target.

    Args:
        how: "keep" leaves the target's. "absolute" takes the source's values. "relative" adds
            the source's change from its reference to the target's reference. "standardised"
            gives the source's motion the target's mean and standard deviation.
        clamp: how many of the target's standard deviations the result may be away from the
            target's mean; None does not limit it.
        smooth: frames of a box filter over the result, an odd number; 1 does not smooth.

    Raises:
        ParameterError: `how` is unknown, `clamp` is negative, or `smooth` is even or below 1.
    """

    how: str = "absolute"
    clamp: float | None = None
    smooth: int = 1

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise ParameterError(unknown("way of transfer", self.how, HOWS))
        if self.clamp is not None and not self.clamp >= 0:
            raise ParameterError(
                f"clamp must be a number of standard deviations from 0 up, got {self.clamp:g}"
            )
        if self.smooth < 1 or self.smooth % 2 == 0:
            raise ParameterError(
                f"smooth must be an odd number of frames from 1 up, got {self.smooth}"
            )


@dataclass(frozen=True)
class TransferSettings:
    """What a transfer does. Identity, reflectance and light always stay the target's.

    Args:
        rotation: of the head.
        translation: of the head's centre. Relative means that sideways moves are millimetres
            and moves in depth are ratios, since depth is what scales a face in a picture.
        expression: of the face, in the parts that `part` names.
        gaze: of the eyes in the head; the `eyeLook` expressions, with which lids follow the
            eyes, go with it.
        part: "face", "mouth" (what moves the lower half of the face) or "upper" (the rest).
        reference: what relative motion is relative to. "neutral" is the mean pose and gaze,
            and the resting expression, which is estimated from the sequence. "closest" is the
            target's frame that is nearest to its own neutral, and the source's frame of the
            most similar pose and openings of eyes and mouth. "first" is the first frame.
        match_eyes: open and close the target's eyes by the same share of their own opening as
            the source's, so that blinks close fully whatever the two identities; not for what
            is standardised.

    Raises:
        ParameterError: `part` or `reference` is unknown.
    """

    rotation: Rule = field(default_factory=lambda: Rule("absolute"))
    translation: Rule = field(default_factory=lambda: Rule("relative"))
    expression: Rule = field(default_factory=lambda: Rule("relative"))
    gaze: Rule = field(default_factory=lambda: Rule("absolute"))
    part: str = "face"
    reference: str = "neutral"
    match_eyes: bool = True

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise ParameterError(unknown("part of the face", self.part, PARTS))
        if self.reference not in REFERENCES:
            raise ParameterError(unknown("reference", self.reference, REFERENCES))

    @property
    def rules(self) -> dict[str, Rule]:
        """The rule of each group, by the group's name."""
        names = ("rotation", "translation", "expression", "gaze")
        return {name: getattr(self, name) for name in names}


_KEEP = Rule("keep")
MODES = {
    "reenact": TransferSettings(),
    "dub": TransferSettings(rotation=_KEEP, translation=_KEEP, gaze=_KEEP, part="mouth"),
    "pose_only": TransferSettings(expression=_KEEP, gaze=_KEEP),
    "gaze_only": TransferSettings(rotation=_KEEP, translation=_KEEP, expression=_KEEP),
}
"""The usual jobs: everything, speech, the head's motion, and the eyes' motion."""


def find_settings(settings: "str | TransferSettings") -> TransferSettings:
    """The settings, of which a name may be given.

    Args:
        settings: one of `MODES`, or what it shall be.

    Raises:
        ParameterError: there is no mode of this name.
    """
    if isinstance(settings, TransferSettings):
        return settings
    if settings not in MODES:
        raise ParameterError(unknown("mode of transfer", str(settings), MODES))
    return MODES[settings]
