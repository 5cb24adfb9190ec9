import json
import math
import sys

import pytest

from morphface.core.errors import (
    DatasetError,
    MissingDependencyError,
    MissingFileError,
    ParameterError,
)
from morphface.generate.checkpoint import load_generator
from morphface.generate.training import TrainSettings
from morphface.generate.training.journal import read_journal
from morphface.generate.training.samples import Samples, split_in_time
from morphface.generate.windows import ConditioningWindows
from morphface.pipelines.training import read_settings, train_on_dataset
from morphface.render.maps import DVP
from tests.pipelines.rendered_dataset import rendered_dataset

pytest.importorskip("accelerate", reason="training needs accelerate: morphface[train]")
SETTINGS = TrainSettings(steps=4, batch=2, every=2, rate=1e-3)
SMALL = {"width": 4, "norm": "instance", "dropout": 0.0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    rendered_dataset(folder, maps=(*DVP, "parsing"))
    return folder


def train(dataset, run, **options):
    options = {"settings": SETTINGS, "maps": DVP, **SMALL, **options}
    return train_on_dataset(dataset, run, **options)


@pytest.mark.slow
def test_the_network_learns_a_rendered_clip(dataset, tmp_path):
    losses = []
    train(
        dataset,
        tmp_path,
        settings=SETTINGS.replace(steps=250, batch=4, every=250),
        after=lambda _, found: losses.append(float(found["l1"])),
        width=8,
    )
    assert sum(losses[-10:]) < sum(losses[:10]) / 4


def test_a_run_validates_on_the_end_of_the_clip(dataset, tmp_path):
    told = []
    metrics = train(dataset, tmp_path, validation=0.25, tell=told.append)
    assert set(metrics) == {"validation_l1", "validation_psnr", "validation_ssim"}
    assert all(math.isfinite(value) for value in metrics.values())
    assert told[0] == "18 windows to train with, 5 to validate with"
    source = json.loads((tmp_path / "source.json").read_text())
    assert source["validated"] == [19, 20, 21, 22, 23]  # 18 shares a frame with the trained
    assert [entry["step"] for entry in read_journal(tmp_path) if "validation_l1" in entry] == [2, 4]
    config = load_generator(tmp_path / "generator.safetensors").config
    assert (config.maps, config.offsets, config.resolution) == (DVP, (-1, 0), 32)


def test_a_resumed_run_keeps_its_configuration(dataset, tmp_path):
    train(dataset, tmp_path)
    longer = read_settings(None, tmp_path, {"steps": 6, "batch": None})
    assert (longer.steps, longer.batch) == (6, SETTINGS.batch)
    train_on_dataset(dataset, tmp_path, settings=longer, resume=True)
    assert load_generator(tmp_path / "generator.safetensors").config.width == 4
    assert max(entry["step"] for entry in read_journal(tmp_path)) == 6


def test_extra_losses_get_what_they_want(dataset, tmp_path):
    settings = SETTINGS.replace(temporal=1.0, mouth=2.0, matching=1.0, adversarial="hinge")
    train(dataset, tmp_path, settings=settings)
    assert set(read_journal(tmp_path)[0]) >= {"temporal", "matching", "l1", "discriminator"}


def test_the_mouth_is_marked_where_it_is(dataset):
    windows = ConditioningWindows(dataset, maps=DVP, offsets=(0,), raw=True)
    parsing = ConditioningWindows(dataset, maps=("parsing",), offsets=(0,), raw=True)
    from morphface.pipelines.training import MOUTH
    from morphface.render.maps import LABELS

    labels = tuple(LABELS.index(name) for name in MOUTH)
    sample = Samples(windows, mouth=(parsing, labels))[4]
    mouth = sample["mouth"]
    rows = mouth.any(dim=1).nonzero().flatten().float()
    assert 0 < mouth.mean() < 0.1
    assert rows.mean() > 16  # below the middle of the picture


def test_pairs_do_not_cross_the_start_of_a_run(dataset):
    windows = ConditioningWindows(dataset, maps=DVP, offsets=(0,), raw=True)
    pairs = Samples(windows, pairs=True)
    assert pairs[0]["frame_before"].equal(pairs[0]["frame"])
    assert pairs[5]["frame_before"].equal(pairs[4]["frame"])


def test_validated_windows_look_at_no_trained_frame(dataset):
    windows = ConditioningWindows(dataset, maps=DVP, offsets=(-3, 0, 1), raw=True)
    train_part, check = split_in_time(windows, 0.5)
    seen = {number + offset for number in train_part for offset in (-3, 0, 1)}
    looked = {number + offset for number in check for offset in (-3, 0, 1) if number + offset < 24}
    assert not seen & looked
    assert split_in_time(windows, 0)[1] == []


@pytest.mark.refusal
def test_the_maps_of_an_older_head_are_refused(tmp_path):
    rendered_dataset(tmp_path, frames=3, maps=(*DVP, "parsing"), revision=None)
    with pytest.raises(DatasetError, match="revision 1 of its model, .*; prepare its clips again"):
        train(tmp_path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.refusal
def test_another_resolution_than_the_dataset_is_refused(dataset, tmp_path):
    with pytest.raises(ParameterError, match="must be that of the dataset, 32, got 64; prepare"):
        train(dataset, tmp_path, resolution=64)


@pytest.mark.refusal
@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_cannot_be_is_refused(dataset, tmp_path, share):
    with pytest.raises(ParameterError, match=r"share to validate must be in \[0, 1\)"):
        train(dataset, tmp_path, validation=share)


@pytest.mark.refusal
def test_what_is_refused_leaves_nothing(dataset, tmp_path, monkeypatch):
    with pytest.raises(
        ParameterError, match="conr, dagan, depth, dvp, headgan, implicit, lia, got 'gan'"
    ):
        train(dataset, tmp_path / "run", kind="gan")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingDependencyError, match="training needs accelerate"):
        train(dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_clip_that_is_too_short_to_validate_with_says_so(dataset, tmp_path):
    told = []
    train(dataset, tmp_path, validation=0.01, tell=told.append)
    assert told[1].startswith("nothing is validated: that takes longer clips")


@pytest.mark.refusal
def test_settings_must_be_somewhere(tmp_path):
    with pytest.raises(MissingFileError, match="no settings of a training at"):
        read_settings(tmp_path / "none.json", None, {})
