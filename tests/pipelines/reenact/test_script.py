import json

import pytest
import torch

from morphface.core.errors import MissingFileError, ParameterError
from morphface.edit import edit, interpolate
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.reenact.script import animated, read_script

TIMES = torch.linspace(0, 3, 13, dtype=torch.float64)


@pytest.fixture(scope="module")
def model():
    return load_model()


def base():
    frames = len(TIMES)
    face = FaceParameters.neutral(frames=frames)
    face.rotation[:, 1] = torch.linspace(-0.2, 0.2, frames)
    return face


def test_keys_are_met_and_what_lies_between_is_interpolated(model):
    script = [
        {"time": 1, "yaw": 10, "expression": {"jawOpen": 0.6}},
        {"time": 2, "preset": {"smile": 0.5}, "gaze": [10, -5], "additive": True},
    ]
    face = base()
    moved = animated(read_script(script), face, TIMES, model)
    first = edit(face, yaw=10, expression={"jawOpen": 0.6})
    last = edit(face, preset={"smile": 0.5}, gaze=(10, -5), additive=True)
    share = ((TIMES - 1) / 1).clamp(0, 1).float()
    wanted = interpolate(first, last, share)  # held before the first, and after the last
    torch.testing.assert_close(moved.to_vector(), wanted.to_vector(), rtol=1e-5, atol=1e-5)
    assert not torch.equal(moved.expression[0], moved.expression[-1])


def test_an_empty_key_is_the_base_itself(model):
    moved = animated(read_script([{"time": 0}]), base(), TIMES, model)
    assert torch.equal(moved.to_vector(), base().to_vector())


def test_a_script_is_the_same_from_a_file(tmp_path):
    script = [{"time": 0.5, "yaw": 3}, {"time": 1}]
    (tmp_path / "edits.json").write_text(json.dumps(script))
    assert read_script(tmp_path / "edits.json") == read_script(script)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ([], "must be a list of key frames, such as"),
        ({"time": 0}, "must be a list of key frames, such as"),
        ([3], "key frame 1 must be an object such as"),
        ([{"time": 0}, {"yaw": 3}], "key frame 2 lacks its time, in seconds"),
        ([{"time": "0"}], 'key frame 1: time must be seconds from 0 to 3600, got "0"'),
        ([{"time": -1}], "key frame 1: time must be seconds from 0 to 3600, got -1"),
        ([{"time": float("nan")}], "key frame 1: time must be seconds from 0 to 3600, got NaN"),
        ([{"time": True}], "key frame 1: time must be seconds from 0 to 3600, got true"),
        (
            [{"time": 1}, {"time": 1}],
            r"key frame 2 \(at 1 s\) must be later than key frame 1 \(at 1 s\); times must rise",
        ),
        ([{"time": 0, "jaw": 1}], "key frame 1: no field is called 'jaw'"),
        ([{"time": 0, "yaww": 1}], "key frame 1: no field is called 'yaww': did you mean yaw?"),
        (
            [{"time": 0, "yaw": "10"}],
            r'key frame 1 \(at 0 s\): yaw must be a number of degrees, got "10"',
        ),
        ([{"time": 0, "roll": 10**400}], "roll must be a number of degrees"),
        ([{"time": 0, "gaze": [1]}], r"gaze must be \[yaw, pitch\] in degrees, got \[1\]"),
        ([{"time": 0, "expression": 1}], "expression must be weights by name"),
        ([{"time": 0, "expression": {"jawOpen": [1]}}], "expression must be weights by name"),
        ([{"time": 0, "preset": 3}], "preset must be a name, or names with strengths"),
        ([{"time": 0, "additive": 1}], "additive must be true or false, got 1"),
    ],
)
def test_what_is_no_script_is_refused_by_its_key_frame(script, words):
    with pytest.raises(ParameterError, match=words):
        read_script(script)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expression": {"jawOpn": 1}}, "key frame 2 .at 2 s.: no expression .* 'jawOpn'"),
        ({"preset": "smiles"}, "key frame 2 .at 2 s.: no .* called 'smiles': did you mean smile"),
        ({"pitch": 100}, "key frame 2 .at 2 s.: pitch must be from -90 to 90 degrees, got 100"),
        ({"gaze": [60, 0]}, "key frame 2 .at 2 s.: gaze yaw must be from -50 to 50 degrees"),
    ],
)
def test_what_a_face_cannot_do_is_refused_by_its_key_frame(model, change, words):
    keys = read_script([{"time": 0}, {"time": 2, **change}])
    with pytest.raises(ParameterError, match=words):
        animated(keys, base(), TIMES, model)


@pytest.mark.refusal
def test_a_file_that_is_no_json_is_refused_where_it_ends_to_be(tmp_path):
    with pytest.raises(MissingFileError, match="there is no script"):
        read_script(tmp_path / "none.json")
    (tmp_path / "edits.json").write_text('[{"time": 0},\n {"time": }]')
    with pytest.raises(ParameterError, match=r"is no JSON: .* in line 2, column 11"):
        read_script(tmp_path / "edits.json")
    (tmp_path / "edits.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="is no JSON"):
        read_script(tmp_path / "edits.json")
