import re
import shutil
from dataclasses import replace

import av
import pytest
import torch

from morphface.cli.app import run as command
from morphface.core.errors import MissingFileError, NoFaceError, OutputError, ParameterError
from morphface.core.version import __version__
from morphface.edit import MODES
from morphface.media.shards.durable import file_sha256
from morphface.media.video import read_video
from morphface.parameters import (
    LOST,
    load_parameters,
    load_track,
    save_parameters,
    save_track,
)
from morphface.pipelines.reenact import animate_video, open_run, reenact_video
from morphface.pipelines.reenact.backdrop import there_and_back
from morphface.pipelines.reenact.driver import (
    driven,
    read_driver,
    rows_at,
    run_settings,
    strayed,
)
from tests.media.video.clips import sound_packets
from tests.pipelines.reenact.conftest import FRAMES, grey

SCRIPT = [{"time": 0}, {"time": 0.2, "expression": {"jawOpen": 0.5}}]


def read(path):
    with read_video(path) as video:
        return [frame.photo.pixels for frame in video]


def comment(path):
    with av.open(str(path)) as container:
        list(container.decode(video=0))
        return {name.lower(): value for name, value in container.metadata.items()}["comment"]


def test_a_driven_video_has_the_frames_of_the_clip_around_the_made_crop(
    tmp_path, run, driver, clip
):
    report = reenact_video(run, driver, tmp_path / "out.mp4", clip=clip, label=False)
    frames = read(tmp_path / "out.mp4")
    assert (len(frames), report["frames"], report["size"]) == (30, 30, [40, 56])
    assert "back and forth" in report["background"]
    for k in (0, 7, 23, 24, 29):
        behind = grey(k if k < FRAMES else 2 * (FRAMES - 1) - k)
        for side in (frames[k][:, :4], frames[k][:, 50:]):  # nearer the crop, the encoder smears
            assert (side - behind).abs().max() < (grey(1) - grey(0)) / 2  # it is no other frame
    inside = frames[23][16:24, 22:30]
    assert (inside - grey(23)).abs().mean() > 0.05


def test_sound_is_the_drivers(tmp_path, run, driver):
    report = reenact_video(run, driver, tmp_path / "out.mp4")
    assert report["sound"] == f"that of {driver.parent / 'talk.mp4'}"
    assert len(sound_packets(tmp_path / "out.mp4")) >= 18  # of 64 ms, in 1.2 s


def test_sound_is_that_of_the_frames_of_a_later_part(tmp_path, run, driver):
    track, header = load_track(driver)
    save_track(tmp_path / "late.npz", track[10:], model="open-head", extra=header["extra"])
    reenact_video(run, tmp_path / "late.npz", tmp_path / "out.mp4")
    assert 11 <= len(sound_packets(tmp_path / "out.mp4")) <= 14  # of 64 ms, in 0.8 s


def test_sound_that_is_not_there_is_told(tmp_path, run, driver, clip):
    report = reenact_video(run, driver, tmp_path / "a.mp4", sound="target")
    assert report["sound"] == "none: person.mp4 is not at hand"
    report = reenact_video(run, driver, tmp_path / "a.mp4", sound="target", clip=clip)
    assert report["sound"] == f"none: {clip} has no sound"


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "gif"])
def test_every_file_says_that_it_is_synthesised(tmp_path, run, suffix):
    out, compare = tmp_path / f"out.{suffix}", suffix == "mp4"
    report = animate_video(run, SCRIPT, out, label=suffix == "mkv", compare=compare)
    words = comment(out)
    assert words.startswith("Synthesised by a generator, not recorded by a camera")
    assert f"synthesised_by=morphface {__version__}" in words
    assert f"weights_sha256={file_sha256(run / 'generator.safetensors')}" in words
    assert f"target_sha256={report['provenance']['target_sha256']}" in words
    assert not compare or comment(tmp_path / f"out-compare.{suffix}") == words


def test_the_driver_and_the_script_are_named_by_their_checksums(tmp_path, run, driver):
    report = reenact_video(run, driver, tmp_path / "out.mp4")
    assert report["provenance"]["driver_sha256"] == file_sha256(driver)
    assert f"driver_sha256={file_sha256(driver)}" in comment(tmp_path / "out.mp4")


def test_the_label_can_be_left_out_and_changes_only_its_corner(tmp_path, run):
    animate_video(run, SCRIPT, tmp_path / "with.mkv", clip=None)
    animate_video(run, SCRIPT, tmp_path / "without.mkv", label=False)
    change = (read(tmp_path / "with.mkv")[0] - read(tmp_path / "without.mkv")[0]).abs().amax(-1)
    assert change[24:].max() > 0.2
    assert change[:16].max() < 0.1  # but for the coding


def test_the_crop_is_written_alone_when_asked_and_where_no_clip_is(tmp_path, run, clip):
    report = animate_video(run, SCRIPT, tmp_path / "a.mkv", clip=clip, crop_only=True)
    assert report["size"] == [32, 32]
    report = animate_video(run, SCRIPT, tmp_path / "a.mkv")
    assert report["size"] == [32, 32]
    assert "person.mp4 is not at hand; say where it is with --target" in report["background"]


