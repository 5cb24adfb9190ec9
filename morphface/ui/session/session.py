"""One face that is edited by messages; from a widget, a local server, or a script."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from morphface.core.errors import MorphfaceError, NoFaceError, ParameterError
from morphface.edit import PRESETS, edit
from morphface.edit.names import unknown
from morphface.parameters import FaceParameters
from morphface.pipelines.photo import FittedFace, FittedPhoto, fit_photo
from morphface.pipelines.rerender.shrink import shrunk
from morphface.ui.session.changes import Changes
from morphface.ui.session.controls import EXPRESSION, GROUPS, controls_of, values_of
from morphface.ui.session.drags import Drag, turned_by
from morphface.ui.session.heads import head_bytes, head_of
from morphface.ui.session.history import History
from morphface.ui.session.messages import answerable, flag, number, short, text
from morphface.ui.session.pictures import Painter, jpeg
from morphface.ui.session.reply import Reply
from morphface.ui.session.texts import json_text, python_text

__all__ = ["Session"]

LONGEST = 384
"""Pixels along the longer side of the picture that is shown."""
KEPT = 2048
"""The same of the photo that textures come from."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _State:
    """Where a session is."""

    history: History = field(default_factory=History)
    view: str = "rendered"
    before: bool = False
    drag: Drag | None = None
    coarse: bool = False


@dataclass(frozen=True)
class _Extra:
    """What a reply holds besides what every reply does."""

    fields: dict[str, Any] = field(default_factory=dict)
    buffers: list[bytes] = field(default_factory=list)


