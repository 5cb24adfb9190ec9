import json
from dataclasses import asdict

import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, OutputError, ParameterError
from morphface.generate.checkpoint import load_generator
from morphface.generate.training import Observer, TrainSettings, loop, train_generator
from morphface.generate.training.journal import read_journal
from tests.generate.training.toy import CONFIG, SETTINGS, Discs

pytest.importorskip("accelerate", reason="training needs accelerate: morphface[train]")


class Killed(BaseException):
    """As sudden as a signal: nothing is caught, nothing tidied."""


def losses_of(run):
    return [{k: v for k, v in entry.items() if k != "step"} for entry in read_journal(run)]


def killed_after(step):
    def after(now, _):
        if now == step:
            raise Killed

    return Observer(after=after)


@pytest.mark.parametrize("able", [True, False])
def test_half_precision_that_a_processor_would_imitate_is_not_used(monkeypatch, caplog, able):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(loop, "has_bfloat16", lambda device: able)
    assert loop._precision(SETTINGS.replace(precision="bf16")) == ("bf16" if able else "no")
    assert ("has no bfloat16" in caplog.text) == (not able)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_killed_run_that_is_resumed_makes_the_same_steps(tmp_path, norm):
    config = CONFIG.replace(norm=norm, dropout=0.5)
    whole = train_generator(config, Discs(), tmp_path / "whole", settings=SETTINGS)
    with pytest.raises(Killed):
        train_generator(
            config, Discs(), tmp_path / "cut", settings=SETTINGS, observer=killed_after(5)
        )
    again = train_generator(config, Discs(), tmp_path / "cut", settings=SETTINGS, resume=True)
    assert losses_of(tmp_path / "cut") == losses_of(tmp_path / "whole")
    assert len(losses_of(tmp_path / "cut")) == SETTINGS.steps
    for name, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_a_run_leaves_what_its_user_wants(tmp_path):
    observer = Observer(
        validate=lambda _: {"validation_l1": 0.5},
        preview=lambda made: (made(Discs()[0]["window"][None])[0].permute(1, 2, 0) + 1) / 2,
    )
    made = train_generator(CONFIG, Discs(), tmp_path, settings=SETTINGS, observer=observer)
    loaded = load_generator(tmp_path / "generator.safetensors", wanted=CONFIG)
    window = Discs()[3]["window"][None]
    assert torch.equal(loaded(window), made(window))
    assert TrainSettings.from_json((tmp_path / "settings.json").read_text()) == SETTINGS
    assert [e["step"] for e in read_journal(tmp_path) if "validation_l1" in e] == [3, 6]
    assert (tmp_path / "samples" / "step_000006.png").is_file()
    assert (tmp_path / "curves.png").is_file()


def test_time_and_memory_are_told_early(tmp_path):
    told = []
    settings = SETTINGS.replace(steps=21, every=100)
    config = CONFIG.replace(width=1 << 14, norm="batch")
    from morphface.generate.training.loop import _accelerator, _compare_memory

    asked = (config, settings, _accelerator(settings), Observer(tell=told.append))
    with pytest.raises(ParameterError, match=r"training needs about .* GiB are free; .* --force"):
        _compare_memory(*asked)
    _compare_memory(*asked, force=True)
    assert "warning: training needs about" in told[0]
    told.clear()
    train_generator(CONFIG, Discs(), tmp_path, settings=settings, observer=Observer(told.append))
    assert len(told) == 1
    assert "1 steps left, done in about" in told[0]


@pytest.mark.slow
def test_a_network_of_32_pixels_learns_a_clip(tmp_path):
    config = CONFIG.replace(width=8)
    settings = SETTINGS.replace(steps=200, every=200)
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["l1"])))
    train_generator(config, Discs(config, 12), tmp_path, settings=settings, observer=observer)
    assert sum(seen[-10:]) < sum(seen[:10]) / 5


@pytest.mark.slow
def test_a_network_of_64_pixels_learns_eight_frames_by_heart(tmp_path):
    config = CONFIG.replace(resolution=64, width=8)
    settings = SETTINGS.replace(steps=100, every=100)
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["l1"])))
    train_generator(config, Discs(config, 8), tmp_path, settings=settings, observer=observer)
    assert sum(seen[-10:]) < sum(seen[:10]) / 4


@pytest.mark.refusal
def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path):
    train_generator(CONFIG, Discs(), tmp_path, settings=SETTINGS)
    with pytest.raises(OutputError, match="holds a run; pass --resume to go on"):
        train_generator(CONFIG, Discs(), tmp_path, settings=SETTINGS)


@pytest.mark.refusal
def test_nothing_cannot_be_resumed(tmp_path):
    with pytest.raises(MissingFileError, match="there is no run to resume"):
        train_generator(CONFIG, Discs(), tmp_path, settings=SETTINGS, resume=True)


@pytest.mark.refusal
def test_a_run_of_another_generator_is_not_resumed(tmp_path):
    train_generator(CONFIG, Discs(), tmp_path, settings=SETTINGS)
    other = CONFIG.replace(width=8)
    with pytest.raises(ModelError, match="trains another generator: width is 4, wanted 8"):
        train_generator(other, Discs(other), tmp_path, settings=SETTINGS, resume=True)
    (tmp_path / "state.pt").write_bytes(b"not a state")
    with pytest.raises(ModelError, match="state.pt is damaged"):
        train_generator(CONFIG, Discs(), tmp_path, settings=SETTINGS, resume=True)


@pytest.mark.refusal
def test_a_clip_without_windows_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="there is no window to train with"):
        train_generator(CONFIG, Discs(count=0), tmp_path, settings=SETTINGS)


def test_settings_come_back_from_text():
    assert TrainSettings.from_json(SETTINGS.to_json()) == SETTINGS
    assert TrainSettings.from_json("{}") == TrainSettings()


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no", "settings of a training are JSON"),
        ('{"speed": 1}', "settings of a training have no speed"),
        (json.dumps(asdict(SETTINGS) | {"steps": 0}), "steps, batch, every and rate"),
        ('{"adversarial": "w"}', "adversarial must be one of vanilla"),
        ('{"precision": "int8"}', "precision must be one of no, bf16, fp16"),
        ('{"ema": 1}', r"ema must be in \[0, 1\)"),
        ('{"l1": -1}', "weights of losses must not be negative"),
    ],
)
def test_settings_that_cannot_be_are_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        TrainSettings.from_json(text)
