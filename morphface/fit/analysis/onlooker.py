"""The eyes of a photo, where the fit stands: where they look, and which colour they have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from morphface.fit.analysis.markers import iris_gaze
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.scene import Scene, scene_of
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.models import MorphableModel

__all__ = ["Onlooker"]


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

    def gazes(
        self, frames: tuple[Frame, ...], views: tuple[View, ...], looks: tuple[Look, ...]
    ) -> tuple[Look, ...]:
        """The looks with the gaze that the pixels between the lids show.

        Args:
            frames: the photos.
            views: that know what hides the face.
            looks: where the fit stands.
        """
        told = (self._gaze(*each) for each in zip(frames, views, looks, strict=True))
        return tuple(replace(look, gaze=gaze) for look, gaze in zip(looks, told, strict=True))

    def _gaze(self, frame: Frame, view: View, look: Look) -> Float[Tensor, "2 2"]:
        s = self.settings
        expected = Expected(s.gaze_spread, s.vergence_spread, s.upright_spread)
        scene = scene_of(surface_at(self.model, look), look)
        seen = self._seen(frame, view, scene, iris_gaze(frame.marks, look))
        return likely_gaze(seen, self.parts, expected)

    def colours(
        self, frames: tuple[Frame, ...], views: tuple[View, ...], looks: tuple[Look, ...]
    ) -> tuple[Look, ...]:
        """The looks with the colour of irises of the photo in colour that shows it best.

        Args:
            frames: the photos.
            views: that know what hides the face.
            looks: where the fit stands.
        """
        scenes = [scene_of(surface_at(self.model, look), look) for look in looks]
        told = [
            iris_colour(self._seen(frame, view, scene, (None, None)), self.parts, scene.look.gaze)
            for frame, view, scene in zip(frames, views, scenes, strict=True)
            if not frame.balance.grey
        ]
        known = [colour for colour in told if colour is not None]
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
