"""Many photos: each is fitted once, whatever happens to the others."""

import csv
import json
from pathlib import Path

import pytest

from morphface.cli import run
from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.tasks import Died, Finished, Raised
from morphface.parameters import load_parameters
from morphface.pipelines import many
from morphface.pipelines.many import JOURNAL, reconstruct_many
from tests.pipelines.family import album_of


class Here:
    """The pool of processes, in this one; counts what it did."""

    done: tuple[str, ...] = ()

    def __init__(self, workers):
        self.tasks = []

    def submit(self, task, *, first=False):
        self.tasks.append(task)

    def events(self):
        for task in self.tasks:
            Here.done += (Path(task.arguments[0]).name,)
            if Here.done[-1] == "dies.png":
                yield Died(task, "its process was killed, perhaps because memory ran out")
                continue
            try:
                yield Finished(task, task.function(*task.arguments, lambda frames: None))
            except Exception as error:
                yield Raised(task, error)

    def close(self):
        pass


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder with two photos of faces, one of a wall, and a file that is no picture."""
    monkeypatch.setattr(many, "Pool", Here)
    monkeypatch.setattr(Here, "done", ())
    folder = tmp_path / "in"
    folder.mkdir()
    with album_of(folder) as photos:
        for photo in photos[2:]:
            Path(photo).unlink()
        (folder / "zero.png").write_bytes(b"")
        yield folder


FAST = {"stage": "linear", "only": ("parameters", "report")}


def test_good_photos_are_fitted_and_bad_ones_told_and_skipped(album, tmp_path):
    heard = []
    report = reconstruct_many([album], tmp_path / "out", advance=lambda *a: heard.append(a), **FAST)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    names = [Path(photo["image"]).name for photo in report["photos"]]
    errors = [photo.get("error", "") for photo in report["photos"]]
    assert names == sorted(names)
    assert report["failed"] == 1
    assert "zero.png is not a picture of a known kind" in errors[-1]
    assert errors[:-1] == [""] * (len(names) - 1)
    assert heard[0][:2] == (0, len(names))
    assert heard[-1][0] == len(names)
    assert [told for *_, told in heard if told] == [errors[-1]]
    with (tmp_path / "out" / "parameters.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["image"]).name for row in rows] == names[:-1]
    face = load_parameters(tmp_path / "out" / rows[0]["folder"] / "face.npz")[0]
    assert float(rows[0]["translation_z [mm]"]) == pytest.approx(float(face.translation[0, 2]))
    assert float(rows[0]["identity_79 [standard deviations]"]) == pytest.approx(
        float(face.identity[0, 79]), rel=1e-6
    )


def test_a_repeated_run_fits_only_what_changed(album, tmp_path):
    first = reconstruct_many([album], tmp_path / "out", **FAST)
    fitted = Here.done
    with (tmp_path / "out" / JOURNAL).open("a") as journal:
        journal.write('{"key": "cut off')  # as of a run that was killed
    assert reconstruct_many([album], tmp_path / "out", **FAST) == first
    assert Here.done == fitted
    photo = next(album.glob("*.png"))
    photo.write_bytes(photo.read_bytes() + b"\0")
    reconstruct_many([album], tmp_path / "out", **FAST)
    assert Here.done == (*fitted, photo.name)
    reconstruct_many([album], tmp_path / "out", **{**FAST, "only": ("parameters",)})
    assert sorted(Here.done) == sorted([*fitted, photo.name, *fitted])


def test_a_process_that_dies_costs_its_photo_alone(album, tmp_path):
    photo = next(album.glob("*.png"))
    photo.with_name("dies.png").write_bytes(photo.read_bytes())
    report = reconstruct_many([album], tmp_path / "out", **FAST)
    assert sorted(p.get("error", "")[:23] for p in report["photos"])[-2:] == sorted(
        [str(album / "zero.png")[:23], "its process was killed,"]
    )
    assert report["failed"] == 2


def test_the_command_line_says_3_where_some_were_skipped(album, tmp_path, capfd):
    command = ["fit", f"{album}/*.png", "-o", str(tmp_path / "out"), "--stage", "linear"]
    command += ["--only", "parameters"]
    assert run(command) == 3
    err = capfd.readouterr().err
    assert f"skipped: {album}/zero.png is not a picture of a known kind" in err
    count = len(list(album.glob("*.png")))
    assert f"{count - 1} of {count} photos fitted; 1 skipped; written to" in err
    (album / "zero.png").unlink()
    assert run([*command, "--quiet"]) == 0


def test_photos_of_one_name_get_folders_of_their_own(album, tmp_path):
    photo = next(album.glob("*.png"))
    other = tmp_path / "other" / photo.name
    other.parent.mkdir()
    other.write_bytes(photo.read_bytes())
    report = reconstruct_many([photo, other], tmp_path / "out", **FAST)
    assert [p["folder"] for p in report["photos"]] == [photo.stem, f"{photo.stem}-2"]


@pytest.mark.refusal
def test_wrong_wishes_are_refused_before_any_photo_is(album, tmp_path):
    with pytest.raises(ParameterError, match="only must be some of parameters, report, overlay"):
        reconstruct_many([album], tmp_path / "out", only=["head"])
    with pytest.raises(MissingFileError, match=r"no file fits .*x\*.png; check the pattern"):
        reconstruct_many([f"{album}/x*.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_photos_fault_ends_the_run(album, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("our mistake")

    monkeypatch.setattr(many, "fit_one", fail)
    with pytest.raises(RuntimeError, match="our mistake"):
        reconstruct_many([album], tmp_path / "out", **FAST)
