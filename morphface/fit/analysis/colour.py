"""Colours that no light makes: grey photos, and channels that a camera or a filter has scaled."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.scene import Scene

__all__ = ["LUMINANCE", "Balance", "balance_of"]

LUMINANCE = (0.299, 0.587, 0.114)
_GREY = 0.02  # median difference of channels below which a photo has no colour
_PLAUSIBLE = (0.35, 1.7)  # brightness and chroma that light alone may explain


@dataclass(frozen=True, eq=False)
class Balance(Record):
    """From the model's colours to a photo's.

    Args:
        gain: of each channel, or None for 1.
        grey: whether the photo shows luminance alone.
    """

    gain: Float[Tensor, "3"] | None = None
    grey: bool = False

    @property
    def mix(self) -> Float[Tensor, "3 3"] | None:
        """The same as a matrix, or None for no change."""
        if self.gain is None:
            return None
        if self.grey:
            weights = self.gain.new_tensor(LUMINANCE)
            return self.gain[:, None] * weights
        return torch.diag(self.gain)


def balance_of(scene: Scene, samples: Samples, view: View) -> Balance:
    """What of a photo's colours is beyond light: nothing, mostly.

    The brightness of a photo is that of its light. Only what is out of the range of plausible
    lights becomes a gain, so that the two do not compete.

    Args:
        scene: with the mean albedo, under neutral light.
        samples: points of the face.
        view: the photo.
    """
    if not len(samples.pixel):
        return Balance()
    seen = view.image.flatten(0, 1)[samples.pixel]
    spread = (seen.amax(dim=1) - seen.amin(dim=1)).median()
    expected = samples.blend(scene.colours)
    grey = bool(spread < _GREY)
    if grey:
        expected = (expected @ expected.new_tensor(LUMINANCE))[:, None].expand_as(expected)
    ratio = seen.median(dim=0).values / expected.median(dim=0).values.clamp(min=1e-3)
    gain = ratio / ratio.clamp(*_PLAUSIBLE)
    changed = grey or bool((gain != 1).any())
    return Balance(gain if changed else None, grey)
