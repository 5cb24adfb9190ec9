"""What tracking may be told: every weight with its unit; defaults marked "measured" were chosen
on rendered and real clips (`benchmarks/bench_track.py` repeats the check).
"""

from dataclasses import dataclass, field, fields

from morphface.core.errors import ParameterError
from morphface.fit.analysis.settings import GROUPS, PhotometricSettings, Stage
from morphface.geometry.camera import Camera
from morphface.geometry.focal import FocalLength, check_focal

__all__ = ["PEOPLE", "STAGES", "Inertia", "VideoSettings"]

STAGES = ("linear", "pixels")
"""How far each frame is fitted: to landmarks alone, or to landmarks and pixels."""

PEOPLE = (1, 64)
"""The least and the most people that can be tracked in a video."""
_MAY_BE_ZERO = ("predicted_frames", "confirm")
_PERSON = tuple(name for name in GROUPS if name != "focal")
_KEY_STAGES = (
    Stage(2.4, 1000, 4, ("reflectance", "illumination", "rotation", "translation")),
    Stage(2.4, 1000, 5, _PERSON),
    Stage(1.2, 1600, 6, _PERSON),
)


@dataclass(frozen=True)
class Inertia:
    """The temporal prior: how far each group moves from one frame to the next while it is still.

    Values are standard deviations for frames a 25th of a second apart. What the landmarks show to
    move more than their noise is free to do so at once (measured, all of them).

    Args:
        expression: share of a weight's range, or standard deviations of a coefficient.
        gaze: radians.
        illumination: of its coefficients.
        rotation: radians.
        translation: millimetres, across the line of sight.
        depth: millimetres, along it.
        significance: multiple of the landmarks' noise from which a motion is one.
        release: standard deviation that motion then has, in sizes of the motion.
    """

    expression: float = 0.03
    gaze: float = 0.02
    illumination: float = 0.01
    rotation: float = 0.002
    translation: float = 0.1
    depth: float = 0.4
    significance: float = 2.0
    release: float = 4.0

    def __post_init__(self) -> None:
        for item in fields(self):
            if not getattr(self, item.name) > 0:
                raise ParameterError(
                    f"{item.name} must be positive, got {getattr(self, item.name)}"
                )


@dataclass(frozen=True)
class VideoSettings:
    """Choices, weights and limits of `fit_video`.

    Args:
        stage: "linear" fits each frame to its landmarks alone, "pixels" to its pixels, too.
        people: the most people that are tracked, over the whole video.
        key_frames: how many frames a person's identity, reflectance and camera come from.
        first_frames: from how many frames at the beginning of a stream key frames are chosen,
            where none are given.
        focal: focal length in pixels, or a 35-mm equivalent as text, such as "50mm"; None
            estimates it.
        camera: that took the video, where it is calibrated, which counts before `focal`.
        photometric: how key frames are fitted to pixels.
        spacing: millimetres of the face between pixels at which frames are compared (measured).
        points: how many points of the skin are compared (measured).
        steps: Gauss-Newton steps on pixels for each frame (measured).
        inertia: the temporal prior; None leaves each frame to itself, started from the last.
        predicted_frames: for how many frames in a row a face may be carried on by its motion
            while the detector misses it.
        look_every: after how many frames the whole picture is looked at again while somebody is
            missing.
        search_every: after how many it is searched for small faces then, in a picture of 640 x 360
            pixels; in larger ones, which take longer, after accordingly more.
        confirm: whether a new face is looked at twice before it is believed.
        ahead: how many frames the detector may be ahead.
        largest_nme: landmark error from which a face is none, in eye distances.
        largest_rmse: difference of colours from which they are unexplained; then the frame is
            fitted to its landmarks alone.
    """

    stage: str = "pixels"
    people: int = 1
    key_frames: int = 6
    first_frames: int = 25
    focal: FocalLength | None = None
    camera: Camera | None = None
    photometric: PhotometricSettings = field(
        default_factory=lambda: PhotometricSettings(stages=_KEY_STAGES, fine_grain=0.0)
    )
    spacing: float = 2.0
    points: int = 1000
    steps: int = 2
    inertia: Inertia | None = field(default_factory=Inertia)
    predicted_frames: int = 8
    look_every: int = 5
    search_every: int = 10
    confirm: bool = True
    ahead: int = 8
    largest_nme: float = 0.08
    largest_rmse: float = 0.15

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ParameterError(f"stage must be one of {', '.join(STAGES)}, got {self.stage!r}")
        check_focal(self.focal)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and not value > 0 and item.name not in _MAY_BE_ZERO:
                raise ParameterError(f"{item.name} must be positive, got {value}")
        if self.people > PEOPLE[1]:
            raise ParameterError(f"people must be at most {PEOPLE[1]}, got {self.people}")
        if self.predicted_frames < 0:
            raise ParameterError(
                f"predicted_frames must not be negative, got {self.predicted_frames}"
            )
