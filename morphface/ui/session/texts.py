"""The values of a session as text: JSON to keep, and Python that makes the same face."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from morphface.edit import Light
from morphface.fit.fitted import FittedPhoto
from morphface.ui.session.changes import Changes, Lamp

__all__ = ["json_text", "python_text"]

_FILE = "array"
"""The source of a photo that was read from no file."""


def json_text(changes: Changes, values: Mapping[str, float], given: Mapping[str, float]) -> str:
    """Values by what they move, as sliders show them.

    Args:
        changes: that make the face.
        values: of all sliders.
        given: those that were set.
    """
    parts: dict[str, Any] = {"model": changes.model.name}
    for key, control in changes.controls.items():
        parts.setdefault(control.kind, {})[control.name] = values[key]
    return json.dumps(parts | {"changed": dict(given)}, indent=2, allow_nan=False)


def python_text(
    changes: Changes, given: Mapping[str, float], found: FittedPhoto, face: int | None
) -> str:
    """Code that fits the photo and edits the face.

    Args:
        changes: that make the face.
        given: the values that were set.
        found: the photo.
        face: its number among all faces of the photo; None if only the largest was fitted.
    """
    calls = changes.calls(given)
    names = {"edit"} if calls else set()
    names |= {type(v).__name__.lower() for call in calls for v in call.values() if _new(v)}
    names = {"Light" if name == "light" else name for name in names}
    lines = ["import morphface"]
    if names:
        lines.append(f"from morphface.edit import {', '.join(sorted(names))}")
    lines += ["", *_fit(changes, found, face), "parameters = face.parameters"]
    for call in calls:
        written = ", ".join(f"{name}={_written(value)}" for name, value in call.items())
        lines.append(f"parameters = edit(parameters, model=face.model, {written})")
    return "\n".join(lines) + "\n"


def _new(value: object) -> bool:
    return isinstance(value, Light | Lamp)


def _fit(changes: Changes, found: FittedPhoto, face: int | None) -> list[str]:
    """How one comes by `face`."""
    source = found.photo.source
    if source == _FILE:
        return ["# `face` is what was fitted: morphface.fit_photo(...).faces[0]"]
    whole = source if source.startswith("sample:") else str(Path(source))
    wishes = "" if changes.model.name == "open-head" else f", model={changes.model.name!r}"
    wishes += "" if face is None else f", faces={face}"
    wishes += "" if found.focal is None else f", focal={found.focal!r}"
    return [f"face = morphface.fit_photo({whole!r}{wishes}).faces[0]"]


def _written(value: object) -> str:
    """A value as code; of a light, what is not usual."""
    if isinstance(value, Light):
        bright = "" if value.brightness == 1.0 else f"brightness={value.brightness!r}, "
        return f"Light({bright}direction={value.direction!r})"
    if isinstance(value, Lamp):
        return f"lamp({', '.join(f'{name}={part!r}' for name, part in vars(value).items())})"
    return repr(value)
