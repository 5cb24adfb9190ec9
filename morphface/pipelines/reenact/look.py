"""What a video of a run shows, and how it is written down: the wishes of whoever makes it."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.media.crop import Crop
from morphface.parameters import FaceParameters

__all__ = ["Look", "Motion"]

SOUNDS = ("driver", "target", "none")


@dataclass(frozen=True)
class Look:
    """What is written.

    Args:
        compare: write a second video with source, target, maps and result side by side.
        label: write `synthetic` into a corner of the frames.
        crop_only: write the square that the network makes, not the frame that it is a part of.
        clip: the clip that the run was trained on; None looks where it was seen last.
        sound: of the "driver", the "target", or "none".

    Raises:
        ParameterError: the sound is none of these.
    """

    compare: bool = False
    label: bool = True
    crop_only: bool = False
    clip: str | Path | None = None
    sound: str = "driver"

    def __post_init__(self) -> None:
        if self.sound not in SOUNDS:
            raise ParameterError(f"sound must be one of {', '.join(SOUNDS)}, got {self.sound!r}")


@dataclass(frozen=True, eq=False)
class Motion:
    """What the target of a run does.

    Args:
        parameters: of the frames to make.
        rows: of the target's track, whose frames are behind the made ones.
        times: of the frames, in seconds; of the driver's file, if there is one.
        rate: frames a second.
        video: that shows the driver; None if there is none.
        crop: of the driver's frames, for the comparison.
    """

    parameters: FaceParameters
    rows: Int[Tensor, " T"]
    times: Float[Tensor, " T"]
    rate: float
    video: Path | None = None
    crop: Crop | None = None
