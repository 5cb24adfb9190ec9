"""How far a fit may be believed: one number, and named warnings with theirs."""

from dataclasses import dataclass

from morphface.core.errors import ParameterError

__all__ = ["WARNINGS", "Kind", "Verdict", "Warned", "check_kinds"]


@dataclass(frozen=True)
class Kind:
    """A kind of warning.

    Args:
        name: what programs call it.
        words: what people are told; `{}` is the number.
        limit: from which number on there is a warning.
        fatal: from which number on the fit is not believed; None for never.
        below: whether the numbers that warn are those below the limit.
    """

    name: str
    words: str
    limit: float
    fatal: float | None = None
    below: bool = False

    def passes(self, value: float, limit: float) -> bool:
        """Whether a number is on the side of a limit that warns; NaN never is."""
        return value < limit if self.below else value > limit


WARNINGS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("small", "the face is small, {:.0f} pixels", 60, 24, below=True),
        Kind("blurred", "the face is blurred, by {:.0%} of its size", 0.04, 0.06),
        Kind("noisy", "the picture is noisy, by {:.0%} of full brightness", 0.07),
        Kind("dark", "the face is dark, {:.0%} of full brightness", 0.12, 0.02, below=True),
        Kind("saturated", "{:.0%} of the face is overexposed", 0.15),
        Kind("cut", "{:.0%} of the face is outside the picture", 0.05, 0.35),
        Kind("turned", "the face is turned away by {:.0f} degrees", 45, 80),
        Kind("occluded", "{:.0%} of the face seems to be covered", 0.15, 0.6),
        Kind("landmarks_pixels", "landmarks and pixels disagree, by {:.3f} eye distances", 0.06),
        Kind(
            "landmarks_detector",
            "the detector sees the face elsewhere, by {:.2f} eye distances",
            0.15,
            0.3,
        ),
        Kind("detector_pose", "the detector sees the head turned by {:.0f} degrees more", 15, 30),
        Kind("contradictory", "landmarks contradict each other, {:.3f} eye distances", 0.04, 0.2),
        Kind("facing", "{:.0%} of the landmarks lie on what faces away", 0.2, 0.5),
        Kind("colours", "colours are unexplained, {:.3f} off", 0.15, 0.3),
        Kind(
            "unlike", "brightness is not that of a face, correlation {:.2f}", 0.5, 0.2, below=True
        ),
        Kind("bound", "the shape is at {:.0%} of the model's bound", 0.9),
        Kind("focal", "the focal length is a guess of {:.1f} picture sides", 0.0),
        Kind(
            "axis",
            "a lens of {:.1f} picture sides is long: if the picture was cut from a larger one, the "
            "head comes out turned, and camera= (--camera) mends it",
            2.0,
        ),
        Kind("expression", "the expression is implausible, {:.0f} weights at their end", 5),
        Kind("overlap", "another face overlaps by {:.0%}", 0.2),
    )
}
"""All warnings that there are, by name."""


@dataclass(frozen=True)
class Warned:
    """A warning.

    Args:
        name: of its kind.
        value: its number.
    """

    name: str
    value: float

    @property
    def words(self) -> str:
        """For people."""
        return WARNINGS[self.name].words.format(self.value)


@dataclass(frozen=True)
class Verdict:
    """How far a fit may be believed.

    Args:
        quality: probability that pose and surface are right, 0 to 1.
        warnings: what speaks against it, or makes it less exact.
        converged: whether it may be believed.
        reason: why not, in a sentence; empty when it may.
    """

    quality: float
    warnings: tuple[Warned, ...]
    converged: bool
    reason: str

    def record(self) -> dict[str, object]:
        """As plain JSON values."""
        return {
            "quality": round(self.quality, 4),
            "warnings": [
                {"name": one.name, "value": round(one.value, 4), "words": one.words}
                for one in self.warnings
            ],
        }


def check_kinds(names: "tuple[str, ...] | list[str]") -> tuple[str, ...]:
    """The names of kinds of warnings; "all" is every kind but those of the lens.

    Args:
        names: as people type them.

    Raises:
        ParameterError: one of them is none.
    """
    if list(names) == ["all"]:
        return tuple(name for name in WARNINGS if name not in ("focal", "axis"))
    unknown = [name for name in names if name not in WARNINGS]
    if unknown:
        raise ParameterError(
            f"there is no warning {unknown[0]!r}: known are all, {', '.join(WARNINGS)}"
        )
    return tuple(names)
