"""The editor in a notebook, seen from Python; what it shows is tested in a browser."""

import json
import subprocess
import sys

import pytest

import morphface.ui
from morphface.core.errors import OutputError
from tests.ui.stand_in import StandIn

pytest.importorskip("anywidget", reason="pip install 'morphface[notebook]'")


@pytest.fixture
def editor(monkeypatch):
    """An editor without a face, and what it sends to its page."""
    from morphface.ui import editor as home

    class Session(StandIn):
        parameters = "parameters"

        def python(self):
            return "code"

        def json(self):
            return json.dumps(self.values)

    monkeypatch.setattr(
        home, "Session", type("Of", (), {"of": staticmethod(lambda *a, **k: Session())})
    )
    return home.FaceEditor("photo.jpg")


def hear(editor, message):
    """What the page gets for a message, as it comes over the kernel's channel."""
    sent = []
    editor.send = lambda content, buffers=None: sent.append((content, buffers))
    editor._handle_custom_msg(message, [])
    return sent[0]


def test_a_message_of_the_page_is_answered_over_the_same_channel(editor):
    fields, buffers = hear(editor, {"id": "a-1", "do": "open"})
    assert (fields["id"], fields["ok"]) == ("a-1", True)
    assert buffers[0].startswith(b"\xff\xd8")


def test_what_the_hand_set_is_there_in_python(editor):
    hear(editor, {"id": 1, "do": "set", "control": "expression/jawOpen", "value": 0.75})
    assert json.loads(editor.json)["expression/jawOpen"] == 0.75
    assert (editor.parameters, editor.python) == ("parameters", "code")


def test_wishes_reach_the_session(monkeypatch):
    from morphface.ui import editor as home

    asked = []
    of = staticmethod(lambda *a, **k: asked.append((a, k)) or StandIn())
    monkeypatch.setattr(home, "Session", type("Of", (), {"of": of}))
    home.FaceEditor("photo.jpg", face=1, model="toy", focal="50mm")
    assert asked == [(("photo.jpg",), {"face": 1, "model": "toy", "focal": "50mm"})]


def test_two_editors_are_independent(editor, monkeypatch):
    other = type(editor)("photo.jpg")
    hear(editor, {"id": 1, "do": "set", "control": "expression/jawOpen", "value": 0.75})
    assert json.loads(other.json)["expression/jawOpen"] == 0.1


def test_the_head_is_written_where_it_was_asked_for(editor, tmp_path):
    path = editor.head(tmp_path / "new" / "face.glb")
    assert path.read_bytes() == b"glTF"


@pytest.mark.refusal
def test_a_head_that_cannot_be_written_is_refused(editor, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        editor.head(tmp_path / "file" / "face.glb")


@pytest.mark.refusal
def test_a_head_that_cannot_be_made_is_refused(editor, tmp_path):
    editor._session._save = lambda *_: "the disk is full"
    with pytest.raises(OutputError, match="the head cannot be made: the disk is full"):
        editor.head(tmp_path / "face.glb")
    assert not list(tmp_path.iterdir())


@pytest.mark.refusal
def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'morphface.ui' has no attribute 'Nonsense'"):
        _ = morphface.ui.Nonsense


@pytest.mark.refusal
def test_without_anywidget_the_way_out_is_said():
    code = (
        "import sys; sys.modules['anywidget'] = None; import morphface.ui; morphface.ui.FaceEditor"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingDependencyError" in done.stderr
    assert "pip install 'morphface[notebook]'" in done.stderr
