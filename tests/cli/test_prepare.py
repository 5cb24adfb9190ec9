from functools import partial

import numpy as np
import pytest
from PIL import Image

from morphface.cli import run
from morphface.pipelines import prepare as package
from morphface.pipelines.prepare import dataset
from tests.media.shards.samples import flip
from tests.pipelines.prepare import standin
from tests.pipelines.prepare.conftest import write_clips
from tests.pipelines.prepare.inline import Inline

CLIPS = {"a.mp4": "frames=7", "b.mp4": "bad", "c.mp4": "frames=4 cut"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The command with a stand-in for its work, in this process."""
    monkeypatch.setattr("os.fsync", lambda handle: None)
    monkeypatch.setattr(dataset, "Pool", lambda workers: Inline())
    monkeypatch.setattr(package, "prepare", partial(package.prepare, work=standin.work))


@pytest.fixture
def clips(tmp_path):
    return write_clips(tmp_path / "clips", CLIPS)


def prepared(clips, tmp_path, *options):
    return run(["prepare", str(clips), "-o", str(tmp_path / "out"), *options])


def refusal(capfd, code):
    out, err = capfd.readouterr()
    assert (out, code) == ("", 2)
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err.removeprefix("error: ").rstrip()


def test_a_dataset_is_made_and_summarised_with_code_3_if_clips_were_skipped(clips, tmp_path, capfd):
    assert prepared(clips, tmp_path, "--shard-size", "7") == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "11 samples of 2 clips in 2 shards, 0.1 MB",
        "skipped: b.mp4: b.mp4 is not a video; name a video",
        "note: c.mp4: it is cut off",
        f"written to {tmp_path / 'out'}/",
    ]


def test_all_well_is_code_0_and_quiet_is_silent(clips, tmp_path, capfd):
    (clips / "b.mp4").unlink()
    options = ["--maps", "gaze, depth", "--size", "64", "--every", "2", "--quiet"]
    assert prepared(clips, tmp_path, *options) == 0
    assert capfd.readouterr() == ("", "")


def test_many_skipped_clips_are_counted(clips, tmp_path, capfd):
    write_clips(clips, {f"{k:02d}.mp4": f"bad {k}" for k in range(12)})
    assert prepared(clips, tmp_path) == 3
    assert f"skipped: 3 more, see {tmp_path / 'out'}/manifest.json" in capfd.readouterr().err


def test_inspecting_prints_a_table_and_draws_a_sheet(clips, tmp_path, capfd):
    prepared(clips, tmp_path)
    capfd.readouterr()
    assert run(["inspect", str(tmp_path / "out"), "--verify"]) == 0
    out, err = capfd.readouterr()
    rows = dict(line.split("\t") for line in out.splitlines())
    assert rows["samples"] == "11"
    assert rows["clips prepared"] == "2"
    assert rows["quality of people"] == "0.40 to 0.90, mean 0.65"
    assert rows["yaw, degrees"] == "-5.0 to +20.0, mean +10.0"
    assert rows["expression jawOpen"] == "0.00 to 1.00, mean 0.50"
    assert rows["skipped"] == "1, such as b.mp4: it is not a video; name a video"
    assert rows["note"] == "c.mp4: it is cut off"
    sheet = tmp_path / "out" / "sheet.jpg"
    assert err.splitlines() == [f"contact sheet: {sheet}", "all files are as they were written"]
    with Image.open(sheet) as image:
        assert image.size == (2 * 4 * 160 + 16, 6 * 160)
    assert run(["inspect", str(tmp_path / "out"), "--sheet", str(tmp_path / "s.png")]) == 0
    assert (tmp_path / "s.png").exists()


def test_the_sheet_shows_frames_beside_their_maps(clips, tmp_path):
    (clips / "c.mp4").unlink()
    prepared(clips, tmp_path, "--maps", "gaze")
    run(["inspect", str(tmp_path / "out"), "--sheet", str(tmp_path / "s.png"), "--quiet"])
    with Image.open(tmp_path / "s.png") as image:
        sheet = np.asarray(image)
    assert sheet.shape == (4 * 160, 4 * 160 + 16, 3)
    clip = next((tmp_path / "out").glob("*.json")).read_text().split('"keys":["')[1][:16]
    for column, name in enumerate(("frame", "gaze")):
        small = Image.fromarray(standin.picture(clip, name, 0))
        wanted = np.asarray(small.resize((160, 160), Image.Resampling.BILINEAR))
        assert (sheet[:160, 160 * column : 160 * (column + 1)] == wanted).all()


@pytest.mark.parametrize(
    ("wishes", "count"),
    [
        (["--only", "turned"], 3),
        (["--only", "all"], 3),
        (["--only", "cut"], 0),
        (["--below", "0.65"], 7),
        (["--below", "0.4"], 0),
        (["--only", "turned", "--below", "0.65"], 3),
    ],
)
def test_frames_are_chosen_by_their_warnings_and_their_people(
    clips, tmp_path, capfd, wishes, count
):
    (clips / "c.mp4").unlink()
    prepared(clips, tmp_path)
    capfd.readouterr()
    assert run(["inspect", str(tmp_path / "out"), *wishes]) == 0
    out, err = capfd.readouterr()
    assert f"samples chosen\t{count}\n" in out
    assert ("contact sheet" in err) == (count > 0)


@pytest.mark.refusal
def test_frames_are_not_chosen_by_what_is_not_measured_in_them(clips, tmp_path, capfd):
    prepared(clips, tmp_path)
    capfd.readouterr()
    message = refusal(capfd, run(["inspect", str(tmp_path / "out"), "--only", "dark"]))
    assert message.startswith("'dark' is measured in photos, not in the frames of videos")
    message = refusal(capfd, run(["inspect", str(tmp_path / "out"), "--below", "2"]))
    assert message == "below must be above 0 and at most 1, got 2"


@pytest.mark.refusal
def test_frames_of_people_without_a_quality_are_not_chosen_by_it(clips, tmp_path, capfd):
    write_clips(clips, dict.fromkeys(CLIPS, "frames=2 unrated"))
    prepared(clips, tmp_path)
    capfd.readouterr()
    message = refusal(capfd, run(["inspect", str(tmp_path / "out"), "--below", "0.5"]))
    assert message.startswith("no person of this dataset has a quality: prepare it anew by pixels")


def test_a_dataset_without_samples_has_a_table_and_no_sheet(clips, tmp_path, capfd):
    write_clips(clips, {name: f"bad {name}" for name in CLIPS})
    assert prepared(clips, tmp_path) == 3
    assert run(["inspect", str(tmp_path / "out")]) == 0
    out, err = capfd.readouterr()
    assert "samples\t0" in out
    assert "sheet" not in err


@pytest.mark.refusal
def test_a_damaged_shard_is_named_and_the_same_command_mends_it(clips, tmp_path, capfd):
    prepared(clips, tmp_path)
    flip(tmp_path / "out" / "shard-000000.tar", 1000)
    capfd.readouterr()
    message = refusal(capfd, run(["inspect", str(tmp_path / "out"), "--verify"]))
    assert message == (
        f"{tmp_path / 'out'} has 1 damaged files: shard-000000.tar is damaged: its checksum is not "
        "the one it was written with; give the `morphface prepare` that made it again to mend it"
    )
    assert prepared(clips, tmp_path) == 3
    assert run(["inspect", str(tmp_path / "out"), "--verify"]) == 0


@pytest.mark.refusal
def test_a_damaged_picture_is_named(clips, tmp_path, capfd):
    prepared(clips, tmp_path)
    path = tmp_path / "out" / "shard-000000.tar"
    path.write_bytes(bytes(path.stat().st_size))
    capfd.readouterr()
    message = refusal(capfd, run(["inspect", str(tmp_path / "out")]))
    assert "frame.png of sample" in message
    assert "is damaged; `morphface inspect --verify` tells" in message


@pytest.mark.refusal
def test_an_interruption_says_how_to_go_on(clips, tmp_path, capfd, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(package, "prepare", interrupted)
    assert prepared(clips, tmp_path) == 130
    assert capfd.readouterr().err == (
        f"error: interrupted; what is done is kept in {tmp_path / 'out'}: give the same command "
        "again to go on\n"
    )


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "0"], "workers must be from 1 to 4096, got 0"),
        (["--maps", "wigs"], "names must be one or more of"),
        (["--maps", "gaze,gaze"], "each once, got gaze, gaze"),
        (["--size", "big"], "; see morphface prepare --help"),
        (["--shard-size", "1XB"], "the shard size must be a number of samples"),
        (["--stage", "none"], "stage must be one of linear, pixels"),
    ],
)
def test_a_bad_option_gets_one_sentence(clips, tmp_path, capfd, options, message):
    assert message in refusal(capfd, prepared(clips, tmp_path, *options))
    assert not (tmp_path / "out").exists()


@pytest.mark.refusal
def test_what_is_no_dataset_gets_one_sentence(clips, tmp_path, capfd):
    assert "is no dataset" in refusal(capfd, run(["inspect", str(clips)]))
    assert "there is no folder" in refusal(capfd, run(["inspect", str(tmp_path / "nowhere")]))
    assert "Missing option" in refusal(capfd, run(["prepare", str(clips)]))
    (tmp_path / "file").touch()
    code = run(["prepare", str(clips), "-o", str(tmp_path / "file" / "out")])
    assert "a part of the path is a file, not a folder" in refusal(capfd, code)
