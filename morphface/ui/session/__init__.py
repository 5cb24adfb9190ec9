"""The editor without a browser: messages in, pictures and values out."""

from morphface.ui.session.reply import Reply
from morphface.ui.session.session import Session

__all__ = ["Reply", "Session"]
