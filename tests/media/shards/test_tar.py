import hashlib
import io
import json
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphface.core.errors import DatasetError, ParameterError
from morphface.media.shards import ShardWriter, load_index, read_shard, save_index, scan_shard
from tests.media.shards.samples import EXTENSIONS, flip, parts, write_shard

COUNT = 5


@pytest.fixture
def shard(tmp_path):
    write_shard(tmp_path / "shard", [(f"ab_{k:06d}", parts(k)) for k in range(COUNT)])
    return tmp_path / "shard.tar"


def written(samples, extensions):
    file = io.BytesIO()
    writer = ShardWriter(file, extensions)
    for key, content in samples:
        writer.add(key, content)
    return file.getvalue(), writer.finish(), file.getvalue()


@given(st.lists(st.tuples(st.binary(max_size=1500), st.binary(max_size=1500)), max_size=4))
def test_any_content_comes_back_and_the_index_finds_it(contents):
    samples = [(f"k_{i}", {"a.bin": a, "b": b}) for i, (a, b) in enumerate(contents)]
    _, index, data = written(samples, ("a.bin", "b"))
    assert index.bytes == len(data)
    assert index.sha256 == hashlib.sha256(data).hexdigest()
    for row, (key, content) in enumerate(samples):
        assert index.keys[row] == key
        for part, extension in enumerate(index.extensions):
            start = index.offsets[row, part]
            assert data[start : start + index.sizes[row, part]] == content[extension]


def test_another_tar_reader_finds_plain_files_without_dates_or_owners(shard):
    with tarfile.open(shard) as archive:
        members = archive.getmembers()
        assert [m.name for m in members[:3]] == [f"ab_000000.{e}" for e in EXTENSIONS]
        assert all(m.isreg() and m.mtime == m.uid == m.gid == 0 and not m.uname for m in members)
        assert archive.extractfile(members[3]).read() == parts(1)["frame.png"]


def test_the_library_webdataset_reads_the_samples(shard):
    tariterators = pytest.importorskip("webdataset.tariterators")
    with shard.open("rb") as file:
        files = tariterators.tar_file_expander([{"url": str(shard), "stream": file}])
        samples = list(tariterators.group_by_keys(files))
    assert [sample["__key__"] for sample in samples] == [f"ab_{k:06d}" for k in range(COUNT)]
    for number, sample in enumerate(samples):
        assert {name: sample[name] for name in EXTENSIONS} == parts(number)


def test_reading_in_order_gives_what_was_written(shard):
    assert list(read_shard(shard)) == [(f"ab_{k:06d}", parts(k)) for k in range(COUNT)]


def test_the_same_samples_give_the_same_bytes(shard, tmp_path):
    again = write_shard(tmp_path / "again", [(f"ab_{k:06d}", parts(k)) for k in range(COUNT)])
    assert (tmp_path / "again.tar").read_bytes() == shard.read_bytes()
    assert again["sha256"] == hashlib.sha256(shard.read_bytes()).hexdigest()


def test_the_index_is_in_the_shard_itself(shard):
    found, stored = scan_shard(shard), load_index(shard.with_suffix(".json"))
    assert (found.keys, found.extensions) == (stored.keys, stored.extensions)
    assert (found.bytes, found.sha256) == (stored.bytes, stored.sha256)
    np.testing.assert_array_equal(found.offsets, stored.offsets)
    np.testing.assert_array_equal(found.sizes, stored.sizes)


@pytest.mark.parametrize(("first", "last"), [(0, COUNT), (1, 4), (2, 3)])
def test_copied_samples_are_as_if_written_there(shard, first, last):
    keys = [f"ab_{k:06d}" for k in range(COUNT)]
    wanted, want, _ = written(
        [("z", parts(9)), *((keys[k], parts(k)) for k in range(first, last))], EXTENSIONS
    )
    file = io.BytesIO()
    writer = ShardWriter(file, EXTENSIONS)
    writer.add("z", parts(9))
    with shard.open("rb") as source:
        writer.copy(source, load_index(shard.with_suffix(".json")), first, last)
    assert file.getvalue() == wanted
    got = writer.finish()
    assert (got.sha256, got.keys) == (want.sha256, want.keys)
    np.testing.assert_array_equal(got.offsets, want.offsets)


@pytest.mark.refusal
def test_a_truncated_shard_gives_what_is_whole_and_then_says_so(shard):
    data = shard.read_bytes()
    shard.write_bytes(data[: len(data) // 2])
    samples = read_shard(shard)
    assert next(samples) == ("ab_000000", parts(0))
    with pytest.raises(DatasetError, match=r"shard.tar is truncated: ab_000002.json goes beyond"):
        list(samples)


@pytest.mark.refusal
def test_a_shard_without_its_end_is_damaged(shard):
    shard.write_bytes(shard.read_bytes()[:-1024])
    with pytest.raises(DatasetError, match=r"shard.tar is damaged at byte \d+: empty header"):
        list(read_shard(shard))


@pytest.mark.refusal
def test_a_changed_header_is_found_without_a_checksum(shard):
    flip(shard, 3)
    with pytest.raises(DatasetError, match="damaged at byte 0: bad checksum"):
        scan_shard(shard)


@pytest.mark.refusal
def test_a_missing_shard_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"cannot read .*nowhere.tar: no such file"):
        list(read_shard(tmp_path / "nowhere.tar"))


@pytest.mark.refusal
def test_samples_with_other_parts_are_refused():
    writer = ShardWriter(io.BytesIO(), ("a",))
    with pytest.raises(ParameterError, match=r"sample k must have the parts a, got \['b'\]"):
        writer.add("k", {"b": b""})


@pytest.mark.refusal
@pytest.mark.parametrize("key", ["", "a/b", "ä", "k" * 100])
def test_a_key_that_other_readers_would_not_understand_is_refused(key):
    with pytest.raises(ParameterError, match="cannot name a part of a sample"):
        ShardWriter(io.BytesIO(), ("a",)).add(key, {"a": b""})


@pytest.mark.refusal
def test_a_shard_of_samples_with_different_parts_has_no_index(tmp_path):
    with tarfile.open(tmp_path / "odd.tar", "w") as archive:
        for name in ("a.x", "a.y", "b.x"):
            archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(DatasetError, match="sample b of .*odd.tar has not the parts"):
        scan_shard(tmp_path / "odd.tar")


@pytest.mark.refusal
@pytest.mark.parametrize(
    "change",
    [{"format": "x"}, {"version": 9}, {"keys": ["a"]}, {"bytes": 100}, {"offsets": [[0]] * 5}, {}],
)
def test_a_damaged_index_is_refused(shard, change):
    path = shard.with_suffix(".json")
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps(content) if change else "{")
    with pytest.raises(DatasetError, match="is not the index of a shard, or it is damaged"):
        load_index(path)


def test_an_index_comes_back_as_it_was_saved(shard, tmp_path):
    index = load_index(shard.with_suffix(".json"))
    save_index(tmp_path / "copy.json", index)
    assert (tmp_path / "copy.json").read_bytes() == shard.with_suffix(".json").read_bytes()
