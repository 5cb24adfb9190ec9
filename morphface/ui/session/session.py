"""One face that is edited by messages; from a widget, a local server, or a script."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from morphface.core.errors import MorphfaceError, NoFaceError
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.focal import FocalLength
from morphface.media.images import PictureSource
from morphface.parameters import FaceParameters
from morphface.pipelines.photo import fit_photo
from morphface.render.backends.threads import kernels_alone
from morphface.ui.session.deeds import Outcome, done
from morphface.ui.session.desk import Desk
from morphface.ui.session.messages import answerable
from morphface.ui.session.pictures import jpeg
from morphface.ui.session.reply import Reply
from morphface.ui.session.state import State

__all__ = ["Session"]

LONGEST = 384
"""Pixels along the longer side of the picture that is shown."""
_log = logging.getLogger(__name__)
_turn = threading.RLock()
"""Held while torch has one thread: on a busy machine its threads wait for each other, thirty times
as long as they compute. How many it has is one setting for all sessions."""


class Session:
    """A fitted face and the values of its sliders.

    Sessions on one fit do not know of each other. Any thread may call. Where a head is small in
    its photo, pictures show the part around it; what is fitted, edited and saved is that of the
    whole photo.

    Args:
        found: the photo with one face.
        number: of the face among all of the photo, if others were found.
        longest: pixels along the longer side of the pictures.
    """

    def __init__(
        self, found: FittedPhoto, *, number: int | None = None, longest: int = LONGEST
    ) -> None:
        self._desk = Desk.of(found, number, longest)
        self._state = State(next(iter(self._desk.painters)))
        self._lock = threading.RLock()

    @classmethod
    def of(
        cls,
        image: PictureSource | FittedPhoto,
        *,
        face: int = 0,
        model: str = "open-head",
        focal: FocalLength | None = None,
    ) -> "Session":
        """A session for a photo.

        Args:
            image: a picture, as of `fit_photo`, or what that gave, which is not fitted again.
            face: which face, the largest is 0.
            model: name or path of a morphable model, for a path.
            focal: focal length for a path, as of `fit_photo`.

        Raises:
            NoFaceError: the photo has no face, or not as many.
            MorphfaceError: the subclass and its message say what is wrong with the picture.
        """
        if not isinstance(image, FittedPhoto):
            wanted = "largest" if face == 0 else face
            found = fit_photo(image, model=model, faces=wanted, focal=focal)
            return cls(found, number=None if face == 0 else face)
        if not 0 <= face < len(image.faces):
            raise NoFaceError(
                f"there is no face {face}: {len(image.faces)} were fitted, numbered from 0"
            )
        several = len(image.faces) > 1
        return cls(replace(image, faces=(image.faces[face],)), number=face if several else None)

    @property
    def face(self) -> FittedFace:
        """What was fitted."""
        return self._desk.face

    @property
    def start(self) -> FaceParameters:
        """What was fitted, as parameters."""
        return self.face.parameters

    @property
    def parameters(self) -> FaceParameters:
        """What the sliders say now."""
        with self._lock:
            return self._desk.parameters(self._state.given)

    def json(self) -> str:
        """The values as JSON, by what they move."""
        with self._lock:
            return self._desk.json(self._state.given)

    def python(self) -> str:
        """Python code that makes the same face."""
        with self._lock:
            return self._desk.python(self._state.given)

    def handle(self, message: Mapping[str, Any]) -> Reply:
        """Does what a message says; one that cannot be done changes nothing.

        Args:
            message: a JSON object; `do` says what.

        Returns:
            What is now, and a picture; `error` says what was wrong with the message.
        """
        known = answerable(message)
        with self._lock, _turn, kernels_alone():
            try:
                reply = self._answer(done(self._desk, self._state, message))
            except MorphfaceError as error:
                reply = self._refusal(str(error))
            except Exception:
                _log.exception("a message could not be answered")
                reply = self._refusal("this could not be drawn; the log of Python says why")
            return Reply({"id": known} | reply.fields, reply.buffers)

    def _answer(self, outcome: Outcome) -> Reply:
        """The reply; the state changes only if it could be made."""
        state, picture, buffers = outcome.state, None, outcome.buffers
        fields = outcome.fields
        if outcome.drawn:
            picture, pixels = self._picture(state)
            eyes = self._desk.painter(state).eyes(self._desk.shown(state))
            fields, buffers = {"eyes": eyes} | fields, [pixels]
        said = self._said(state, picture)
        self._state = state
        return Reply(said | fields, buffers)

    def _refusal(self, error: str) -> Reply:
        return Reply(self._said(self._state, None) | {"ok": False, "error": error})

    def _said(self, state: State, picture: dict[str, Any] | None) -> dict[str, Any]:
        """What every reply holds."""
        return {
            "ok": True,
            "error": None,
            "values": self._desk.values(state.given),
            "view": state.view,
            "zoom": state.zoom,
            "before": state.before,
            "undo": bool(state.history.past),
            "redo": bool(state.history.future),
            "picture": picture,
        }

    def _picture(self, state: State) -> tuple[dict[str, Any], bytes]:
        began = time.perf_counter()
        painter, shown = self._desk.painter(state), self._desk.shown(state)
        pixels, coarse = painter.draw(state.view, shown, coarse=state.coarse)
        content = jpeg(pixels, coarse=coarse)
        height, width = pixels.shape[:2]
        spent = round((time.perf_counter() - began) * 1e3, 1)
        size = {"type": "image/jpeg", "width": width, "height": height}
        return size | {"coarse": coarse, "milliseconds": spent}, content
