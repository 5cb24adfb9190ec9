import json
import shutil

import pytest

from morphface.core.errors import DatasetError, MissingFileError, OutputError, ParameterError
from morphface.generate.windows import ConditioningWindows
from morphface.media.shards import open_shards, read_shard
from morphface.pipelines.prepare import PrepareSettings, packing, prepare
from morphface.pipelines.prepare.record import holding
from morphface.pipelines.prepare.settings import versions
from tests.media.shards.samples import flip
from tests.pipelines.prepare import standin
from tests.pipelines.prepare.conftest import contents


def stop_after(count):
    """An order of tasks that is interrupted after so many."""
    left = iter(range(count))

    def order(queue):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return 0

    return order


def test_each_clip_becomes_samples_or_a_reason(make):
    made = make()
    found = {clip["source"]["name"]: clip for clip in made.manifest["clips"]}
    assert {name: clip["samples"] for name, clip in found.items()} == {
        "a.mp4": 7,
        "b.mp4": 0,
        "c.mp4": 23,
        "d.mp4": 0,
        "e.mp4": 4,
        "sub/f.mkv": 6,
        "sub/same.mov": 0,
    }
    assert made.skipped == [
        ("b.mp4", "b.mp4 is not a video; name a video"),
        ("d.mp4", "no face was found in any of its frames"),
    ]
    assert made.warnings == [("e.mp4", "it is cut off")]
    assert found["sub/same.mov"]["outcome"] == "duplicate"
    assert found["sub/same.mov"]["reason"] == "it has the same content as a.mp4"
    assert found["c.mp4"]["sequences"][0]["runs"] == [[0, 3], [3, 20]]


def test_a_clip_stays_in_one_shard_unless_it_is_larger(make, tmp_path):
    make()
    names = []
    for path in sorted((tmp_path / "out").glob("*.tar")):
        names.append([(key[:16], int(key[-6:])) for key, _ in read_shard(path)])
    assert [len(shard) for shard in names] == [7, 10, 10, 7, 6]
    assert [len({clip for clip, _ in shard}) for shard in names] == [1, 1, 1, 2, 1]
    frames = [frame for shard in names[1:4] for _, frame in shard][:23]
    assert frames == [0, 1, 2, *range(5, 25)]


def test_samples_carry_their_content_and_where_they_come_from(make, tmp_path):
    manifest = make().manifest
    shards = open_shards(tmp_path / "out")
    clip = manifest["clips"][2]["source"]
    facts = json.loads(shards.read(7 + 3, "json"))
    assert facts["source_sha256"] == clip["sha256"]
    assert (facts["source"], facts["frame"], facts["state"]) == ("c.mp4", 5, "tracked")
    wanted = standin.png(standin.picture(clip["sha256"][:16], "gaze", 5))
    assert shards.read(7 + 3, "gaze.png") == wanted


def test_windows_of_a_dataset_end_at_lost_frames(make, tmp_path):
    make()
    windows = ConditioningWindows(tmp_path / "out")
    assert windows.offsets == tuple(range(-10, 1))
    assert len(windows) == 40
    first_after = windows[7 + 3]["window"].reshape(11, 9, 8, 8)
    assert (first_after == first_after[-1]).all()


def test_each_person_of_a_clip_has_keys_and_runs_of_their_own(make, clips, tmp_path):
    (clips / "b.mp4").write_text("people=2 frames=3")
    made = make()
    clip = made.manifest["clips"][1]
    assert [sequence["runs"] for sequence in clip["sequences"]] == [[[0, 3]], [[3, 3]]]
    shards = open_shards(tmp_path / "out")
    name = clip["source"]["sha256"][:16]
    assert shards.key(7) == f"{name}_000000"
    assert shards.key(10) == f"{name}p1_000000"
    make()
    assert make.state.executor.done == []


