"""The editor's server: who may ask, what is answered, and what is refused."""

import http.client
import json
import socket
import struct
import threading

import pytest

from morphface.core.errors import OutputError, ParameterError
from morphface.ui.server import EditorServer, packed
from tests.ui.stand_in import StandIn


@pytest.fixture(scope="module")
def server():
    with EditorServer() as server:
        thread = threading.Thread(target=server.serve, args=(StandIn(),), kwargs={"title": "A<b"})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, method="GET", name="", body=None, *, token=None, **headers):
    """Status, headers and body of the answer to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    path = f"/{server.token if token is None else token}/{name}"
    connection.request(method, path, body, sent)
    reply = connection.getresponse()
    result = reply.status, reply.headers, reply.read()
    connection.close()
    return result


def unpack(data):
    """The fields and buffers of a packed answer, written again from its description."""
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    buffers, place = [], 4 + length
    for size in header["sizes"]:
        buffers.append(data[place : place + size])
        place += size
    assert place == len(data)
    return header["fields"], buffers


def test_the_server_is_for_this_machine_alone(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert len(server.token) >= 32
    assert server.address.startswith(f"http://127.0.0.1:{server.server_port}/{server.token}")


def test_no_two_servers_have_the_same_token(server):
    with EditorServer() as other:
        assert other.token != server.token


def test_the_page_loads_only_from_here(server):
    status, headers, body = ask(server)
    assert status == 200
    assert "A&lt;b" in body.decode()
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("editor.js", "javascript"), ("page.js", "javascript"), ("editor.css", "css")],
)
def test_the_files_of_the_page_are_there(server, name, kind):
    status, headers, body = ask(server, name=name)
    assert (status, kind in headers["Content-Type"]) == (200, True)
    assert b"://" not in body.replace(b"http://www.w3.org/2000/svg", b"")  # nothing from elsewhere


def test_a_message_is_answered_with_its_number_and_a_picture(server):
    status, _, body = ask(server, "POST", "message", json.dumps({"id": 7, "do": "open"}))
    fields, buffers = unpack(body)
    assert (status, fields["id"], fields["ok"]) == (200, 7, True)
    assert buffers[0].startswith(b"\xff\xd8")


def test_an_answer_comes_back_as_it_was_packed():
    answer = StandIn().handle({"id": 1, "do": "open"})
    answer.buffers.append(b"")
    fields, buffers = unpack(packed(answer))
    assert fields == answer.fields
    assert buffers == answer.buffers


def test_a_mistake_in_an_answer_is_said_and_the_server_lives(server):
    status, _, body = ask(server, "POST", "message", json.dumps({"id": 8, "do": "view"}))
    assert status == 500
    assert b"the editor failed: KeyError" in body
    assert ask(server, name="alive")[0] == 200


@pytest.mark.refusal
@pytest.mark.parametrize("token", ["", "x", "x" * 32, "editor.js", "..", "%2e%2e"])
def test_without_the_token_nothing_is_served(server, token):
    for method, name, body in (("GET", "", None), ("POST", "message", "{}")):
        status, _, words = ask(server, method, name, body, token=token)
        assert status == 403
        assert b"open the whole address" in words


@pytest.mark.refusal
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_machine_is_refused(server, host):
    status, _, words = ask(server, Host=host)
    assert status == 403
    assert b"answers to 127.0.0.1 only" in words


@pytest.mark.refusal
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_another_site_is_refused(server, origin):
    status, _, words = ask(server, "POST", "message", '{"do":"undo"}', Origin=origin)
    assert status == 403
    assert b"another site" in words


@pytest.mark.refusal
@pytest.mark.parametrize(
    "name", ["page.html", "../editor.py", "..%2feditor.py", "//etc/passwd", "x"]
)
def test_there_is_no_folder_to_look_into(server, name):
    status, _, words = ask(server, name=name)
    assert (status, words) == (404, b"there is no such file")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        ("x", {"Content_Length": "65537"}, 413, b"at most 65536 bytes"),
        ("x", {"Content_Length": "-1"}, 413, b"at most 65536 bytes"),
        ("x", {"Content_Length": "many"}, 411, b"needs its length"),
        ("{", {}, 400, b"must be JSON"),
        ("[" * 60000, {}, 400, b"must be JSON"),
        ("[1]", {}, 400, b"must be a JSON object"),
    ],
)
def test_a_message_of_the_wrong_kind_is_refused(server, body, headers, status, words):
    got, _, said = ask(server, "POST", "message", body, **headers)
    assert got == status
    assert words in said


@pytest.mark.refusal
def test_messages_go_to_one_place(server):
    assert ask(server, "POST", "editor.js", "{}")[0] == 404


@pytest.mark.refusal
@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be_is_refused(port):
    with pytest.raises(ParameterError, match=f"port must be 0 .* to 65535, got {port}"):
        EditorServer(port)


@pytest.mark.refusal
def test_a_taken_port_is_refused_with_the_way_out(server):
    with pytest.raises(OutputError, match="is taken, perhaps by another editor; choose another"):
        EditorServer(server.server_port)


@pytest.mark.refusal
def test_a_port_of_the_system_is_refused_with_the_way_out(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(OutputError, match="not for this user; choose a --port from 1024"):
        EditorServer(80)


def test_a_closed_server_answers_nobody_who_is_still_connected():
    server = EditorServer()
    thread = threading.Thread(target=server.serve, args=(StandIn(),))
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", f"/{server.token}/alive")
    assert connection.getresponse().read() == b"yes"
    server.shutdown()
    server.server_close()
    thread.join()
    connection.request("GET", f"/{server.token}/alive")
    with pytest.raises(ConnectionError):  # RemoteDisconnected is one
        connection.getresponse()
    connection.close()


def test_a_server_closes_when_the_answer_that_is_being_made_is_there():
    begun, go_on, done = threading.Event(), threading.Event(), []

    class Slow(StandIn):
        def handle(self, message):
            begun.set()
            assert go_on.wait(10)
            done.append(message["id"])
            return super().handle(message)

    server = EditorServer()
    serving = threading.Thread(target=server.serve, args=(Slow(),))
    serving.start()
    body = json.dumps({"id": 7, "do": "open"})
    asking = threading.Thread(target=ask, args=(server, "POST", "message", body))
    asking.start()
    assert begun.wait(10)
    server.shutdown()
    closing = threading.Thread(target=server.server_close)
    closing.start()
    assert done == []
    go_on.set()
    closing.join()
    assert done == [7]
    serving.join()
    asking.join()


def test_ctrl_c_ends_the_server_without_an_error(monkeypatch):
    def interrupt(self, poll_interval):
        raise KeyboardInterrupt

    monkeypatch.setattr(EditorServer, "serve_forever", interrupt)
    with EditorServer() as server:
        server.serve(StandIn())
