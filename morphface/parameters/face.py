"""The parameters of a face: the one value that crosses every border of the toolkit."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.display import Displayed
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record

__all__ = ["FaceParameters"]

_SHAPES: dict[str, tuple[int | None, ...]] = {
    "identity": (None, None),
    "reflectance": (None, None),
    "expression": (None, None),
    "illumination": (None, 9, 3),
    "rotation": (None, 3),
    "translation": (None, 3),
    "gaze": (None, 2, 2),
}
_PER_PERSON = ("identity", "reflectance")
_VECTOR_ORDER = (
    "rotation",
    "translation",
    "identity",
    "reflectance",
    "expression",
    "gaze",
    "illumination",
)


@dataclass(frozen=True, eq=False)
class FaceParameters(Record, Displayed):
    """One person in T frames. Identity and reflectance have one row, everything else has T.

    Values of any precision, such as NumPy's float64, are held as float32.

    Args:
        identity: coefficients in standard deviations.
        expression: weights or coefficients, as the model's `expression.bounds` says.
        reflectance: coefficients in standard deviations.
        illumination: spherical-harmonic coefficients of R, G, B, in the camera frame.
        rotation: head to camera, rotation vector in radians.
        translation: head origin in the camera frame, in millimetres.
        gaze: (yaw, pitch) in radians of the left and the right eye, relative to the head.

    Raises:
        ShapeError: a group lacks its axes, or frames differ in number.
        ParameterError: a value is not finite.
    """

    identity: Float[Tensor, "1 I"]
    expression: Float[Tensor, "T E"]
    reflectance: Float[Tensor, "1 A"]
    illumination: Float[Tensor, "T 9 3"]
    rotation: Float[Tensor, "T 3"]
    translation: Float[Tensor, "T 3"]
    gaze: Float[Tensor, "T 2 2"]

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            value = getattr(self, name)
            value = torch.as_tensor(value, dtype=torch.float32)
            object.__setattr__(self, name, value)
            if value.ndim != len(shape):
                raise ShapeError(f"{name} must have {len(shape)} axes, got {tuple(value.shape)}")
            check_shape(name, value, *shape)
            check_finite(name, value)
            wanted = 1 if name in _PER_PERSON else self.frames
            if len(value) != wanted:
                raise ShapeError(f"{name} must have {wanted} rows, got {len(value)}")

    @property
    def frames(self) -> int:
        """How many frames the parameters describe."""
        return len(self.expression)

    @classmethod
    def neutral(
        cls, *, identity: int = 80, expression: int = 52, reflectance: int = 80, frames: int = 1
    ) -> "FaceParameters":
        """The mean face without expression, 600 mm before the camera, under grey light.

        Args:
            identity: how many coefficients.
            expression: how many coefficients.
            reflectance: how many coefficients.
            frames: how many frames.
        """
        away = torch.tensor([0.0, 0.0, -600.0])
        return cls(
            identity=torch.zeros(1, identity),
            expression=torch.zeros(frames, expression),
            reflectance=torch.zeros(1, reflectance),
            illumination=torch.zeros(frames, 9, 3),
            rotation=torch.zeros(frames, 3),
            translation=away.repeat(frames, 1),
            gaze=torch.zeros(frames, 2, 2),
        )

    def __getitem__(self, frame: int | slice) -> "FaceParameters":
        """The parameters of one frame, or of a range of frames."""
        rows = slice(frame, frame + 1 or None) if isinstance(frame, int) else frame
        kept = {
            name: getattr(self, name) if name in _PER_PERSON else getattr(self, name)[rows]
            for name in _SHAPES
        }
        return FaceParameters(**kept)

    def to_vector(self) -> Float[Tensor, "T D"]:
        """All groups in one row a frame.

        The order is rotation, translation, identity, reflectance, expression, gaze,
        illumination (Deep Video Portraits, section 3).
        """
        rows = [getattr(self, name).flatten(1).expand(self.frames, -1) for name in _VECTOR_ORDER]
        return torch.cat(rows, dim=1)

    @classmethod
    def from_vector(
        cls, vector: Float[Tensor, "T D"], *, identity: int, expression: int, reflectance: int
    ) -> "FaceParameters":
        """The inverse of `to_vector`. Identity and reflectance are read from the first frame.

        Raises:
            ParameterError: the vector's length does not fit the sizes.
        """
        widths = {
            "rotation": 3,
            "translation": 3,
            "identity": identity,
            "reflectance": reflectance,
            "expression": expression,
            "gaze": 4,
            "illumination": 27,
        }
        if vector.shape[-1] != sum(widths.values()):
            raise ParameterError(
                f"vector must have {sum(widths.values())} columns, got {vector.shape[-1]}"
            )
        groups = dict(zip(widths, vector.split(list(widths.values()), dim=-1), strict=True))
        groups["illumination"] = groups["illumination"].unflatten(-1, (9, 3))
        groups["gaze"] = groups["gaze"].unflatten(-1, (2, 2))
        for name in _PER_PERSON:
            groups[name] = groups[name][:1]
        return cls(**groups)
