import json

import pytest
import torch

from morphface.core.errors import MissingFileError, ParameterError
from morphface.edit import ARKIT_NAMES
from morphface.exchange import read_arkit_json, write_arkit_json
from tests.exchange.curves import drawn


@pytest.fixture
def written(tmp_path):
    write_arkit_json(tmp_path / "curves.json", drawn())
    return tmp_path / "curves.json"


def test_what_is_written_is_read_back(written):
    curves, back = drawn(), read_arkit_json(written)
    for name in ("weights", "head", "gaze"):
        torch.testing.assert_close(getattr(back, name), getattr(curves, name), atol=1e-7, rtol=0)
    torch.testing.assert_close(back.times, curves.times, atol=1e-6, rtol=0)
    assert torch.equal(back.seen, curves.seen)


def test_the_file_says_what_it_holds(written):
    document = json.loads(written.read_text())
    assert document["names"] == list(ARKIT_NAMES)
    assert document["conventions"]["head"].startswith("radians")
    frame, curves = document["frames"][2], drawn()
    assert frame["seen"] is False
    assert frame["weights"]["jawOpen"] == pytest.approx(float(curves.curve("jawOpen")[2]))
    assert frame["eyes"]["right"]["pitch"] == pytest.approx(float(curves.gaze[2, 1, 1]))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "is no file of curves that morphface export wrote"),
        ({"version": 9}, "has version 9, and this morphface reads 1"),
        ({"frames": [{"time": 0.0}]}, "is damaged: a frame lacks its values"),
        ({"frames": []}, "is damaged: "),
    ],
)
def test_other_content_is_refused(written, change, words):
    written.write_text(json.dumps(json.loads(written.read_text()) | change))
    with pytest.raises(ParameterError, match=words):
        read_arkit_json(written)


@pytest.mark.refusal
def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="there is no file of curves"):
        read_arkit_json(tmp_path / "none.json")
