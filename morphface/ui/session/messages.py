"""What a message holds, refused where it is not what it should be.

Messages come from a browser. None is believed: names are cut before they are repeated, numbers
are finite, and booleans are no numbers.
"""

import math
from collections.abc import Mapping
from typing import Any

from morphface.core.errors import ParameterError

__all__ = ["answerable", "flag", "number", "short", "text"]

_LONGEST = 60
_LARGEST = 1e9


def short(value: object) -> str:
    """A value as a person may read it, cut where it is long."""
    if isinstance(value, str):
        value = value[: _LONGEST + 1]
        return repr(value if len(value) <= _LONGEST else value[: _LONGEST - 3] + "...")
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST else "a huge number"
    return f"a {type(value).__name__}"


def text(message: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A word of the message.

    Args:
        message: that was sent.
        name: of the field.
        default: if it is missing; None refuses that.

    Raises:
        ParameterError: it is missing, is no text or is too long.
    """
    value = message.get(name, default)
    if not isinstance(value, str):
        raise ParameterError(f"{name} must be text, got {short(value)}")
    if len(value) > _LONGEST:
        raise ParameterError(f"{name} must have at most {_LONGEST} characters, got {len(value)}")
    return value


def number(message: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A finite number of the message.

    Args:
        message: that was sent.
        name: of the field.
        default: if it is missing; None refuses that.

    Raises:
        ParameterError: it is missing, or not a finite number.
    """
    value = message.get(name, default)
    fine = isinstance(value, int | float) and not isinstance(value, bool)
    if not fine or not -_LARGEST <= value <= _LARGEST or not math.isfinite(value):
        raise ParameterError(f"{name} must be a finite number, got {short(value)}")
    return float(value)


def flag(message: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """A yes or no of the message.

    Args:
        message: that was sent.
        name: of the field.
        default: if it is missing.

    Raises:
        ParameterError: it is neither.
    """
    value = message.get(name, default)
    if not isinstance(value, bool):
        raise ParameterError(f"{name} must be true or false, got {short(value)}")
    return value


def answerable(message: object) -> Any:
    """The number or short text that a message is known by; None if it has none."""
    known = message.get("id") if isinstance(message, Mapping) else None
    if isinstance(known, str):
        return known if len(known) <= _LONGEST else None
    if not isinstance(known, int | float) or not -_LARGEST <= known <= _LARGEST:
        return None
    return known if math.isfinite(known) else None
