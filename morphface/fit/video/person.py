"""A person whose identity, reflectance and camera are known: what each frame starts from."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.video.settings import VideoSettings
from morphface.geometry.camera import Camera
from morphface.models import ArticulatedModel, LinearBasis, MorphableModel

__all__ = ["Person", "frozen"]


@dataclass(frozen=True, eq=False)
class Person(Record):
    """Somebody in a video.

    Args:
        number: from 0, in order of appearance.
        identity: coefficients.
        reflectance: coefficients.
        camera: that takes the video.
        model: one whose mean is this person, and whose coefficients are of expression alone.
        illumination: usual light of this person.
        gain: of the channels beyond what light explains.
        grey: whether the video has no colours.
        rmse: usual difference of colours between this person and a frame; 0 where pixels were
            not asked, NaN where they were and could not be explained.
        nme: usual landmark error.
        frames: numbers of the key frames.
        converged: whether the fit to the key frames may be trusted.
        reason: why not; empty when it may.
    """

    number: int
    identity: Float[Tensor, "1 I"]
    reflectance: Float[Tensor, "1 A"]
    camera: Camera
    model: MorphableModel
    illumination: Float[Tensor, "9 3"]
    gain: Float[Tensor, "3"]
    grey: bool
    rmse: float
    nme: float
    frames: tuple[int, ...]
    converged: bool
    reason: str

    def coloured(self, settings: VideoSettings) -> bool:
        """Whether frames can be compared with this person's colours.

        Args:
            settings: whether pixels are asked.
        """
        return settings.stage == "pixels" and math.isfinite(self.rmse)

    @property
    def compared(self) -> bool:
        """Whether pixels were asked who this is."""
        return self.rmse != 0

    @property
    def albedo(self) -> Float[Tensor, "V 3"]:
        """Colours of the vertices; refused by models without them.

        Raises:
            ModelError: nobody fitted colours, and the model has none.
        """
        return self.model.albedo(torch.zeros(0))


def frozen(
    model: MorphableModel, identity: Float[Tensor, "1 I"], albedo: Float[Tensor, "V 3"] | None
) -> MorphableModel:
    """A model of one person: no identity and no reflectance coefficients are left.

    Args:
        model: of all people.
        identity: of the person.
        albedo: of the person; None where it is not known.
    """
    person = replace(
        model,
        identity=_fixed(model.identity, identity),
        reflectance=None if albedo is None else LinearBasis(albedo, model.identity.directions[:0]),
    )
    if isinstance(person, ArticulatedModel):
        joints = _fixed(person.rig.joints, identity)
        return replace(person, rig=replace(person.rig, joints=joints))
    return person


def _fixed(basis: LinearBasis, coefficients: Float[Tensor, "1 k"]) -> LinearBasis:
    return LinearBasis(basis.instance(coefficients)[0], basis.directions[:0])