def test_a_model_file_with_another_content_is_another_model(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(b"one")
    before = versions(str(path))
    versions.cache_clear()
    path.write_bytes(b"two")
    assert before["model"] != versions(str(path))["model"]
    assert "model" not in versions("open-head")


@pytest.mark.parametrize(
    "order", [lambda queue: -1, lambda queue: len(queue) // 2], ids=["last first", "middle first"]
)
def test_who_is_done_first_changes_no_byte(make, tmp_path, order):
    make()
    make("other", order=order)
    assert contents(tmp_path / "out") == contents(tmp_path / "other")


def test_a_run_that_is_interrupted_anywhere_comes_out_the_same(make, tmp_path):
    make()
    total = len(make.state.executor.done)
    for count in range(total):
        with pytest.raises(KeyboardInterrupt):
            make("other", order=stop_after(count))
        make("other")
        assert len(make.state.executor.done) == total - count
        assert contents(tmp_path / "out") == contents(tmp_path / "other"), count
        shutil.rmtree(tmp_path / "other")


def test_many_interruptions_in_a_row_change_nothing(make, tmp_path):
    make()
    for _ in range(20):
        try:
            make("other", order=stop_after(1))
        except KeyboardInterrupt:
            continue
        break
    assert contents(tmp_path / "out") == contents(tmp_path / "other")


def test_a_finished_dataset_is_left_as_it_is(make, tmp_path):
    make()
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("shard*")}
    again = make()
    assert make.state.executor.done == []
    assert again.manifest["samples"] == 40
    for name, time in times.items():
        assert (tmp_path / "out" / name).stat().st_mtime_ns == time


@pytest.mark.parametrize("suffix", [".tar", ".json"])
@pytest.mark.parametrize("how", ["changed", "removed", "cut"])
def test_a_damaged_shard_is_made_again_from_its_clips_alone(make, tmp_path, suffix, how):
    make()
    whole = contents(tmp_path / "out")
    path = tmp_path / "out" / f"shard-000003{suffix}"
    if how == "changed":
        flip(path, 60)
    elif how == "removed":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:100])
    make()
    assert contents(tmp_path / "out") == whole
    shard = str(tmp_path / "out" / "shard-000003")
    assert make.state.executor.done == [shard, "2", "4", shard]


