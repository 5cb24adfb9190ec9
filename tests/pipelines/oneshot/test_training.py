"""Training by the command, with small takes in place of rendered people."""

import json
from dataclasses import replace

import pytest
import torch

from morphface.cli.app import run as command
from morphface.core.errors import ParameterError
from morphface.generate import generator, load_generator
from morphface.generate.bridge import load_bridge
from morphface.generate.training import USUAL_SETTINGS
from morphface.parameters import FaceParameters
from morphface.pipelines.oneshot import depths, training
from morphface.pipelines.oneshot.depths import train_depth
from morphface.pipelines.oneshot.mixed import MixedTakes
from morphface.pipelines.oneshot.training import train_one_shot
from tests.generate.people import Albums as SomeAlbums
from tests.generate.people import Moves, Pointed

pytest.importorskip("accelerate", reason="training needs accelerate: morphface[train]")


class People(Moves):
    """In place of rendered people: other seeds are others."""

    def __init__(self, seed, size, **_):
        super().__init__()
        self.seed = seed

    def take(self, number, length):
        return super().take(self.seed + number, length)


class Albums(SomeAlbums):
    """In place of rendered people."""

    def __init__(self, *_, photos, **__):
        assert photos == 3


@pytest.fixture
def quick(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SyntheticPeople", People)
    monkeypatch.setattr(training, "_VALIDATED", 2)
    file = tmp_path / "quick.json"
    file.write_text(json.dumps({"batch": 2, "every": 2, "vgg": 0.0, "adversarial": "none"}))
    return ["--resolution", "32", "--width", "4", "--config", str(file), "--quiet"]


def test_a_network_is_trained_and_another_starts_from_it(tmp_path, quick):
    first, second = tmp_path / "first", tmp_path / "second"
    words = ["train", "headgan", "--synthetic", "--blend", *quick]
    assert command([*words, "--steps", "2", "-o", str(first)]) == 0
    start = ["--steps", "1", "--start", str(first), "-o", str(second)]
    assert command([*words, *start]) == 0
    one, two = (load_generator(run / "generator.safetensors") for run in (first, second))
    assert one.config == two.config
    assert one.config.blend
    far = [(a - b).abs().max() for a, b in zip(one.parameters(), two.parameters(), strict=True)]
    assert 0 < max(far) < 0.01
    metrics = [json.loads(line) for line in (first / "losses.jsonl").read_text().splitlines()]
    assert {"validation_psnr", "photo_psnr", "moved_psnr"} <= set(metrics[-1])


def test_conr_is_trained_by_the_command(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(training, "SyntheticPeople", Albums)
    words = ["train", "conr", "--synthetic", "--photos", "3", *quick, "--steps", "1"]
    assert command([*words, "-o", str(tmp_path)]) == 0
    assert load_generator(tmp_path / "generator.safetensors").config.kind == "conr"
    assert json.loads((tmp_path / "settings.json").read_text())["photos"] == 3


class Points(Pointed):
    """In place of rendered people."""

    def __init__(self, *_, maps, points, **__):
        assert (maps, points) == (("depth", "mask"), 5)


def test_dagan_is_trained_by_the_command(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(training, "SyntheticPeople", Points)
    usual = {**generator.USUAL["dagan"], "style_sizes": (40,)}
    monkeypatch.setitem(generator.USUAL, "dagan", usual)
    words = ["train", "dagan", "--synthetic", "--steps", "1", *quick, "-o", str(tmp_path)]
    assert command([*words, "--attention", "picture"]) == 0
    made = load_generator(tmp_path / "generator.safetensors").config
    assert (made.kind, made.attention) == ("dagan", "picture")


class Posed(People):
    """In place of rendered people, whose parameters are known."""

    def __init__(self, seed, size, *, maps, **_):
        super().__init__(seed, size)
        assert maps == ()

    def posed(self, count):
        face = FaceParameters.neutral()
        for number in range(12):
            face = replace(face, rotation=torch.tensor([[0.0, number / 10, 0.0]]))
            yield self.take(number, 1).frame, face


def test_lia_is_trained_by_the_command_and_has_a_bridge(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(training, "SyntheticPeople", Posed)
    assert (
        command(["train", "lia", "--synthetic", *quick, "--steps", "1", "-o", str(tmp_path)]) == 0
    )
    made = load_generator(tmp_path / "generator.safetensors")
    assert (made.config.kind, made.config.maps) == ("lia", ())
    assert {"yaw", "jawOpen"} <= set(load_bridge(tmp_path / "bridge.safetensors").names)


class Films(Moves):
    """In place of films of rendered people."""

    def __init__(self, *_):
        super().__init__(longest=3)


def test_dagan_learns_depth_first_and_goes_on_with_it(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(training, "SyntheticPeople", Posed)
    monkeypatch.setattr(depths, "SyntheticFilms", Films)
    few = USUAL_SETTINGS["depth"].replace(steps=1, batch=2)
    monkeypatch.setitem(USUAL_SETTINGS, "depth", few)
    words = ["train", "dagan", "--synthetic", "--keypoints", "learned", "--depth", "learned"]
    words += [*quick, "-o", str(tmp_path)]
    assert command([*words, "--steps", "1"]) == 0
    made, sight = (
        load_generator(tmp_path / part / "generator.safetensors") for part in ("", "depth")
    )
    assert (made.config.keypoints, made.config.depth, made.config.maps) == (
        "learned",
        "learned",
        (),
    )
    assert torch.equal(made.sight.heads[0].weight, sight.sight.heads[0].weight)
    assert "yaw" in load_bridge(tmp_path / "bridge.safetensors").names
    assert command([*words, "--steps", "2", "--resume"]) == 0
    assert json.loads((tmp_path / "losses.jsonl").read_text().splitlines()[-1])["step"] == 2


def test_depth_is_trained_by_the_command(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(depths, "SyntheticFilms", Films)
    words = ["train", "depth", "--synthetic", "--steps", "1", *quick, "-o", str(tmp_path)]
    assert command(words) == 0
    assert load_generator(tmp_path / "generator.safetensors").config.kind == "depth"


def test_two_sources_take_turns():
    mixed = MixedTakes(Moves(3), Moves(None, longest=2))
    assert mixed.count is None
    assert mixed.longest == 2
    assert torch.equal(mixed.take(7, 2).frame, Moves(longest=2).take(3, 2).frame)
    assert torch.equal(mixed.take(8, 1).frame, Moves().take(1, 1).frame)
    assert MixedTakes(Moves(3), Moves(5)).count == 10


@pytest.mark.refusal
def test_what_cannot_be_trained_is_refused(tmp_path, capsys):
    with pytest.raises(ParameterError, match="there is nothing to train with: name a DATASET"):
        train_one_shot(None, tmp_path / "run")
    with pytest.raises(ParameterError, match="nothing to learn depth from: name a DATASET"):
        train_depth(None, tmp_path / "run")
    with pytest.raises(ParameterError, match="with --keypoints learned use --depth learned"):
        train_one_shot(None, tmp_path / "run", kind="dagan", synthetic=True, keypoints="learned")
    assert command(["train", "dvp", "--synthetic", "-o", str(tmp_path / "run")]) == 2
    assert "are for the others" in " ".join(capsys.readouterr().err.split())


@pytest.mark.refusal
def test_a_reenactment_names_one_person(tmp_path, capsys):
    words = ["--driver", "talk.mp4", "-o", str(tmp_path / "out.mp4")]
    for subject in ([], ["run", "--photo", "a.jpg"], ["--photo", "a.jpg"]):
        assert command(["reenact", *subject, *words]) == 2
        assert "name whom to move: either RUN" in " ".join(capsys.readouterr().err.split())


@pytest.mark.refusal
def test_a_photo_has_no_clip(tmp_path, capsys):
    words = ["animate", "--photo", "a.jpg", "--generator", "run", "--script", "edits.json"]
    assert command([*words, "--base", "3", "-o", str(tmp_path / "out.mp4")]) == 2
    assert "a photo has no clip" in " ".join(capsys.readouterr().err.split())
