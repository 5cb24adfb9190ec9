"""The eyes of a photo, where the fit stands: where they look, and which colour they have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.eyes import (
    Expected,
    Glance,
    Parts,
    eye_view,
    glances,
    likely_gaze,
)
from morphface.fit.analysis.frame import Frame
from morphface.fit.analysis.irises import iris_colour, with_irises
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.markers import eyes_hidden, iris_gaze
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.scene import Scene, scene_of
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.models import MorphableModel

__all__ = ["Onlooker", "Place"]

_SEEN = 1.0  # independent observations of open eyes below which they look ahead

Place = tuple[Frame, View, Look]
"""A photo, a view of it that knows what hides the face, and where the fit stands."""


@dataclass(frozen=True, eq=False)
class Onlooker:
    """Looks into the eyes of a person in photos.

    Args:
        model: of the person.
        parts: of its eyes.
        settings: what is expected of gaze.
    """

    model: MorphableModel
    parts: Parts
    settings: PhotometricSettings

    def gazes(self, places: Sequence[Place]) -> tuple[Look, ...]:
        """The looks with the gaze that the pixels between the lids show.

        Args:
            places: the photos, and where the fit stands.
        """
        return tuple(replace(place[2], gaze=self._gaze(*place)) for place in places)

    def _gaze(self, frame: Frame, view: View, look: Look) -> Float[Tensor, "2 2"]:
        if eyes_hidden(frame.marks):
            return torch.zeros_like(look.gaze)
        s = self.settings
        expected = Expected(s.gaze_spread, s.vergence_spread, s.upright_spread)
        scene = scene_of(surface_at(self.model, look), look)
        seen = self._seen(frame, view, scene, iris_gaze(frame.marks, look))
        worth = torch.cat([eye.worth for eye in seen])
        if len(worth) and float(worth.sum()) < _SEEN:  # open, and behind something
            return torch.zeros_like(look.gaze)
        return likely_gaze(seen, self.parts, expected)

    def colours(self, places: Sequence[Place]) -> tuple[Look, ...]:
        """The looks with the colour of irises of the photo in colour that shows it best.

        Args:
            places: the photos, and where the fit stands.
        """
        scenes = [scene_of(surface_at(self.model, look), look) for _, _, look in places]
        told = [
            iris_colour(self._seen(frame, view, scene, (None, None)), self.parts, look.gaze)
            for (frame, view, look), scene in zip(places, scenes, strict=True)
            if not frame.balance.grey
        ]
        known = [colour for colour in told if colour is not None]
        looks = tuple(look for _, _, look in places)
        if not known:
            return looks
        best = max(known, key=lambda colour: colour[1])
        reflectance = with_irises(self.model, scenes[0], looks[0].reflectance, best)
        return tuple(replace(look, reflectance=reflectance) for look in looks)

    def _seen(
        self, frame: Frame, view: View, scene: Scene, irises: Sequence[Tensor | None]
    ) -> tuple[Glance, ...]:
        near = eye_view(frame.photo, frame.lens, scene, frame.balance.mix)
        return glances(scene, near, self.parts, view, irises)
