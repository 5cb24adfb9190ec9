"""What a training run may be told. Defaults are those of Deep Video Portraits, section 5."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from morphface.core.errors import ParameterError
from morphface.generate.losses import ADVERSARIAL
from morphface.generate.networks.backbones import BACKBONES

__all__ = ["PRECISIONS", "USUAL_SETTINGS", "TrainSettings"]

PRECISIONS = ("no", "bf16", "fp16")
_WEIGHTS = (
    "l1",
    "matching",
    "temporal",
    "mouth",
    "vgg",
    "outside",
    "moved",
    "mask",
    "code",
    "flow",
    "named",
    "equivariance",
    "apart",
    "smooth",
)


@dataclass(frozen=True)
class TrainSettings:
    """How a generator is trained.

    Args:
        steps: of both networks; 31,000 are about 250 rounds over 2,000 frames.
        batch: windows in a step, over all processes together.
        rate: of Adam.
        betas: of Adam.
        l1: weight of the mean absolute difference.
        adversarial: form of the adversarial loss, from `losses.ADVERSARIAL`; "none" leaves it out.
        matching: weight of feature matching.
        temporal: weight of the temporal term, which makes two neighbouring frames a sample.
        mouth: how much more pixels count that the window's dataset marks as the mouth, in flows,
            too.
        vgg: weight of the perceptual term, the difference of features of VGG19; papers have 10.
        vgg_weights: path of torchvision's weights of VGG19; None looks in the caches.
        ema: decay of the running mean of weights, which is what is used in the end.
        precision: of the forward pass: "no" (float32), "bf16" or "fp16".
        seed: of weights, of the order of windows and of dropout.
        every: steps between checkpoints, sample pictures and validations.
        decay: share of the steps, the last ones, over which the rate falls to nothing.
        judged: the discriminator learns every so many steps.
        outside: how much pixels beside the mesh count in the mean absolute difference, one-shot.
        moved: how much the moved photo's differences count beside the frame's, one-shot.
        mask: weight of the difference of the flow's mask from the mattes, one-shot.
        code: weight of the difference of what the network reads off photos from their maps, conr.
        flow: weight of the difference of flows in pixels from that of the mesh where both show the
            surface, dagan and lia.
        named: weight of the difference of a motion's first numbers from parameters with names, in
            what `taught_values` counts as one, of rendered people and tracked clips; half of the
            frames are then made of those alone, lia.
        equivariance: weight of the differences of key points that are found in a bent picture, and
            of their Jacobians, from those found in it, bent; dagan that finds them.
        apart: weight of how far pairs of key points are nearer than 0.2 halves of the picture,
            the same.
        smooth: weight of how disparity changes from pixel to pixel, depth.
        vgg_scales: at how many sizes the perceptual term compares, each half of the one before.
        length: how many steps go through consecutive frames of the same takes, one-shot.
        lengthen: steps after which that doubles, again and again; 0: never.
        photos: of a take at most, one-shot: each step sees a random number of them.
        eyes: whose features the perceptual term compares: a name from `BACKBONES`, or "auto" for
            the first whose weights are on this machine, and no term if none are.
        points: of a picture in a step, implicit.

    Raises:
        ParameterError: a value is none of those.
    """

    steps: int = 31_000
    batch: int = 16
    rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    l1: float = 100.0
    adversarial: str = "vanilla"
    matching: float = 0.0
    temporal: float = 0.0
    mouth: float = 0.0
    vgg: float = 0.0
    vgg_weights: str | None = None
    ema: float = 0.999
    precision: str = "no"
    seed: int = 0
    every: int = 500
    decay: float = 0.0
    judged: int = 1
    outside: float = 1.0
    moved: float = 0.0
    mask: float = 0.0
    code: float = 0.0
    flow: float = 0.0
    named: float = 0.0
    equivariance: float = 0.0
    apart: float = 0.0
    smooth: float = 0.0
    vgg_scales: int = 1
    length: int = 1
    lengthen: int = 0
    eyes: str = "vgg19"
    photos: int = 1
    points: int = 8000

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.every) < 1 or not self.rate > 0:
            raise ParameterError(
                "steps, batch, every and rate must be positive, "
                f"got {self.steps}, {self.batch}, {self.every} and {self.rate}"
            )
        if self.adversarial not in (*ADVERSARIAL, "none"):
            raise ParameterError(
                f"adversarial must be one of {', '.join(ADVERSARIAL)}, none, "
                f"got {self.adversarial!r}"
            )
        if self.precision not in PRECISIONS:
            raise ParameterError(
                f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}"
            )
        if not (0 <= self.ema < 1 and 0 <= self.decay <= 1):
            raise ParameterError(
                f"ema must be in [0, 1) and decay in [0, 1], got {self.ema} and {self.decay}"
            )
        if min(getattr(self, name) for name in _WEIGHTS) < 0:
            raise ParameterError("weights of losses must not be negative")
        counts = self.judged, self.length, self.photos, self.vgg_scales, self.points
        if min(counts) < 1 or self.lengthen < 0:
            raise ParameterError(
                "judged, length, photos, vgg_scales and points must be positive and lengthen not "
                f"negative, got {', '.join(map(str, counts))} and {self.lengthen}"
            )
        if self.eyes not in ("auto", *BACKBONES):
            raise ParameterError(
                f"eyes must be one of {', '.join(BACKBONES)}, auto, got {self.eyes!r}"
            )

    def rate_at(self, step: int) -> float:
        """The rate of Adam in a step.

        Args:
            step: from 0.
        """
        falling = self.decay * self.steps
        return self.rate * min((self.steps - step) / falling, 1.0) if falling else self.rate

    def length_at(self, step: int) -> int:
        """How many steps go through the same takes from a step on.

        Args:
            step: from 0.
        """
        return self.length << (step // self.lengthen if self.lengthen else 0)

    def replace(self, **changes: Any) -> "TrainSettings":
        """A copy with other values."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, usual: "TrainSettings | None" = None) -> "TrainSettings":
        """The inverse of `to_json`.

        Args:
            text: JSON.
            usual: has the fields that are missing; None takes the defaults.

        Raises:
            ParameterError: the text is none, or has other fields.
        """
        try:
            values = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise ParameterError(f"settings of a training are JSON, but {error}") from error
        odd = sorted(set(values) - {field.name for field in fields(cls)})
        if odd:
            raise ParameterError(f"settings of a training have no {', '.join(odd)}")
        if "betas" in values:
            values["betas"] = tuple(values["betas"])
        return (usual or cls()).replace(**values)