def test_a_copied_run_works_without_dataset_and_clip(tmp_path, run, driver):
    copy = tmp_path / "elsewhere"
    shutil.move(run, copy)
    reenact_video(copy, driver, tmp_path / "out.mp4", compare=True)
    assert read(tmp_path / "out-compare.mp4")[0].shape == (256, 6 * 256, 3)


def test_the_clip_is_found_in_the_run(tmp_path, run, clip):
    shutil.copy(clip, run)
    assert animate_video(run, SCRIPT, tmp_path / "a.mp4")["size"] == [40, 56]


def test_a_still_base_differs_from_the_track_and_repeats_its_frame(tmp_path, run, clip):
    options = {"clip": clip, "label": False}
    animate_video(run, [{"time": 0}, {"time": 0.2}], tmp_path / "a.mkv", base=5, **options)
    frames = read(tmp_path / "a.mkv")
    assert len(frames) == 6
    assert all((frame[:, :8] - grey(5)).abs().max() < 0.03 for frame in frames)
    assert (frames[5] - frames[0]).abs().mean() < 0.02


def test_modes_keep_what_they_say(run, driver):
    opened = open_run(run)
    moves = read_driver(driver, opened)
    track = opened.target.track
    rows = rows_at(track, moves.times, opened.target.rate)
    assert rows.tolist() == [*range(24), 22, 21, 20, 19, 18, 17]
    dubbed = driven(moves, opened, run_settings("dub"), rows)
    assert torch.equal(dubbed.rotation, track.parameters.rotation[rows])
    driven_fully = driven(moves, opened, run_settings("reenact"), rows)
    assert not torch.equal(driven_fully.rotation, dubbed.rotation)
    assert torch.equal(driven_fully.identity, track.parameters.identity)


def test_the_driver_is_framed_as_the_target(run, driver):
    target = open_run(run).target
    track = target.track
    own = read_driver(run / "target.npz", open_run(run)).crop(64, track, open_run(run).model)
    assert (own.left, own.top, own.side) == pytest.approx((0, 0, 32), abs=0.1)
    camera = track.camera  # the same head, seen twice as large and elsewhere
    larger = replace(
        camera, focal=2 * camera.focal, principal=2 * camera.principal + 10, size=(99, 99)
    )
    moves = read_driver(driver, open_run(run))
    actor = replace(moves.actor, parameters=track.parameters, camera=larger)
    crop = replace(moves, actor=actor).crop(64, track, open_run(run).model)
    assert (crop.left, crop.top, crop.side) == pytest.approx((10, 10, 64), abs=0.1)


def test_turns_are_relative_unless_settings_are_given_in_full():
    assert run_settings("reenact").rotation.how == "relative"
    assert run_settings("dub").rotation.how == "keep"
    assert run_settings(MODES["reenact"]) == MODES["reenact"]


def test_heads_stop_about_where_they_did_in_training(run, driver):
    opened = open_run(run)
    moves = read_driver(driver, opened)
    face = moves.actor.parameters
    aside = torch.linspace(-300, 300, 30)[:, None] * torch.tensor([1.0, 0, 0])
    wild = replace(face, rotation=2.5 * face.rotation, translation=face.translation + aside)
    moves = replace(moves, actor=replace(moves.actor, parameters=wild))
    rows = rows_at(opened.target.track, moves.times, opened.target.rate)
    known = opened.target.track.parameters
    for limit, words in ((True, "it stops about there; --no-limit lets"), (False, "expect flaws")):
        settings = run_settings("reenact", limit=limit)
        asked = driven(moves, opened, settings, rows)
        reach = 2.5 * known.rotation[:, 1].std(correction=0) + 1e-4
        middle = known.rotation[:, 1].mean()
        assert ((asked.rotation[:, 1] - middle).abs().max() <= reach) == limit
        assert (asked.translation[:, 0].abs().max() < 60) == limit
        found = strayed(moves, opened, settings, rows)
        assert re.match(r"in \d+% of the frames the head turns or moves further .* degrees", found)
        assert words in found
    assert strayed(moves, opened, run_settings("dub"), rows) == ""


@pytest.mark.parametrize("count", [1, 2, 5])
def test_there_and_back_moves_by_one_frame_at_most(count):
    found = there_and_back(torch.arange(20), count)
    assert found[:count].tolist() == list(range(count))
    assert (found.diff().abs() == (1 if count > 1 else 0)).all()
    assert found.min() == 0
    assert found.max() == count - 1


@pytest.mark.refusal
def test_an_out_path_that_cannot_be_is_refused_before_any_work(tmp_path, run, driver):
    with pytest.raises(OutputError, match="the suffix of a video must be .mp4"):
        reenact_video(run, driver, tmp_path / "out.npz")
    with pytest.raises(OutputError, match="it is an input; choose another name"):
        animate_video(run, SCRIPT, tmp_path / "a.mp4", clip=tmp_path / "a.mp4")
    (tmp_path / "talk-compare.mp4").write_bytes(b"a driver")
    with pytest.raises(OutputError, match="talk-compare.mp4: it is an input; choose another"):
        reenact_video(run, tmp_path / "talk-compare.mp4", tmp_path / "talk.mp4", compare=True)
    (tmp_path / "dir.mp4").mkdir()
    with pytest.raises(OutputError, match="it is a folder; name a file in it"):
        animate_video(run, SCRIPT, tmp_path / "dir.mp4")


