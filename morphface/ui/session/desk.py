"""What a session works with: the photo, its sliders and its painters, whatever their state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.media.meshes import Surface
from morphface.parameters import FaceParameters
from morphface.rerender.shrink import shrunk
from morphface.ui.session.changes import Changes
from morphface.ui.session.controls import Control, controls_of, values_of
from morphface.ui.session.heads import head_bytes, head_of
from morphface.ui.session.pictures import Painter
from morphface.ui.session.state import State
from morphface.ui.session.texts import json_text, python_text
from morphface.ui.session.zooms import zoomed

__all__ = ["Desk"]

KEPT = 2048
"""Pixels along the longer side of the photo that textures come from."""
Given = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Desk:
    """A fitted face and all that is computed of it once.

    Args:
        found: the photo with one face.
        number: of the face among all of the photo, if others were found.
        changes: how values of sliders become a face.
        painters: by how much of the photo they show; the first is the one to begin with.
    """

    found: FittedPhoto
    number: int | None
    changes: Changes
    painters: Mapping[str, Painter]
    _last: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, found: FittedPhoto, number: int | None, longest: int) -> "Desk":
        """The desk for a photo.

        Args:
            found: the photo with one face.
            number: of the face.
            longest: pixels along the longer side of the pictures.
        """
        kept, face = shrunk(found, KEPT), found.faces[0]
        changes = Changes(face.model, face.parameters, controls_of(face.model, face.parameters))
        painters = {name: Painter(part) for name, part in zoomed(kept, longest).items()}
        return cls(kept, number, changes, painters)

    @property
    def face(self) -> FittedFace:
        """What was fitted."""
        return self.found.faces[0]

    @property
    def controls(self) -> Mapping[str, Control]:
        """The sliders by their ids."""
        return self.changes.controls

    def painter(self, state: State) -> Painter:
        """Who draws."""
        return self.painters[state.zoom]

    def parameters(self, given: Given) -> FaceParameters:
        """The face with some values set.

        Args:
            given: the values, by the ids of their sliders.
        """
        if self._last.get("given") != given:
            self._last.update(given=dict(given), parameters=self.changes(given), values=None)
        found: FaceParameters = self._last["parameters"]
        return found

    def values(self, given: Given) -> dict[str, float]:
        """What all sliders show.

        Args:
            given: the values that are set.
        """
        face = self.parameters(given)
        if self._last["values"] is None:
            values = values_of(self.face.model, face, given)
            self._last["values"] = {key: values[key] for key in self.controls}
        return dict(self._last["values"])

    def shown(self, state: State) -> FaceParameters:
        """The face in the picture."""
        return self.face.parameters if state.before else self.parameters(state.given)

    def json(self, given: Given) -> str:
        """The values as JSON, by what they move."""
        return json_text(self.changes, self.values(given), given)

    def python(self, given: Given) -> str:
        """Python code that makes the same face."""
        return python_text(self.changes, given, self.found, self.number)

    def saved(self, given: Given) -> bytes:
        """The edited head as a glTF file; the first takes a second or two."""
        return head_bytes(self._head, self.found, self.parameters(given))

    @cached_property
    def _head(self) -> Surface:
        return head_of(self.found)
