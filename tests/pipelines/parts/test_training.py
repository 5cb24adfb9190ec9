import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.cli import run as command
from morphface.core.errors import MissingFileError, ModelError, OutputError, ParameterError
from morphface.landmarks.parts import PartsConfig, PartsNetwork, face_graph
from morphface.landmarks.parts.find import PartsFace
from morphface.landmarks.parts.network import Reply
from morphface.landmarks.parts.pose import HeadPose
from morphface.pipelines.parts.lesson import batch_of, parts_losses, rate_at
from morphface.pipelines.parts.settings import PartsSettings, read_parts_settings
from morphface.pipelines.parts.training import _Training, train_network, train_parts
from morphface.pipelines.parts.validation import hits_of
from morphface.synthetic.crowds import Crowds, render_heads, save_heads

TINY = PartsConfig(features=16, width=8, blocks=1, stages=1)
GRAPH = face_graph("face")


@pytest.fixture(scope="module")
def heads():
    return render_heads(3, 4, 64)


@pytest.fixture
def run(heads, tmp_path):
    """A folder with few heads, so that none are rendered."""
    for name in ("heads", "held"):
        save_heads(tmp_path / f"{name}.safetensors", heads)
    return tmp_path


def small(**wishes):
    return PartsSettings(TINY, batch=2, size=64, heads=3, held=3, every=2, **wishes)


def test_a_tiny_network_learns(heads):
    """On one batch the differences fall to a part of what they are if nothing is said."""
    torch.manual_seed(0)
    batch = batch_of(Crowds(heads, 3, (96, 96), people=2), 0, 2, GRAPH)
    network = PartsNetwork(TINY)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(120):
        losses = parts_losses(network(batch.pictures), batch, 6.0)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    silent = Reply((torch.zeros_like(batch.fields),), (torch.zeros_like(batch.maps),))
    nothing = parts_losses(silent, batch, 6.0)
    assert losses["fields"] < 0.4 * nothing["fields"]
    assert losses["maps"] < 0.4 * nothing["maps"]


def test_a_perfect_reply_has_no_difference(heads):
    batch = batch_of(Crowds(heads, 3, (64, 64)), 0, 2, GRAPH)
    losses = parts_losses(Reply((batch.fields,), (batch.maps,)), batch, 6.0)
    assert losses == {"fields": 0, "maps": 0}


def test_the_rate_rises_and_falls_to_nothing():
    rates = [rate_at(step, 200) for step in range(200)]
    assert rates[0] == 0.1
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert rates[-1] < 1e-3


def test_a_run_that_was_stopped_makes_the_same_steps(run, heads, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    save_heads(other / "heads.safetensors", heads)
    settings, learn = small(steps=4), _Training.learn

    def killed(training, crowds):
        if training.step == 3:
            raise KeyboardInterrupt
        return learn(training, crowds)

    straight = train_network(run, settings)
    monkeypatch.setattr(_Training, "learn", killed)
    with pytest.raises(KeyboardInterrupt):
        train_network(other, settings)
    monkeypatch.setattr(_Training, "learn", learn)
    resumed = train_network(other, settings, resume=True)
    for one, two in zip(straight.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, two)


def face_at(points, seen, score):
    confidence = np.where(seen, 0.9, 0.0)
    points = np.where(seen[:, None], points, np.nan)
    return PartsFace(
        GRAPH, points, confidence, score, HeadPose(np.eye(3), 1, np.zeros(2), 0), (0, 0, 1, 1)
    )


def test_hits_count_each_person_once_and_strangers_as_wrong(heads):
    crowd = Crowds(heads, 8, (256, 256), people=3, clean=True).crowd(0)
    rows = list(GRAPH.points)
    seen = crowd.visible[:, rows]
    who = int(seen.sum(1).argmax())
    own = face_at(crowd.points[who, rows], seen[who], 0.9)
    stranger = face_at(crowd.points[who, rows] + 300, seen[who], 0.5)
    hits = hits_of([own, own, stranger], crowd, GRAPH)
    assert hits.right == (0.9,)
    assert hits.wrong == (0.9, 0.5)
    assert hits.surest_recall == 0
    assert hits_of([], crowd, GRAPH).people == hits.people
    assert hits_of([own, stranger], crowd, GRAPH).surest_recall == hits.recall > 0


def test_training_says_whom_it_finds(run):
    found = train_parts(run, small(steps=2))
    assert set(found) == {"recall", "surest_recall", "wrong_a_picture"}
    assert json.loads((run / "settings.json").read_text())["steps"] == 2


@pytest.mark.refusal
def test_runs_are_not_overwritten_nor_resumed_from_nothing(run):
    with pytest.raises(MissingFileError, match="there is no run to resume"):
        train_network(run, small(steps=2), resume=True)
    train_network(run, small(steps=2))
    with pytest.raises(OutputError, match="holds a run; pass --resume to go on"):
        train_network(run, small(steps=2))
    with pytest.raises(ModelError, match="trains another network"):
        train_network(run, PartsSettings(PartsConfig(features=8), size=64), resume=True)


@pytest.mark.refusal
def test_settings_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="size must be a multiple of 8 from 64, got 100"):
        PartsSettings(size=100)
    with pytest.raises(ParameterError, match="steps must be a whole number from 1, got 0"):
        PartsSettings(steps=0)
    (tmp_path / "bad.json").write_text('{"speed": 3}')
    with pytest.raises(ParameterError, match="holds no settings of a training of parts"):
        read_parts_settings(tmp_path / "bad.json", None, {})
    with pytest.raises(MissingFileError, match="there are no settings of a training"):
        read_parts_settings(tmp_path / "none.json", None, {})


def test_settings_come_back_from_their_file(tmp_path):
    (tmp_path / "settings.json").write_text(small(steps=7).to_json())
    wished = read_parts_settings(None, tmp_path, {"batch": 4, "size": None})
    assert wished == replace(small(steps=7), batch=4)


@pytest.mark.refusal
def test_the_command_says_what_parts_cannot_take(tmp_path, capfd):
    assert command(["train", "parts", "-o", str(tmp_path), "--width", "32"]) == 2
    assert "parts learns from rendered crowds" in capfd.readouterr().err
