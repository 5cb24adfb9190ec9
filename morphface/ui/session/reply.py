"""What a session answers."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Reply"]


@dataclass(frozen=True)
class Reply:
    """The answer to one message.

    Args:
        fields: JSON.
        buffers: the picture or the file that goes with it, if there is one.
    """

    fields: dict[str, Any]
    buffers: list[bytes] = field(default_factory=list)

    @property
    def error(self) -> str | None:
        """What was wrong with the message, in a sentence; None if nothing was."""
        return self.fields.get("error")
