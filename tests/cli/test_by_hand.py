"""`morphface edit --ui`: what is typed, what is refused, and how it ends."""

import importlib
import socket

import pytest

from morphface.cli import run

SERVER = importlib.import_module("morphface.ui.server")


@pytest.fixture
def served(monkeypatch):
    """What is fitted and served, without a face and without waiting."""
    seen = {}
    monkeypatch.setattr("morphface.media.header.check_picture", lambda image: None)

    def fit(image, **options):
        seen.update(image=image, options=options)
        return "fitted"

    def serve(self, session, **options):
        seen.update(session=session, address=self.address, **options)

    photo = importlib.import_module("morphface.pipelines.photo")
    session = importlib.import_module("morphface.ui.session")
    monkeypatch.setattr(photo, "fit_photo", fit)
    monkeypatch.setattr(session.Session, "of", staticmethod(lambda fitted: ("session", fitted)))
    monkeypatch.setattr(SERVER.EditorServer, "serve", serve)
    return seen


def test_the_editor_of_a_photo_is_served_at_the_printed_address(served, capsys):
    assert run(["edit", "in/a.jpg", "--ui", "--faces", "1", "--stage", "linear"]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == served["address"]
    assert "Ctrl-C" in printed.err
    assert "the editor is closed" in printed.err
    assert (served["image"], served["title"], served["browser"]) == ("in/a.jpg", "a.jpg", True)
    assert served["session"] == ("session", "fitted")
    assert (served["options"]["faces"], served["options"]["stage"]) == ("1", "linear")


def test_a_quiet_editor_still_prints_its_address(served, capsys):
    assert run(["edit", "a.jpg", "--ui", "--no-browser", "--quiet"]) == 0
    printed = capsys.readouterr()
    assert (printed.out.strip(), printed.err) == (served["address"], "")
    assert served["browser"] is False


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ui", "--set", "jawOpen=1"], "--ui edits by hand: leave out --set, or leave out --ui"),
        (["--ui", "-o", "b.png", "--add"], "leave out --out, --add, or leave out --ui"),
        (["--ui", "--background", "plain"], "leave out --background"),
        (["--ui", "--faces", "all"], "--faces must be largest or an index from 0"),
        (["--ui", "--port", "65536"], "port must be 0 (any free one) to 65535, got 65536"),
        (["--ui", "--port", "http"], "Invalid value for '--port'"),
        (["--port", "8000"], "--port is for --ui: add --ui"),
        (["--no-browser"], "--no-browser is for --ui: add --ui"),
    ],
)
def test_what_does_not_go_together_is_refused(served, capsys, words, message):
    assert run(["edit", "a.jpg", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert served == {}


@pytest.mark.refusal
def test_a_taken_port_is_refused_before_anything_is_fitted(served, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert run(["edit", "a.jpg", "--ui", "--port", port]) == 2
    assert f"port {port} is taken" in " ".join(capsys.readouterr().err.split())
    assert served == {}
