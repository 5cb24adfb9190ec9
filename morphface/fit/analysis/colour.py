"""Colours that no light makes: grey photos, and channels that a camera or a filter has scaled."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.sampling import Samples, seen_weight
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings

__all__ = ["LUMINANCE", "Balance", "balance_of", "between"]

LUMINANCE = (0.299, 0.587, 0.114)
_GREY = 0.05  # median difference of channels below which a photo has no colour, of the largest
_PLAUSIBLE = 3.0  # standard deviations that skin and light may explain together
_DARKEST = 0.3  # reflectance of the darkest skin, as a share of the mean's


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


def balance_of(
    scene: Scene, samples: Samples, view: View, settings: PhotometricSettings
) -> Balance:
    """What of a photo's colours is beyond skin and light: nothing, mostly.

    Only what is further from the expected colours than skins and lights go becomes a gain, so that
    it does not take what makes people pale or dark.

    Args:
        scene: with the mean albedo, under neutral light.
        samples: points of the face.
        view: the photo.
        settings: how exposures differ.
    """
    if not len(samples.pixel):
        return Balance()
    seen = view.image.flatten(0, 1)[samples.pixel]
    most = seen.amax(dim=1)
    grey = bool(((most - seen.amin(dim=1)) / most.clamp(min=1e-3)).median() < _GREY)
    skin = samples.blend(scene.albedo).median(dim=0).values
    weight = seen_weight(scene)
    people = torch.einsum("v,vck->ck", weight / weight.sum().clamp(min=1e-6), scene.surface.colours)
    if grey:
        shown = skin.new_tensor(LUMINANCE)
        skin, people = (shown @ skin).expand(3), (shown @ people).expand(3, -1)
    own = seen.median(dim=0).values.clamp(min=1e-3) / settings.exposure
    away = (own / skin).log()
    variety = _variety(people, between(skin, own.clamp(min=_DARKEST * skin)), settings)
    distance = float((away @ torch.linalg.solve(variety, away)).sqrt())
    gain = (away * max(1 - _PLAUSIBLE / max(distance, 1e-12), 0.0)).exp()
    return Balance(gain if grey or distance > _PLAUSIBLE else None, grey)


def between(
    first: Float[Tensor, "*shape"], second: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """Logarithmic means of positive numbers: their difference over that of their logarithms.

    Args:
        first: above 0.
        second: above 0.
    """
    apart = (second / first).log()
    near = apart.abs() < 1e-3
    return torch.where(near, first, (second - first) / torch.where(near, 1.0, apart))


def _variety(
    people: Float[Tensor, "3 K"], colour: Float[Tensor, "3"], settings: PhotometricSettings
) -> Float[Tensor, "3 3"]:
    """Covariance of the logarithm of a face's colour over people and lights.

    Pigments add and light multiplies: over the mean of two colours, `between` them, what is added
    to one to make the other is the difference of their logarithms.
    """
    moves = people / colour[:, None]
    bright = settings.exposure_spread**2 * moves.new_ones(3, 3)
    return moves @ moves.T + bright + settings.tint_spread**2 * torch.eye(3).to(moves)
