"""What messages do: each takes a state and makes another, or says why it cannot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from morphface.core.errors import ParameterError
from morphface.edit import PRESETS, edit
from morphface.edit.names import unknown
from morphface.ui.session.controls import EXPRESSION, GROUPS, values_of
from morphface.ui.session.desk import Desk
from morphface.ui.session.drags import Drag, turned_by
from morphface.ui.session.messages import flag, number, short, text
from morphface.ui.session.state import State

__all__ = ["Outcome", "done"]

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a message has done.

    Args:
        state: from now on.
        fields: of the reply, besides those that every reply has.
        buffers: of the reply, in place of a picture.
        drawn: whether the reply has a picture.
    """

    state: State
    fields: dict[str, Any] = field(default_factory=dict)
    buffers: list[bytes] = field(default_factory=list)
    drawn: bool = True


def done(desk: Desk, state: State, message: Message) -> Outcome:
    """What a message does.

    Args:
        desk: of the session.
        state: before.
        message: that was sent; `do` says what.

    Raises:
        ParameterError: it cannot be done.
    """
    if not isinstance(message, Mapping):
        raise ParameterError(f"a message must be a JSON object, got {short(message)}")
    name = text(message, "do")
    if name not in _DEEDS:
        raise ParameterError(unknown("message", name, _DEEDS))
    return _DEEDS[name](desk, state, message)


def _open(desk: Desk, state: State, message: Message) -> Outcome:
    values = desk.values(state.given)
    used = {control.group for control in desk.controls.values()}
    fields = {
        "controls": [c.described(values[key]) for key, c in desk.controls.items()],
        "groups": [{"id": key, "label": label} for key, label in GROUPS.items() if key in used],
        "presets": list(PRESETS),
        "views": list(desk.painter(state).views),
        "zooms": list(desk.painters),
        "model": desk.face.model.name,
        "source": desk.found.photo.source,
    }
    return Outcome(state.settled(), fields)


def _set(desk: Desk, state: State, message: Message) -> Outcome:
    key = text(message, "control")
    if key not in desk.controls:
        raise ParameterError(unknown("control", key, desk.controls))
    values = {key: number(message, "value")}
    return Outcome(_moved(desk, state, values, key, flag(message, "dragging")))


def _drag(desk: Desk, state: State, message: Message) -> Outcome:
    what = text(message, "what")
    dx, dy = number(message, "dx"), number(message, "dy")
    dragging = flag(message, "dragging")
    drag = state.drag
    if flag(message, "start") or drag is None or drag.what != what:
        drag = Drag.of(what, desk.values(state.given), desk.painter(state).face)
    state = _moved(desk, state, turned_by(drag, dx, dy), f"drag {what}", dragging)
    return Outcome(replace(state, drag=drag if dragging else None))


def _preset(desk: Desk, state: State, message: Message) -> Outcome:
    name, strength = text(message, "name"), number(message, "strength", 1.0)
    if name not in PRESETS:
        raise ParameterError(unknown("preset", name, PRESETS))
    model, now = desk.face.model, desk.parameters(state.given)
    beyond = {k: min(strength * v, 1.0) for k, v in PRESETS[name].items() if strength > 1}
    chosen = {name: min(max(strength, 0.0), 1.0)}
    found = values_of(model, edit(now, model=model, preset=chosen, expression=beyond), {})
    values = desk.values(state.given)
    moved = {
        key: found[key]
        for key, control in desk.controls.items()
        if control.kind == "expression" and found[key] != values[key]
    }
    return Outcome(_moved(desk, state.settled(), moved, "preset", False))


def _reset(desk: Desk, state: State, message: Message) -> Outcome:
    group = text(message, "group", "all")
    groups = {control.group for control in desk.controls.values()}
    if group not in {"all", "expression", *groups}:
        raise ParameterError(unknown("group", group, ["expression", *groups]))
    chosen = EXPRESSION if group == "expression" else (group,)
    kept = {
        key: value
        for key, value in state.given.items()
        if group != "all" and desk.controls[key].group not in chosen
    }
    return Outcome(state.settled().moved(kept, "reset", False))


def _undo(desk: Desk, state: State, message: Message) -> Outcome:
    return Outcome(state.settled().at(state.history.undone()))


def _redo(desk: Desk, state: State, message: Message) -> Outcome:
    return Outcome(state.settled().at(state.history.redone()))


def _view(desk: Desk, state: State, message: Message) -> Outcome:
    name = text(message, "name")
    desk.painter(state).check(name)
    return Outcome(replace(state, view=name, coarse=False))


def _zoom(desk: Desk, state: State, message: Message) -> Outcome:
    name = text(message, "name")
    if name not in desk.painters:
        raise ParameterError(unknown("zoom", name, desk.painters))
    return Outcome(replace(state, zoom=name, coarse=False))


def _before(desk: Desk, state: State, message: Message) -> Outcome:
    return Outcome(replace(state, before=flag(message, "on"), coarse=False))


def _fine(desk: Desk, state: State, message: Message) -> Outcome:
    return Outcome(replace(state, coarse=False))


def _copy(desk: Desk, state: State, message: Message) -> Outcome:
    given = state.given
    return Outcome(state, {"json": desk.json(given), "python": desk.python(given)}, drawn=False)


def _save(desk: Desk, state: State, message: Message) -> Outcome:
    kind = text(message, "format", "gltf")
    if kind != "gltf":
        raise ParameterError(f"format must be gltf, got {short(kind)}")
    source = desk.found.photo.source.removeprefix("sample:")
    name = f"{Path(source).stem or 'head'}-head.glb"
    return Outcome(state, {"file": name}, [desk.saved(state.given)], drawn=False)


def _moved(
    desk: Desk, state: State, values: Mapping[str, float], what: str, dragging: bool
) -> State:
    """With values set besides those that are set, each within its bounds."""
    placed = {key: desk.controls[key].placed(value) for key, value in values.items()}
    return state.moved(desk.changes.kept({**state.given, **placed}), what, dragging)


_DEEDS: dict[str, Callable[[Desk, State, Message], Outcome]] = {
    "open": _open,
    "set": _set,
    "drag": _drag,
    "preset": _preset,
    "undo": _undo,
    "redo": _redo,
    "reset": _reset,
    "view": _view,
    "zoom": _zoom,
    "before": _before,
    "fine": _fine,
    "copy": _copy,
    "save": _save,
}
