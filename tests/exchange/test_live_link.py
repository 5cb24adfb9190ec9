import csv
import re
from dataclasses import replace

import pytest
import torch

from morphface.core.errors import MissingFileError, ParameterError
from morphface.edit import ARKIT_NAMES
from morphface.exchange import (
    arkit_curves,
    read_live_link,
    track_of_curves,
    write_live_link,
)
from morphface.models import load_model
from morphface.parameters import FaceParameters
from tests.exchange.curves import drawn

ROTATIONS = [f"{p}{a}" for p in ("Head", "LeftEye", "RightEye") for a in ("Yaw", "Pitch", "Roll")]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def rewritten(path, change):
    """The file with its table of text changed."""
    with path.open(newline="") as file:
        table = list(csv.reader(file))
    path.write_text("\n".join(",".join(row) for row in change(table)))
    return path


@pytest.fixture
def taken(tmp_path):
    path = tmp_path / "take.csv"
    write_live_link(path, drawn(90))
    return path


def test_the_columns_are_those_of_the_app(taken):
    names = list(rows_of(taken)[0])
    assert names[:9] == [
        *("Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft"),
        *("EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft", "EyeWideLeft"),
    ]
    assert names[16:24] == [
        *("JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel"),
        *("MouthPucker", "MouthRight"),
    ]
    assert len(names) == 63
    assert names[53:] == ["TongueOut", *ROTATIONS]
    assert sorted(name.lower() for name in names[2:54]) == sorted(n.lower() for n in ARKIT_NAMES)
    assert {row["BlendShapeCount"] for row in rows_of(taken)} == {"61"}


def test_a_timecode_counts_frames_and_their_fractions(tmp_path):
    path = tmp_path / "take.csv"
    times = torch.tensor([5.0, 5.04, 5.99999999, 66.5, 3600.0 + 5.0], dtype=torch.float64)
    write_live_link(path, replace(drawn(5), times=times), rate=30)
    wanted = ["00:00:00:00.000", "00:00:00:01.200", "00:00:01:00.000", "00:01:01:15.000"]
    assert [row["Timecode"] for row in rows_of(path)] == [*wanted, "01:00:00:00.000"]


@pytest.mark.parametrize("degrees", [False, True])
@pytest.mark.parametrize("rate", [24, 25, 30, 60, 120])
def test_what_is_written_is_read_back(tmp_path, rate, degrees):
    path, curves = tmp_path / "take.csv", drawn(100)
    write_live_link(path, curves, rate=rate, degrees=degrees)
    back, notes = read_live_link(path, rate=rate)
    torch.testing.assert_close(back.weights, curves.weights, atol=1e-9, rtol=0)
    torch.testing.assert_close(back.head, curves.head, atol=1e-6, rtol=0)
    torch.testing.assert_close(back.gaze, curves.gaze, atol=1e-6, rtol=0)
    torch.testing.assert_close(back.times, curves.times, atol=1e-3 / rate, rtol=0)
    assert any(f"angles are taken as {'degrees' if degrees else 'radians'}" in n for n in notes)


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_the_rate_of_a_recording_shows_in_its_highest_frame(tmp_path, rate):
    path = tmp_path / "take.csv"
    times = torch.arange(4 * rate, dtype=torch.float64) / rate
    write_live_link(path, replace(drawn(4 * rate), times=times), rate=rate)
    assert f"timecodes are taken to count {rate} frames a second" in read_live_link(path)[1]


def test_eyes_turn_towards_the_side_that_their_weights_name(tmp_path):
    # In a recording of the app yaw rises with EyeLookInLeft and EyeLookOutRight, and pitch with
    # EyeLookDown: here both eyes look to the subject's right, and down.
    face = replace(FaceParameters.neutral(), gaze=torch.tensor([[[-0.2, -0.1], [-0.2, -0.1]]]))
    path = tmp_path / "take.csv"
    write_live_link(path, arkit_curves(face, load_model()))
    row = {name: float(value) for name, value in rows_of(path)[0].items() if name != "Timecode"}
    assert row["LeftEyeYaw"] == row["RightEyeYaw"] == pytest.approx(0.2)
    assert row["LeftEyePitch"] == row["RightEyePitch"] == pytest.approx(0.1)
    for name in ("EyeLookInLeft", "EyeLookOutRight"):
        assert row[name] == pytest.approx(1.64 * 0.2, rel=0.01)
    assert row["EyeLookDownLeft"] == pytest.approx(1.64 * 0.1, rel=0.01)
    assert row["EyeLookOutLeft"] == row["EyeLookInRight"] == row["EyeLookUpLeft"] == 0


def test_columns_are_found_in_any_case_and_order(taken):
    plain = read_live_link(taken)[0]

    def change(table):
        turned = [row[::-1] for row in table]
        renamed = [name.swapcase().replace("SHAPEcOUNT", "shapecount") for name in turned[0]]
        return [["unknown", *renamed], *(["7", *row] for row in turned[1:]), []]

    back = read_live_link(rewritten(taken, change))[0]
    assert torch.equal(back.weights, plain.weights)
    assert torch.equal(back.head, plain.head)


