import pytest

from morphface.core.errors import OutputError
from morphface.core.files import replacing


def test_a_result_appears_whole_and_leaves_no_temporary_file(tmp_path):
    with replacing(tmp_path / "new" / "a.txt") as path:
        path.write_text("whole")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"


def test_an_interrupted_write_keeps_the_old_file(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def interrupted():
        with replacing(tmp_path / "a.txt") as path:
            path.write_text("ha")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


@pytest.mark.refusal
def test_a_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"cannot write .*a.txt: .*; choose another place"),
        replacing(tmp_path / "file" / "a.txt") as path,
    ):
        path.write_text("never")


@pytest.mark.refusal
def test_a_full_disk_is_one_sentence(tmp_path):
    with (
        pytest.raises(OutputError, match="no space left on device"),
        replacing(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


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
