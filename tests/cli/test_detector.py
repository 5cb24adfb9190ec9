import pytest

from morphface.cli import run

BASE = ["fit", "sample:astronaut"]


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--detector", "parts"], "needs a trained network: pass --parts-weights RUN"),
        (["--detector", "dlib"], "detector must be one of mediapipe, parts, got 'dlib'"),
        (["--parts-weights", "run"], "the detector mediapipe needs no --parts-weights"),
        (["--detector", "parts", "--together"], "--detector cannot go with --together"),
        (["--detector", "parts", "--landmarks", "a.pts"], "--detector cannot go with --landmarks"),
    ],
)
def test_detectors_that_cannot_be_are_refused(more, words, capfd):
    assert run([*BASE, *more]) == 2
    assert words in capfd.readouterr().err


@pytest.mark.refusal
def test_a_run_without_a_network_is_refused(tmp_path, capfd):
    command = [*BASE, "-o", str(tmp_path / "out"), "--detector", "parts"]
    assert run([*command, "--parts-weights", str(tmp_path / "none")]) == 2
    assert "there is no network of parts at" in capfd.readouterr().err