@pytest.mark.refusal
def test_drivers_that_do_not_move_are_refused(tmp_path, run, driver):
    with pytest.raises(ParameterError, match="does not move: DRIVER must be a video or a track"):
        reenact_video(run, run / "target.png", tmp_path / "out.mp4")
    track, _ = load_track(driver)
    save_parameters(tmp_path / "face.npz", track.parameters[0], track.camera, model="open-head")
    assert load_parameters(tmp_path / "face.npz")
    with pytest.raises(ParameterError, match="has 1 frame, which does not move"):
        reenact_video(run, tmp_path / "face.npz", tmp_path / "out.mp4")
    with pytest.raises(MissingFileError, match="there is no driver"):
        reenact_video(run, tmp_path / "none.mp4", tmp_path / "out.mp4")
    with pytest.raises(MissingFileError, match="holds no track.npz; name .* or a track.npz$"):
        reenact_video(run, run, tmp_path / "out.mp4")
    with pytest.raises(MissingFileError, match=r"holds no .*track.npz, such as .*/track.npz"):
        reenact_video(run, driver.parent.parent, tmp_path / "out.mp4")


@pytest.mark.refusal
def test_a_driver_whose_face_is_never_seen_is_refused(tmp_path, run, driver):
    track, header = load_track(driver)
    lost = replace(track, states=torch.full((30,), LOST))
    save_track(tmp_path / "lost.npz", lost, model="open-head", extra=header["extra"])
    with pytest.raises(NoFaceError, match=r"lost.npz: the face is lost in all 30 frames; use a"):
        reenact_video(run, tmp_path / "lost.npz", tmp_path / "out.mp4")
    gap = replace(track, states=torch.tensor([0] * 10 + [LOST] * 3 + [0] * 17))
    save_track(tmp_path / "gap.npz", gap, model="open-head", extra=header["extra"])
    report = reenact_video(run, tmp_path / "gap.npz", tmp_path / "out.mp4")
    assert report["warnings"][0].startswith(
        "gap.npz: the face is lost in 3 of 30 frames; it stands"
    )


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_is_stopped_in_the_middle_leaves_nothing_new(tmp_path, run, driver, stop):
    (tmp_path / "out.mp4").write_bytes(b"an older film")

    def halt(words):
        if words == "making frame 7 of 30":
            raise stop

    before = sorted(tmp_path.rglob("*"))
    kind = KeyboardInterrupt if stop is KeyboardInterrupt else (OSError, OutputError)
    with pytest.raises(kind):
        reenact_video(run, driver, tmp_path / "out.mp4", compare=True, progress=halt)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "out.mp4").read_bytes() == b"an older film"


@pytest.mark.refusal
def test_another_clip_than_that_of_the_training_is_refused(tmp_path, run, driver):
    with pytest.raises(ParameterError, match="is not the clip that the run was trained on, person"):
        animate_video(run, SCRIPT, tmp_path / "a.mp4", clip=driver)
    with pytest.raises(ParameterError, match="its frames would not fit"):  # before any tracking
        reenact_video(run, tmp_path.parent, tmp_path / "a.mp4", clip=driver)
    with pytest.raises(MissingFileError, match="there is no clip of the target at"):
        animate_video(run, SCRIPT, tmp_path / "a.mp4", clip=tmp_path / "none.mp4")


@pytest.mark.refusal
def test_sounds_and_bases_that_are_none_are_refused(tmp_path, run, driver):
    with pytest.raises(ParameterError, match="sound must be one of driver, target, none"):
        reenact_video(run, driver, tmp_path / "a.mp4", sound="loud")
    with pytest.raises(ParameterError, match="a script has no driver"):
        animate_video(run, SCRIPT, tmp_path / "a.mp4", sound="driver")
    with pytest.raises(ParameterError, match="base must be a frame from 0 to 23, got 24"):
        animate_video(run, SCRIPT, tmp_path / "a.mp4", base=24)


def test_the_commands_write_and_refuse_in_one_line(tmp_path, run, driver, capsys):
    out = str(tmp_path / "out.mp4")
    assert command(["reenact", str(run), "--driver", str(driver), "-o", out, "--mode", "dub"]) == 0
    assert "30 frames written to" in capsys.readouterr().err
    assert command(["reenact", str(tmp_path), "--driver", str(driver), "-o", out]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} is no run")
    (tmp_path / "edits.json").write_text('[{"time": 0, "yaw": "left"}]')
    script = str(tmp_path / "edits.json")
    assert command(["animate", str(run), "--script", script, "-o", out]) == 2
    assert "key frame 1 (at 0 s): yaw must be a number of degrees" in capsys.readouterr().err