class Session:
    """A fitted face and the values of its sliders.

    Sessions on one fit do not know of each other. Any thread may call.

    Args:
        found: the photo with one face.
        number: of the face among all of the photo, if others were found.
        longest: pixels along the longer side of the pictures.
    """

    def __init__(
        self, found: FittedPhoto, *, number: int | None = None, longest: int = LONGEST
    ) -> None:
        self._found = shrunk(found, KEPT)
        self._number = number
        face = self.face
        controls = controls_of(face.model, face.parameters)
        self._changes = Changes(face.model, face.parameters, controls)
        self._painter = Painter(shrunk(found, longest))
        self._state = _State()
        self._lock = threading.RLock()
        self._head: Any = None

    @classmethod
    def of(
        cls,
        image: str | Path | FittedPhoto,
        *,
        face: int = 0,
        model: str = "open-head",
    ) -> "Session":
        """A session for a photo.

        Args:
            image: a path, `sample:astronaut`, or what `fit_photo` gave, which is not fitted again.
            face: which face, the largest is 0.
            model: name or path of a morphable model, for a path.

        Raises:
            NoFaceError: the photo has no face, or not as many.
            MorphfaceError: the subclass and its message say what is wrong with the picture.
        """
        if not isinstance(image, FittedPhoto):
            wanted = "largest" if face == 0 else face
            return cls(
                fit_photo(image, model=model, faces=wanted), number=None if face == 0 else face
            )
        if not 0 <= face < len(image.faces):
            raise NoFaceError(
                f"there is no face {face}: {len(image.faces)} were fitted, numbered from 0"
            )
        several = len(image.faces) > 1
        return cls(replace(image, faces=(image.faces[face],)), number=face if several else None)

    @property
    def face(self) -> FittedFace:
        """What was fitted."""
        return self._found.faces[0]

    @property
    def start(self) -> FaceParameters:
        """What was fitted, as parameters."""
        return self.face.parameters

    @property
    def parameters(self) -> FaceParameters:
        """What the sliders say now."""
        with self._lock:
            return self._changes(self._state.history.now)

    def json(self) -> str:
        """The values as JSON, by what they move."""
        with self._lock:
            return json_text(self._changes, self._values(), self._state.history.now)

    def python(self) -> str:
        """Python code that makes the same face."""
        with self._lock:
            source = self._found.photo.source
            return python_text(self._changes, self._state.history.now, source, self._number)

    def handle(self, message: Mapping[str, Any]) -> Reply:
        """Does what a message says; one that cannot be done changes nothing.

        Args:
            message: a JSON object; `do` says what.

        Returns:
            What is now, and a picture; `error` says what was wrong with the message.
        """
        known = answerable(message)
        with self._lock:
            before = self._state
            try:
                reply = self._answer(message)
            except MorphfaceError as error:
                self._state = before
                reply = self._refusal(str(error))
            except Exception:
                _log.exception("a message could not be answered")
                self._state = before
                reply = self._refusal("this could not be drawn; the log of Python says why")
            return Reply({"id": known} | reply.fields, reply.buffers)

    def _answer(self, message: Mapping[str, Any]) -> Reply:
        if not isinstance(message, Mapping):
            raise ParameterError(f"a message must be a JSON object, got {short(message)}")
        name = text(message, "do")
        if name not in _DEEDS:
            raise ParameterError(unknown("message", name, _DEEDS))
        extra = _DEEDS[name](self, message)
        if extra.buffers or name == "copy":
            return Reply(self._said(None) | extra.fields, extra.buffers)
        picture, pixels = self._picture()
        eyes = {"eyes": self._painter.eyes(self._shown())}
        return Reply(self._said(picture) | eyes | extra.fields, [pixels])

    def _refusal(self, error: str) -> Reply:
        return Reply(self._said(None) | {"ok": False, "error": error})

    def _said(self, picture: dict[str, Any] | None) -> dict[str, Any]:
        """What every reply holds."""
        state = self._state
        return {
            "ok": True,
            "error": None,
            "values": self._values(),
            "view": state.view,
            "before": state.before,
            "undo": bool(state.history.past),
            "redo": bool(state.history.future),
            "picture": picture,
        }

    def _values(self) -> dict[str, float]:
        given = self._state.history.now
        face = self._changes(given)
        values = values_of(self.face.model, face, given)
        return {key: values[key] for key in self._changes.controls}

    def _picture(self) -> tuple[dict[str, Any], bytes]:
        began = time.perf_counter()
        state = self._state
        pixels, coarse = self._painter.draw(state.view, self._shown(), coarse=state.coarse)
        content = jpeg(pixels, coarse=coarse)
        height, width = self._painter.found.photo.size
        spent = round((time.perf_counter() - began) * 1e3, 1)
        size = {"type": "image/jpeg", "width": width, "height": height}
        return size | {"coarse": coarse, "milliseconds": spent}, content

    def _shown(self) -> FaceParameters:
        """The face in the picture."""
        state = self._state
        return self.start if state.before else self._changes(state.history.now)

    def _move(self, values: Mapping[str, float], what: str, dragging: bool) -> None:
        """Sets values besides those that are set."""
        state = self._state
        kept = self._changes.kept({**state.history.now, **values})
        history = state.history.put(kept, what, dragging=dragging)
        self._state = replace(state, history=history, before=False, coarse=dragging)

    # ------------------------------------------------------------ what messages do

    def _open(self, message: Mapping[str, Any]) -> _Extra:
        self._settle()
        values, controls = self._values(), self._changes.controls
        used = {control.group for control in controls.values()}
        return _Extra(
            {
                "controls": [c.described(values[key]) for key, c in controls.items()],
                "groups": [
                    {"id": key, "label": label} for key, label in GROUPS.items() if key in used
                ],
                "presets": list(PRESETS),
                "views": list(self._painter.views),
                "model": self.face.model.name,
                "source": self._found.photo.source,
            }
        )

    def _set(self, message: Mapping[str, Any]) -> _Extra:
        key = text(message, "control")
        controls = self._changes.controls
        if key not in controls:
            raise ParameterError(unknown("control", key, controls))
        value = controls[key].placed(number(message, "value"))
        self._move({key: value}, key, flag(message, "dragging"))
        return _Extra()

    def _drag(self, message: Mapping[str, Any]) -> _Extra:
        what = text(message, "what")
        dx, dy = number(message, "dx"), number(message, "dy")
        dragging = flag(message, "dragging")
        drag = self._state.drag
        if flag(message, "start") or drag is None or drag.what != what:
            drag = Drag.of(what, self._values(), self._painter.face)
        values = turned_by(drag, dx, dy)
        controls = self._changes.controls
        placed = {key: controls[key].placed(value) for key, value in values.items()}
        self._move(placed, f"drag {what}", dragging)
        self._state = replace(self._state, drag=drag if dragging else None)
        return _Extra()

    def _preset(self, message: Mapping[str, Any]) -> _Extra:
        name, strength = text(message, "name"), number(message, "strength", 1.0)
        if name not in PRESETS:
            raise ParameterError(unknown("preset", name, PRESETS))
        model, now = self.face.model, self._changes(self._state.history.now)
        weights = {k: min(max(strength * v, 0.0), 1.0) for k, v in PRESETS[name].items()}
        face = edit(now, model=model, expression=weights)
        values, found = self._values(), values_of(model, face, {})
        moved = {
            key: control.placed(found[key])
            for key, control in self._changes.controls.items()
            if control.kind == "expression" and found[key] != values[key]
        }
        self._settle()
        self._move(moved, "preset", dragging=False)
        return _Extra()

    def _reset(self, message: Mapping[str, Any]) -> _Extra:
        group = text(message, "group", "all")
        controls = self._changes.controls
        groups = {control.group for control in controls.values()}
        if group not in {"all", "expression", *groups}:
            raise ParameterError(unknown("group", group, ["expression", *groups]))
        chosen = EXPRESSION if group == "expression" else (group,)
        self._settle()
        state = self._state
        kept = {
            key: value
            for key, value in state.history.now.items()
            if group != "all" and controls[key].group not in chosen
        }
        self._state = replace(state, history=state.history.put(kept, "reset"), before=False)
        return _Extra()

    def _undo(self, message: Mapping[str, Any]) -> _Extra:
        self._settle()
        self._state = replace(self._state, history=self._state.history.undone(), before=False)
        return _Extra()

    def _redo(self, message: Mapping[str, Any]) -> _Extra:
        self._settle()
        self._state = replace(self._state, history=self._state.history.redone(), before=False)
        return _Extra()

    def _view(self, message: Mapping[str, Any]) -> _Extra:
        name = text(message, "name")
        self._painter.check(name)
        self._state = replace(self._state, view=name, coarse=False)
        return _Extra()

    def _before(self, message: Mapping[str, Any]) -> _Extra:
        self._state = replace(self._state, before=flag(message, "on"), coarse=False)
        return _Extra()

    def _fine(self, message: Mapping[str, Any]) -> _Extra:
        self._state = replace(self._state, coarse=False)
        return _Extra()

    def _copy(self, message: Mapping[str, Any]) -> _Extra:
        return _Extra({"json": self.json(), "python": self.python()})

    def _save(self, message: Mapping[str, Any]) -> _Extra:
        kind = text(message, "format", "gltf")
        if kind != "gltf":
            raise ParameterError(f"format must be gltf, got {short(kind)}")
        if self._head is None:
            self._head = head_of(self._found)
        content = head_bytes(self._head, self._found, self._changes(self._state.history.now))
        source = self._found.photo.source.removeprefix("sample:")
        return _Extra({"file": f"{Path(source).stem or 'head'}-head.glb"}, [content])

    def _settle(self) -> None:
        """No hand moves anything any more."""
        history = self._state.history.released()
        self._state = replace(self._state, history=history, drag=None, coarse=False)


_DEEDS: dict[str, Callable[[Session, Mapping[str, Any]], _Extra]] = {
    "open": Session._open,
    "set": Session._set,
    "drag": Session._drag,
    "preset": Session._preset,
    "undo": Session._undo,
    "redo": Session._redo,
    "reset": Session._reset,
    "view": Session._view,
    "before": Session._before,
    "fine": Session._fine,
    "copy": Session._copy,
    "save": Session._save,
}
