import errno
import json
import os
import subprocess
import sys

import pytest

from morphface.core.errors import NoFaceError, OutputError
from morphface.core.files import atomic_write, output_folder, write_json

UNWRITABLE = "/proc/morphface"
NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def fail_in(file, failure):
    file.write_text("half")
    raise failure


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def test_written_file_takes_its_place_and_nothing_else_remains(tmp_path):
    with atomic_write(tmp_path / "deep" / "a.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "deep" / "a.txt").exists()
        assert temporary.suffix == ".txt"
    assert (tmp_path / "deep" / "a.txt").read_text() == "new"
    assert names(tmp_path / "deep") == ["a.txt"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, NoFaceError])
def test_failed_write_keeps_the_old_file_and_no_fragment(tmp_path, failure):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(failure), atomic_write(tmp_path / "a.txt") as temporary:
        fail_in(temporary, failure)
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_folder_is_filled_at_the_end_and_other_files_stay(tmp_path):
    out = tmp_path / "out"
    (out / "face_0").mkdir(parents=True)
    (out / "face_0" / "kept.txt").write_text("kept")
    (out / "a.txt").write_text("old")
    with output_folder(out) as staging:
        (staging / "face_0").mkdir()
        (staging / "face_0" / "new.txt").write_text("new")
        (staging / "a.txt").write_text("new")
        assert (out / "a.txt").read_text() == "old"
    assert names(out) == ["a.txt", "face_0"]
    assert names(out / "face_0") == ["kept.txt", "new.txt"]
    assert (out / "a.txt").read_text() == "new"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failed_run_leaves_no_folder_that_was_not_there(tmp_path, failure):
    with pytest.raises(failure), output_folder(tmp_path / "new" / "out") as staging:
        fail_in(staging / "a.txt", failure)
    assert names(tmp_path) == []


def test_failed_run_leaves_a_used_folder_as_it_was(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), output_folder(tmp_path) as staging:
        fail_in(staging / "a.txt", RuntimeError)
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_errors_that_are_not_about_writing_pass_unchanged(tmp_path):
    with pytest.raises(TimeoutError), atomic_write(tmp_path / "a.txt"):
        raise TimeoutError(errno.ETIMEDOUT, "timed out")


@pytest.mark.refusal
def test_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "out"
    with pytest.raises(OutputError, match="a part of the path is a file, not a folder"):
        output_folder(below).__enter__()
    with pytest.raises(OutputError, match="file: it is a file, not a folder"):
        atomic_write(below).__enter__()


@pytest.mark.refusal
def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="it is a file, not a folder"):
        output_folder(tmp_path / "file").__enter__()


@pytest.mark.refusal
def test_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(OutputError, match="it is a folder; choose another place"):
        atomic_write(tmp_path).__enter__()


@pytest.mark.refusal
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_read_only_file_system_is_refused():
    with pytest.raises(OutputError, match="cannot write to /proc/morphface: "):
        output_folder(UNWRITABLE).__enter__()


@pytest.mark.refusal
@NOT_ROOT
def test_write_protected_folder_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="it is write-protected"):
        output_folder(tmp_path).__enter__()


@pytest.mark.refusal
def test_full_disk_is_refused_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(OutputError, match=r"cannot write to .*a.txt: the disk is full"),
        atomic_write(tmp_path / "a.txt") as temporary,
    ):
        fail_in(temporary, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert names(tmp_path) == []


@pytest.mark.refusal
def test_full_disk_names_the_folder_that_was_asked_for(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        pytest.raises(OutputError, match=rf"cannot write to {tmp_path}/out/a.txt: the disk"),
        output_folder(tmp_path / "out") as staging,
        atomic_write(staging / "a.txt") as temporary,
    ):
        fail_in(temporary, full)
    assert names(tmp_path) == []


def test_a_missing_file_inside_the_block_is_not_mistaken_for_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"), output_folder(tmp_path / "out"):
        (tmp_path / "nowhere").read_text()


def test_what_a_killed_process_left_is_cleared_and_what_a_living_one_has_stays(tmp_path):
    kill = "import os, sys; from morphface.core.files import output_folder\n"
    kill += "with output_folder(sys.argv[1]) as place: os._exit(9)"
    assert subprocess.run([sys.executable, "-c", kill, str(tmp_path)], check=False).returncode == 9
    assert len(names(tmp_path)) == 1
    with output_folder(tmp_path) as first:
        (first / "a.txt").touch()
        with output_folder(tmp_path):
            assert first.is_dir()
    assert names(tmp_path) == ["a.txt"]


def test_json_is_strict_and_whole_or_not_there(tmp_path):
    content = {"a": [1, 2.5, None], "b": "\u00e9"}
    write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_text()) == content
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == content
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]