def test_percents_and_midnight_are_understood(taken):
    plain = read_live_link(taken)[0]

    def change(table):
        for row in table[1:]:
            row[2:54] = [f"{100 * float(cell):.8f}" for cell in row[2:54]]
            row[0] = row[0].replace("00:00:00:", "23:59:59:").replace("00:00:01:", "00:00:00:")
        return table

    back, notes = read_live_link(rewritten(taken, lambda table: change(table)[:61]))
    torch.testing.assert_close(back.weights, plain.weights[:60], atol=1e-6, rtol=0)
    torch.testing.assert_close(back.times, plain.times[:60])
    assert "weights are taken as per cent, since they go up to more than 1" in notes


def test_seconds_and_milliseconds_are_timecodes_too(taken):
    plain = read_live_link(taken)[0]
    codes = {
        "seconds": lambda time: f"00:00:{time:09.6f}",
        "milliseconds": lambda time: f"00:00:{int(time):02d}:{1000 * (time % 1):07.3f}",
    }
    for name, code in codes.items():
        times = iter([None, *plain.times.tolist()])

        def change(table, code=code, times=times):
            return [
                [code(t) if (t := next(times)) is not None else row[0], *row[1:]] for row in table
            ]

        back, notes = read_live_link(rewritten(taken, change))
        torch.testing.assert_close(back.times, plain.times, atol=1e-5, rtol=0)
        counted = "timecodes are taken to count 1000 frames a second" in notes
        assert counted == (name == "milliseconds")


def test_semicolons_and_decimal_commas_are_understood(taken):
    plain = read_live_link(taken)[0]
    text = taken.read_text().replace(",", ";").replace(".", ",")
    first, _, rest = text.partition("\n")
    stamps = [line.partition(";") for line in rest.splitlines()]
    lines = [f"{time.replace(',', '.')};{values}" for time, _, values in stamps]
    taken.write_text("\ufeff" + "\r\n".join([first, *lines]), encoding="utf-8")
    back = read_live_link(taken)[0]
    assert torch.equal(back.weights, plain.weights)
    assert torch.equal(back.head, plain.head)
    assert torch.equal(back.times, plain.times)


def test_without_angles_the_eyes_turn_as_their_weights_say(tmp_path):
    model, path = load_model(), tmp_path / "take.csv"
    gaze = torch.tensor([[[0.3, 0.2], [0.25, 0.15]], [[-0.1, -0.3], [-0.2, -0.25]]])
    face = replace(FaceParameters.neutral(frames=2), gaze=gaze)
    write_live_link(path, arkit_curves(face, model))
    back, notes = read_live_link(rewritten(path, lambda table: [row[:54] for row in table]))
    torch.testing.assert_close(back.gaze, gaze, atol=1e-6, rtol=0)
    assert "the eyes have no angles: they turn as the EyeLook weights say" in notes
    assert not back.head.any()


def test_a_track_made_of_curves_has_the_curves():
    curves, model = drawn(), load_model()
    track = track_of_curves(curves, model)
    back = arkit_curves(
        track.parameters, model, times=track.times, seen=track.states != 2, look="fitted"
    )
    torch.testing.assert_close(back.weights, curves.weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(back.head, curves.head, atol=1e-6, rtol=0)
    assert torch.equal(back.gaze, curves.gaze)
    assert torch.equal(back.seen, curves.seen)
    assert torch.equal(back.times, curves.times)


CELLS = {
    "jawOpen in row 3 is 'x', no number": lambda t: [*t[:2], [*t[2][:19], "x", *t[2][20:]]],
    "HeadYaw in row 2 is 'nan', no number": lambda t: [t[0], [*t[1][:54], "nan", *t[1][55:]]],
    "Timecode in row 2 is 'noon', not HH:MM:SS:FF": lambda t: [t[0], ["noon", *t[1][1:]]],
    "row 2 has 62 columns, and the first has 63": lambda t: [t[0], t[1][:-1]],
    "has weights from 0 to 1e+06, and 0 to 1 are wanted": lambda t: [
        t[0],
        [*t[1][:2], "1e6", *["0"] * 60],
    ],
    "has no frames": lambda t: t[:1],
    "its first line must name Timecode and expressions such as JawOpen": lambda t: t[1:],
}


@pytest.mark.refusal
@pytest.mark.parametrize("words", CELLS)
def test_a_damaged_table_is_refused(taken, words):
    with pytest.raises(ParameterError, match=re.escape(words)):
        read_live_link(rewritten(taken, CELLS[words]))


@pytest.mark.refusal
def test_what_cannot_be_is_refused(tmp_path, taken):
    with pytest.raises(MissingFileError, match="there is no recording"):
        read_live_link(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    with pytest.raises(ParameterError, match="is not a table of text"):
        read_live_link(tmp_path / "bytes.csv")
    with pytest.raises(ParameterError, match="rate must be from 1 to 1000 frames a second, got 0"):
        read_live_link(taken, rate=0)
    with pytest.raises(ParameterError, match="look must be one of gaze, fitted, got 'up'"):
        arkit_curves(FaceParameters.neutral(), load_model(), look="up")
    with pytest.raises(ParameterError, match="weights must be from 0 to 1, got 2"):
        replace(drawn(), weights=torch.full((7, 52), 2.0))