USUAL_SETTINGS: dict[str, TrainSettings] = {
    "dvp": TrainSettings(),
    "headgan": TrainSettings(
        steps=100_000,
        batch=6,
        l1=50.0,
        adversarial="hinge",
        matching=10.0,
        vgg=10.0,
        decay=0.4,
        judged=4,
        outside=0.5,
        moved=1.0,
        mask=10.0,
        length=6,
        lengthen=20_000,
        eyes="auto",
    ),
    "conr": TrainSettings(
        steps=100_000,
        batch=6,
        l1=50.0,
        adversarial="none",
        vgg=10.0,
        decay=0.4,
        moved=1.0,
        mask=10.0,
        code=10.0,
        eyes="auto",
        photos=4,
    ),
    "dagan": TrainSettings(
        steps=100_000,
        batch=4,
        l1=10.0,
        adversarial="least_squares",
        matching=10.0,
        vgg=10.0,
        equivariance=10.0,
        apart=10.0,
        vgg_scales=4,
        eyes="auto",
    ),
    "depth": TrainSettings(
        steps=20_000,
        batch=64,
        rate=1e-5,
        betas=(0.9, 0.999),
        adversarial="none",
        smooth=1e-3,
    ),
    "lia": TrainSettings(
        steps=800_000,
        batch=32,
        rate=1.6e-3,
        betas=(0.0, 0.99**0.8),
        l1=1.0,
        adversarial="vanilla",
        vgg=10.0,
        vgg_scales=4,
        judged=1,
        eyes="auto",
    ),
    "implicit": TrainSettings(
        steps=100_000,
        batch=4,
        rate=1e-3,
        betas=(0.9, 0.999),
        adversarial="none",
        decay=0.4,
    ),
}
"""How each kind of generator is trained unless told otherwise: Deep Video Portraits, section 5;
HeadGAN's public code, with a teacher for hair and background, which that has not. Of CoNR only the
kinds of losses are published; weights are those of HeadGAN. Of DaGAN
and LIA those of their public code, with a difference of pixels for DaGAN, which has none. Of the
depth of DaGAN batch, rate and smoothness are published, and 20 rounds over its films. Of PIFuHD
the rate and the points are published; Adam is in place of RMSProp, and the rate falls evenly."""
