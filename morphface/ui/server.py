"""The editor in a browser on this machine: what `morphface edit --ui` opens.

Nobody else may use it: it listens on 127.0.0.1 alone, its address holds a random token, and a
request must name this host (a page of another site could otherwise reach it under a name that
it points here). It serves four fixed files and answers messages; there is no folder to look into.
"""

import errno
import hmac
import json
import os
import secrets
import socketserver
import struct
import threading
import webbrowser
from collections.abc import Mapping, Sequence
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any, Protocol

from morphface.core.errors import OutputError, ParameterError

__all__ = ["Answer", "EditorServer", "Listener", "packed"]

HOST = "127.0.0.1"
_STATIC = Path(__file__).parent / "static"
_FILES = {
    "editor.js": "text/javascript; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "editor.css": "text/css; charset=utf-8",
}
_LARGEST_MESSAGE = 65_536
_LAST_PORT = 65_535
_PATIENCE_SECONDS = 120.0
"""How long an idle connection is kept."""
_REST_SECONDS = 10.0
"""How long the end waits for an answer that is being made."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Answer(Protocol):
    """What comes back for a message; see `session.Reply`."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """What is said, as JSON."""

    @property
    def buffers(self) -> Sequence[bytes]:
        """Pictures and files."""


class Listener(Protocol):
    """Who answers; see `session.Session`."""

    def handle(self, message: dict[str, Any]) -> Answer:
        """The answer to a message."""


def packed(answer: Answer) -> bytes:
    """An answer as one block: the length of its header (4 bytes, little-endian), header, bytes.

    Args:
        answer: its fields and the sizes of its buffers make the header, as JSON.
    """
    sizes = [len(buffer) for buffer in answer.buffers]
    header = json.dumps({"fields": answer.fields, "sizes": sizes}).encode()
    return b"".join([struct.pack("<I", len(header)), header, *answer.buffers])


class EditorServer(ThreadingHTTPServer):
    """The server of one editor. It has its port from the start, so that a taken one shows early.

    Args:
        port: to listen on; 0 takes any free one.

    Raises:
        ParameterError: there is no such port.
        OutputError: it is taken, or this user may not have it.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere that would share the port

    def __init__(self, port: int = 0) -> None:
        if not 0 <= port <= _LAST_PORT:
            raise ParameterError(f"port must be 0 (any free one) to {_LAST_PORT}, got {port}")
        self.token = secrets.token_urlsafe(24)
        self.title = ""
        self.listener: Listener | None = None
        self.lock = threading.Lock()
        self.closed = False
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise OutputError(_no_port(port, error)) from error

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that a request may use for this server."""
        names = (HOST, "localhost")
        plain = names if self.server_port == 80 else ()
        return (*(f"{name}:{self.server_port}" for name in names), *plain)

    def server_bind(self) -> None:
        """Take the port; unlike the parent, without asking who this machine is."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def serve(self, listener: Listener, *, title: str = "", browser: bool = False) -> None:
        """Answer until Ctrl-C.

        Args:
            listener: answers the messages, one at a time.
            title: of the page.
            browser: whether to open the user's browser.
        """
        self.listener, self.title = listener, title
        if browser:  # some browsers run in the terminal and come back only when they end
            threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()
        try:
            self.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            return

    def server_close(self) -> None:
        """Let go of the port, once the answer that is being made is there; no more are made."""
        self.closed = True
        if self.lock.acquire(timeout=_REST_SECONDS):  # a process that ends while it draws complains
            self.lock.release()
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that hang up."""


def _no_port(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken, perhaps by another editor; choose another --port, "
            "or leave it out for a free one"
        )
    if error.errno == errno.EACCES:
        return f"port {port} is not for this user; choose a --port from 1024, or leave it out"
    return f"port {port} cannot be used: {error.strerror or error}"


class _Refused(Exception):
    """A request that gets a status and a sentence."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    server: EditorServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "morphface", ""
    disable_nagle_algorithm = True
    timeout = _PATIENCE_SECONDS

    def do_GET(self) -> None:
        """Send one of the fixed files."""
        self._try(self._file)

    def do_POST(self) -> None:
        """Answer a message."""
        self._try(self._answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the address holds the token."""

    def _try(self, act: Any) -> None:
        if self.server.closed:
            self.close_connection = True
            return
        try:
            kind, body = act(self._wanted())
        except _Refused as refusal:
            self.close_connection = True  # what it still has to say is not read
            self._send(refusal.status, "text/plain; charset=utf-8", str(refusal).encode())
        except OSError:
            self.close_connection = True
        else:
            self._send(HTTPStatus.OK, kind, body)

    def _wanted(self) -> str:
        """The last part of the address, if everything before it is as it must be."""
        if self.headers.get("Host", "") not in self.server.hosts:
            raise _Refused(HTTPStatus.FORBIDDEN, "this editor answers to 127.0.0.1 only")
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.hosts:
            raise _Refused(HTTPStatus.FORBIDDEN, "another site may not use this editor")
        token, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "open the whole address that morphface printed")
        return name

    def _file(self, name: str) -> tuple[str, bytes]:
        if name == "":
            page = Template((_STATIC / "page.html").read_text(encoding="utf-8"))
            text = page.substitute(title=escape(self.server.title))
            return "text/html; charset=utf-8", text.encode()
        if name == "alive":
            return "text/plain; charset=utf-8", b"yes"
        if name not in _FILES:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such file")
        return _FILES[name], (_STATIC / name).read_bytes()

    def _answer(self, name: str) -> tuple[str, bytes]:
        if name != "message" or self.server.listener is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "messages go to /message")
        message = self._message()
        try:
            with self.server.lock:
                if self.server.closed:
                    raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the editor is closed")
                answer = packed(self.server.listener.handle(message))
        except _Refused:
            raise
        except Exception as error:  # a mistake of ours: the page says it, and the editor lives on
            words = f"the editor failed: {type(error).__name__}: {error}"
            raise _Refused(HTTPStatus.INTERNAL_SERVER_ERROR, words) from error
        return "application/octet-stream", answer

    def _message(self) -> dict[str, Any]:
        try:
            size = int(self.headers.get("Content-Length", ""))
        except ValueError:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "a message needs its length") from None
        if not 0 <= size <= _LARGEST_MESSAGE:
            most = f"a message has at most {_LARGEST_MESSAGE} bytes"
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, most)
        try:
            message = json.loads(self.rfile.read(size))
        except (ValueError, RecursionError):
            raise _Refused(HTTPStatus.BAD_REQUEST, "a message must be JSON") from None
        if not isinstance(message, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, "a message must be a JSON object")
        return message

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