def test_whole_shards_in_each_others_places_are_made_again(make, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make(order=stop_after(9))
    for suffix in (".tar", ".json"):
        one, other = (tmp_path / "out" / f"shard-00000{k}{suffix}" for k in (0, 1))
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    make()
    make("other")
    assert contents(tmp_path / "out") == contents(tmp_path / "other")


def test_a_damaged_manifest_is_made_again(make, tmp_path):
    make()
    whole = contents(tmp_path / "out")
    flip(tmp_path / "out" / "manifest.json", 100)
    make()
    assert contents(tmp_path / "out") == whole


def test_a_unit_that_is_damaged_before_it_is_packed_is_made_again(make, tmp_path):
    make()
    with pytest.raises(KeyboardInterrupt):
        make("other", order=stop_after(1))
    unit = next((tmp_path / "other" / ".work" / "units").rglob("*.tar"))
    flip(unit, 700)
    make("other")
    assert contents(tmp_path / "out") == contents(tmp_path / "other")


def test_a_disk_that_keeps_nothing_is_not_trusted(make, monkeypatch):
    monkeypatch.setattr(packing, "_is_whole", lambda piece: False)
    with pytest.raises(DatasetError, match="does not stay as it was written; check the disk"):
        make()


def test_one_frame_in_so_many_is_one_run(make, tmp_path):
    manifest = make(every=3).manifest
    assert manifest["clips"][0]["sequences"][0]["runs"] == [[0, 7]]


def test_an_unexpected_mistake_skips_the_clip(make, clips):
    (clips / "b.mp4").write_text("mistake")
    assert ("b.mp4", "unexpected ZeroDivisionError: oh") in make().skipped


def test_a_clip_that_kills_its_process_is_reported_and_tried_again_in_an_unfinished_run(
    make, tmp_path
):
    make()
    made = make("deadly", deadly=("2",))
    assert ("c.mp4", "its process was killed") in made.skipped
    assert made.manifest["samples"] == 40 - 23
    with pytest.raises(KeyboardInterrupt):
        make("other", deadly=("2",), order=stop_after(7))
    make("other")
    assert contents(tmp_path / "other") == contents(tmp_path / "out")


def test_a_clip_whose_process_died_is_tried_again_by_later_runs_a_few_times(make, tmp_path):
    make()
    tries = [make("other", deadly=("2",)).manifest["clips"][2]["tries"] for _ in range(2)]
    assert tries == [1, 2]
    make("other")
    assert contents(tmp_path / "other") == contents(tmp_path / "out")
    for _ in range(3):
        make("hopeless", deadly=("2",))
    make("hopeless")
    assert make.state.executor.done == []


@pytest.mark.refusal
def test_a_shard_that_cannot_be_packed_stops_the_run(make, tmp_path):
    with pytest.raises(DatasetError, match="shard-000000 could not be packed: its process was"):
        make(deadly=(str(tmp_path / "out" / "shard-000000"),))


def test_a_clip_that_changes_meanwhile_is_skipped(make, clips, monkeypatch):
    def changing(clip, settings, warn):
        if clip.source == "a.mp4":
            (clips / "a.mp4").write_text("frames=8 ")
        yield from standin_work(clip, settings, warn)

    standin_work = standin.work
    monkeypatch.setattr(standin, "work", changing)
    assert ("a.mp4", "it was changed while it was prepared") in make().skipped


def test_all_clips_may_be_bad(make, clips):
    for path in clips.rglob("*.m*"):
        path.write_text(f"bad {path.name}")
    made = make()
    assert (made.manifest["samples"], made.manifest["shards"]) == (0, [])
    assert len(made.skipped) == 7


@pytest.mark.refusal
def test_a_full_disk_says_so_and_loses_nothing(make, clips, tmp_path):
    make()
    (clips / "e.mp4").write_text("full")
    with pytest.raises(OutputError) as caught:
        make("other")
    assert str(caught.value) == (
        "cannot write to x: the disk is full; what is done is kept: mend that and run the same "
        "command again"
    )
    units = list((tmp_path / "other").rglob("*.outcome"))
    assert len(units) >= 4


@pytest.mark.refusal
def test_other_settings_are_refused_in_words(make, clips, tmp_path):
    make()
    before = contents(tmp_path / "out")
    (clips / "new.mp4").write_text("frames=1")
    (clips / "a.mp4").write_text("frames=1 ")
    (clips / "c.mp4").unlink()
    with pytest.raises(DatasetError) as caught:
        make(size=128, maps=("gaze",))
    assert str(caught.value) == (
        f"{tmp_path / 'out'} was begun otherwise: maps was diffuse, correspondence, gaze and now "
        "is gaze; size was 256 and now is 128; the clip new.mp4 is new; the clip c.mp4 is missing; "
        "the clip a.mp4 has another content; repeat it as it was begun, or choose another folder"
    )
    assert {k: v for k, v in contents(tmp_path / "out").items() if ".work" not in k} == before


@pytest.mark.refusal
def test_other_settings_are_refused_in_an_unfinished_dataset_too(make, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        make(order=stop_after(2))
    with pytest.raises(DatasetError, match="begun otherwise: every was 1 and now is 2; repeat it"):
        make(every=2)
    monkeypatch.setattr(
        "morphface.pipelines.prepare.record.versions", lambda model: {"numpy": "0.1"}
    )
    with pytest.raises(DatasetError, match=r"numpy was \S+ and now is 0.1; pillow was"):
        make()


@pytest.mark.refusal
def test_a_mended_dataset_needs_its_clips(make, clips, tmp_path):
    make()
    (tmp_path / "out" / "shard-000000.tar").unlink()
    monkey = standin.words_of
    standin.words_of = lambda clip: {"noface": ""}
    try:
        with pytest.raises(DatasetError, match=r"a.mp4 was prepared before, but cannot be again"):
            make()
    finally:
        standin.words_of = monkey


@pytest.mark.refusal
def test_two_runs_at_once_are_refused(make, tmp_path):
    with (
        holding(tmp_path / "out"),
        pytest.raises(OutputError, match="another `morphface prepare` is at work in"),
    ):
        make()


@pytest.mark.refusal
def test_a_folder_with_other_files_is_left_alone(make, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").touch()
    with pytest.raises(DatasetError, match=r"holds other files, such as thesis.doc; choose"):
        make()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.doc"]


@pytest.mark.refusal
def test_a_dataset_among_its_clips_is_refused(make, clips):
    with pytest.raises(ParameterError, match="would lie inside .*clips, which is to be prepared"):
        make("clips/out")
    assert not (clips / "out").exists()


@pytest.mark.refusal
def test_inputs_without_a_video_are_refused(make, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    (tmp_path / "empty" / ".hidden.mp4").touch()
    with pytest.raises(MissingFileError, match=r"there is no video in .*empty; videos in folders"):
        make(inputs=[tmp_path / "empty"])
    with pytest.raises(MissingFileError, match=r"there is no file or folder .*nowhere; check"):
        make(inputs=[tmp_path / "nowhere"])
    with pytest.raises(ParameterError, match="name at least one video"):
        prepare([], tmp_path / "out", work=standin.work)
    assert not (tmp_path / "out").exists()


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "size must be a whole number from 32 to 2048, got 8"),
        ({"every": 0}, "every must be a whole number from 1 to 100000, got 0"),
        ({"people": 65}, "people must be a whole number from 1 to 64, got 65"),
        ({"strict": ("dark",)}, "'dark' is measured in photos, not in the frames of videos"),
        ({"strict": ("dim",)}, "there is no warning 'dim': known are all, small, blurred"),
        ({"people": 0}, "people must be a whole number from 1 to 64, got 0"),
        ({"stage": "quick"}, "stage must be one of linear, pixels, got 'quick'"),
        ({"maps": ("dept",)}, "names must be one or more of diffuse, .*, got 'dept'"),
        ({"shard_size": "big"}, "shard size must be a number of samples, as 5000, or of bytes"),
        ({"shard_size": "0"}, "got '0'"),
        ({"shard_size": "1.5"}, "got '1.5'"),
    ],
)
def test_settings_that_make_no_sense_are_named(options, message):
    with pytest.raises(ParameterError, match=message):
        PrepareSettings(**options)


@pytest.mark.refusal
def test_no_workers_are_refused(tmp_path, clips):
    with pytest.raises(ParameterError, match="workers must be from 1 to 4096, got 0"):
        prepare([clips], tmp_path / "out", workers=0, work=standin.work)
