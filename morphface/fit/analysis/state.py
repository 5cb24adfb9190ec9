"""Where the fit stands, and which column of the Jacobian moves what.

A person has one identity and one reflectance; each photo has a look of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.settings import GROUPS
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Columns", "Look", "first_look"]

_SHARED = ("identity", "reflectance")


@dataclass(frozen=True, eq=False)
class Look(Record):
    """What one photo shows: a person's coefficients, and how they were seen.

    Args:
        identity: coefficients.
        expression: weights or coefficients.
        gaze: (yaw, pitch) of the left and the right eye.
        reflectance: coefficients.
        illumination: of the light.
        rotation: matrix, head to camera.
        translation: of the head's origin, in the camera frame.
        focal: in pixels of the photo.
        shade: how much counts of what the head hides of the light from itself, 0 to 1.
    """

    identity: Float[Tensor, " I"]
    expression: Float[Tensor, " E"]
    gaze: Float[Tensor, "2 2"]
    reflectance: Float[Tensor, " A"]
    illumination: Float[Tensor, "9 3"]
    rotation: Float[Tensor, "3 3"]
    translation: Float[Tensor, "3"]
    focal: Float[Tensor, ""]
    shade: Float[Tensor, ""] = field(default_factory=lambda: torch.zeros(()))

    def moved(self, step: dict[str, Tensor]) -> "Look":
        """This look after a step. A rotation turns the camera frame; a focal step is of its log."""
        plain = {
            name: getattr(self, name) + change.reshape(getattr(self, name).shape)
            for name, change in step.items()
            if name not in ("rotation", "focal")
        }
        if "rotation" in step:
            plain["rotation"] = roma.rotvec_to_rotmat(step["rotation"]) @ self.rotation
        if "focal" in step:
            plain["focal"] = self.focal * step["focal"].reshape(()).clamp(-0.5, 0.5).exp()
        return replace(self, **plain)


def first_look(parameters: FaceParameters, camera: Camera, like: Tensor) -> Look:
    """The look of one frame of parameters, on the device of `like`, in its precision."""
    groups = ("identity", "expression", "gaze", "reflectance", "illumination", "translation")
    return Look(
        rotation=roma.rotvec_to_rotmat(parameters.rotation[0]).to(like),
        focal=camera.focal.to(like).reshape(()),
        **{name: getattr(parameters, name)[0].to(like) for name in groups},
    )


@dataclass(frozen=True, eq=False)
class Columns:
    """Which unknown is where, in one photo's Jacobian and in the whole problem.

    The whole problem has the shared groups first, then photo after photo.

    Args:
        widths: of each group, in the order of a photo's columns.
        photos: how many there are.
    """

    widths: dict[str, int]
    photos: int

    @classmethod
    def of(cls, model: MorphableModel, photos: int) -> "Columns":
        """The columns of a model."""
        colours = 0 if model.reflectance is None else model.reflectance.rank
        sizes = (model.identity.rank, model.expression.rank, 4, colours, 27, 3, 3, 1)
        return cls(dict(zip(GROUPS, sizes, strict=True)), photos)

    @property
    def local(self) -> dict[str, slice]:
        """Where each group is among one photo's columns."""
        ends = np.cumsum(list(self.widths.values())).tolist()
        return {
            name: slice(end - width, end)
            for (name, width), end in zip(self.widths.items(), ends, strict=True)
        }

    @property
    def width(self) -> int:
        """Columns of one photo."""
        return sum(self.widths.values())

    @property
    def total(self) -> int:
        """Unknowns of the whole problem."""
        shared = sum(self.widths[name] for name in _SHARED)
        return shared + self.photos * (self.width - shared)

    def place(self, photo: int) -> Int[np.ndarray, " P"]:
        """For each column of a photo, which unknown of the whole it is."""
        shared = {"identity": 0, "reflectance": self.widths["identity"]}
        start = self.widths["identity"] + self.widths["reflectance"]
        own = start + photo * (self.width - start)
        parts = []
        for name, width in self.widths.items():
            if name in shared:
                parts.append(shared[name] + np.arange(width))
            else:
                parts.append(own + np.arange(width))
                own += width
        return np.concatenate(parts)

    def mask(self, names: Sequence[str]) -> Int[np.ndarray, " P"]:
        """Which columns of a photo belong to these groups."""
        spans = self.local
        parts = [np.arange(spans[name].start, spans[name].stop) for name in GROUPS if name in names]
        return np.concatenate([*parts, np.empty(0, dtype=int)]).astype(int)

    def read(self, step: Float[np.ndarray, " P"], like: Look) -> dict[str, Tensor]:
        """One photo's part of a step, by group."""
        flat = torch.from_numpy(step).to(like.focal)
        return {name: flat[span] for name, span in self.local.items() if span.stop > span.start}
