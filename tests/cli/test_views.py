"""The commands `view` and `edit`: what is typed, and what is asked of the pipelines."""

import importlib

import pytest

from morphface.cli import run
from morphface.edit.light import Light

VIEWS = importlib.import_module("morphface.pipelines.views")
ORBIT = importlib.import_module("morphface.pipelines.orbit")


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """The calls that commands make."""
    calls = []
    monkeypatch.setattr("morphface.media.header.check_picture", lambda image: None)
    for name in ("view_photo", "edit_photo", "orbit_photo"):

        def call(image, out, *, name=name, **options):
            calls.append((name, image, out, options))
            return "there.png"

        monkeypatch.setattr(ORBIT if name == "orbit_photo" else VIEWS, name, call)
    return calls


def test_a_view_has_the_angles_that_were_typed(asked, capsys):
    assert run(["view", "a.jpg", "--yaw", "-20", "--roll", "3", "-o", "b.png"]) == 0
    name, image, out, options = asked[0]
    assert (name, image, str(out)) == ("view_photo", "a.jpg", "b.png")
    assert (options["yaw"], options["pitch"], options["roll"]) == (-20.0, None, 3.0)
    assert "written to there.png" in capsys.readouterr().err


def test_a_view_says_what_was_guessed_and_where(asked, monkeypatch, capsys):
    def view(image, out, *, notice, **options):
        notice("70 % of this head was guessed")
        asked.append(options)
        return "there.png"

    monkeypatch.setattr(VIEWS, "view_photo", view)
    assert run(["view", "a.jpg", "--yaw", "60", "--confidence", "c.png", "--label", "--force"]) == 0
    assert "70 % of this head was guessed" in capsys.readouterr().err
    assert str(asked[0]["confidence"]) == "c.png"
    assert asked[0]["label"]
    assert asked[0]["force"]


def test_an_orbit_swings_as_far_as_was_typed(asked):
    words = ["view", "a.jpg", "--orbit", "--swing", "15", "--pitch", "5", "--confidence", "c.mp4"]
    assert run([*words, "--quiet"]) == 0
    name, _, _, options = asked[0]
    assert name == "orbit_photo"
    assert (options["swing"], options["changes"]["pitch"]) == (15.0, 5.0)
    assert str(options["confidence"]) == "c.mp4"


def test_an_edit_has_all_that_was_typed(asked):
    words = ["edit", "a.jpg", "--set", "jawOpen=0.6", "--set", "cheekPuff=.2", "--preset", "smile"]
    words += ["--preset", "surprise=0.5", "--gaze", "10,-5", "--light", "1.2", "--add", "--quiet"]
    assert run([*words, "--background", "plain"]) == 0
    changes = asked[0][3]["changes"]
    assert changes["expression"] == {"jawOpen": 0.6, "cheekPuff": 0.2}
    assert changes["preset"] == {"smile": 1.0, "surprise": 0.5}
    assert changes["gaze"] == (10.0, -5.0)
    assert changes["light"] == 1.2
    assert changes["additive"]
    assert asked[0][3]["background"] == "plain"


def test_a_light_from_a_side_is_a_direction(asked):
    assert run(["edit", "a.jpg", "--light-from", "60,20", "--light", "1.5", "--quiet"]) == 0
    assert asked[0][3]["changes"]["light"] == Light(brightness=1.5, direction=(60.0, 20.0))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "jawOpen"], "--set must be NAME=NUMBER, got 'jawOpen'"),
        (["--set", "jawOpen=wide"], "--set must be NAME=NUMBER, got 'jawOpen=wide'"),
        (["--preset", "smile=x"], "--preset must be NAME=NUMBER, got 'smile=x'"),
        (["--gaze", "10"], "--gaze must be two numbers, as 10,0, got '10'"),
        (["--light-from", "a,b"], "--light-from must be two numbers, as 10,0, got 'a,b'"),
        (["--add"], "there is nothing to change: give --set, --preset"),
    ],
)
def test_what_says_no_change_is_refused_with_exit_code_2(asked, capsys, words, message):
    assert run(["edit", "a.jpg", *words]) == 2
    assert message in capsys.readouterr().err
    assert asked == []
