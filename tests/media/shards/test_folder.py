import json
import pickle

import numpy as np
import pytest

from morphface.core.errors import DatasetError, MissingFileError
from morphface.media.shards import durable_write, open_shards, remove_fragments
from morphface.media.shards.folder import MANIFEST
from tests.media.shards.samples import flip, parts, small_folder, write_manifest


@pytest.fixture
def folder(tmp_path):
    return small_folder(tmp_path)


def test_samples_are_numbered_through_all_shards(folder):
    shards = open_shards(folder)
    assert len(shards) == 7
    for number in (6, 0, 3, 2):
        assert shards.key(number) == f"ab_{number:06d}"
        assert shards.read(number, "frame.png") == parts(number)["frame.png"]


def test_another_process_opens_the_files_anew(folder):
    shards = open_shards(folder)
    shards.read(0, "json")
    again = pickle.loads(pickle.dumps(shards))
    shards.close()
    assert json.loads(again.read(5, "json")) == {"number": 5}


def test_runs_of_all_clips_are_counted_from_the_first_sample(folder):
    manifest = open_shards(folder).manifest
    write_manifest(folder, manifest["shards"], [[[0, 2], [2, 1]], [[0, 4]]])
    np.testing.assert_array_equal(open_shards(folder).runs, [[0, 2], [2, 1], [3, 4]])


def test_whole_files_have_no_damage(folder):
    assert open_shards(folder).damage() == []


def test_every_damaged_file_is_named(folder):
    flip(folder / "shard-000000.tar", 2000)
    (folder / "shard-000001.json").unlink()
    assert open_shards(folder).damage() == [
        "shard-000000.tar is damaged: its checksum is not the one it was written with",
        "shard-000001.json is missing",
    ]


@pytest.mark.refusal
def test_a_truncated_shard_is_refused_where_it_is_read(folder):
    path = folder / "shard-000001.tar"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DatasetError, match="truncated; the `morphface prepare` that made it mends"):
        open_shards(folder).read(6, "frame.png")


@pytest.mark.refusal
def test_a_missing_shard_and_an_unknown_part_are_named(folder):
    (folder / "shard-000001.tar").unlink()
    shards = open_shards(folder)
    with pytest.raises(DatasetError, match=r"shard-000001.tar cannot be opened"):
        shards.read(6, "json")
    with pytest.raises(DatasetError, match=r"no part depth.png, they have frame.png, params.npy"):
        shards.read(0, "depth.png")


@pytest.mark.refusal
@pytest.mark.parametrize("sample", [-1, 7])
def test_there_are_no_samples_beyond_the_last(folder, sample):
    with pytest.raises(IndexError, match=f"there are 7 samples, got {sample}"):
        open_shards(folder).read(sample, "json")


@pytest.mark.refusal
def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="there is no folder"):
        open_shards(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"is no dataset: it has no manifest.json"):
        open_shards(tmp_path)
    (tmp_path / ".work").mkdir()
    with pytest.raises(DatasetError, match="is not finished; run the same `morphface prepare`"):
        open_shards(tmp_path)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "cookbook"}, "is not the manifest of a dataset of morphface"),
        ({"version": 2}, "has the format 2, and this morphface reads 1; update morphface"),
        ({"samples": 9}, "is damaged: its checksum is not its own"),
        ({"sha256": "0"}, "is damaged: its checksum is not its own"),
    ],
)
def test_a_changed_manifest_is_refused(folder, change, message):
    manifest = json.loads((folder / MANIFEST).read_text()) | change
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DatasetError, match=message):
        open_shards(folder)


@pytest.mark.refusal
def test_a_manifest_that_is_cut_off_is_refused(folder):
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DatasetError, match="is damaged: it is no JSON file"):
        open_shards(folder)


def test_a_failed_writer_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), durable_write(tmp_path / "a.tar") as file:
        file.write(b"x" * (1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_fragments_of_killed_writers_are_removed_and_nothing_else(tmp_path):
    (tmp_path / "in").mkdir()
    names = [f".{'0a' * 16}.tar", f".{'0a' * 16}", "a.tar", ".hidden.tar", f"{'0a' * 16}.tar"]
    for name in names:
        (tmp_path / "in" / name).touch()
    remove_fragments(tmp_path)
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == sorted(names[2:])
