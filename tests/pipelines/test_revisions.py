import json

import pytest
import torch

from morphface.core.errors import DatasetError
from morphface.generate.checkpoint import save_generator
from morphface.generate.generator import make_generator
from morphface.media.shards import open_shards
from morphface.parameters.upgrade import REVISIONS, Upgrade
from morphface.pipelines.prepare.settings import versions
from morphface.pipelines.reenact import open_run
from morphface.pipelines.reenact.target import read_target, write_target
from morphface.pipelines.revisions import check_dataset, older_revision, outdated
from tests.pipelines.rendered_dataset import rendered_dataset, talking

SHIFT = torch.tensor([0.0, 2.0, -5.0])
MAPS = ("diffuse", "correspondence", "gaze")


@pytest.fixture
def moved(monkeypatch):
    """The upgrade moves heads, and turns coefficients round."""
    made = Upgrade(-torch.eye(80), torch.ones(80), SHIFT)
    monkeypatch.setattr("morphface.parameters.upgrade.read_upgrade", lambda *_: made)
    monkeypatch.setitem(REVISIONS, "open-head", 2)
    return made


@pytest.fixture
def old(tmp_path):
    """A dataset from before there were revisions."""
    (tmp_path / "dataset").mkdir()
    rendered_dataset(tmp_path / "dataset", frames=4, revision=None)
    return open_shards(tmp_path / "dataset")


def a_generator(maps):
    return make_generator("dvp", resolution=32, width=4, offsets=(-1, 0), maps=maps).eval()


def test_a_dataset_says_which_revision_it_is_of(tmp_path, old):
    (tmp_path / "new").mkdir()
    rendered_dataset(tmp_path / "new", frames=2)
    assert older_revision(old) == 1
    assert older_revision(open_shards(tmp_path / "new")) is None
    assert versions("open-head")["model_revision"] == str(REVISIONS["open-head"])
    assert "model_revision" not in versions("toy")


def test_the_person_of_an_old_dataset_is_converted(tmp_path, old, moved):
    generator = a_generator(("diffuse", "gaze", "normal"))
    assert write_target(tmp_path / "run", old, generator.config)
    found = read_target(tmp_path / "run").track.parameters
    _, face = talking(4)
    torch.testing.assert_close(found.identity, moved.apply(face).identity)
    torch.testing.assert_close(found.translation, moved.apply(face).translation)
    torch.testing.assert_close(found.expression, face.expression)


@pytest.mark.parametrize("maps", [MAPS, ("diffuse", "gaze", "normal")])
def test_a_run_without_target_of_an_old_dataset_warns_where_colours_changed(
    tmp_path, old, moved, maps
):
    run, generator = tmp_path / "run", a_generator(maps)
    run.mkdir()
    save_generator(run / "generator.safetensors", generator)
    (run / "source.json").write_text(json.dumps({"dataset": str(old.path)}))
    opened = open_run(run)
    assert opened.target.older == 1
    words = "was made with revision 1 of its model, since when map 'correspondence' has other"
    assert (words in opened.warning) == ("correspondence" in maps)
    assert bool(opened.warning) == ("correspondence" in maps)


def test_a_run_of_an_old_target_warns_and_is_converted(tmp_path, old, moved, monkeypatch):
    run, generator = tmp_path / "run", a_generator(MAPS)
    with monkeypatch.context() as past:
        past.setitem(REVISIONS, "open-head", 1)
        write_target(run, old, generator.config)
        save_generator(run / "generator.safetensors", generator)
        assert open_run(run).warning == ""
    opened = open_run(run)
    assert opened.warning.startswith(f"{run} was made with revision 1 of its model")
    _, face = talking(4)
    wanted = moved.apply(face).translation
    torch.testing.assert_close(opened.target.track.parameters.translation, wanted)


@pytest.mark.refusal
def test_training_on_the_colours_of_an_old_mean_is_refused(old):
    words = r"'correspondence' has other colours; prepare its clips again, into another folder"
    with pytest.raises(DatasetError, match=words):
        check_dataset(old, MAPS)
    check_dataset(old, ("diffuse", "gaze"))


def test_nothing_is_outdated_without_a_revision():
    assert outdated(None, MAPS) == ""
