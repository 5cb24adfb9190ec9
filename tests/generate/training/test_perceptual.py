import pytest
import torch

from morphface.core.errors import MissingFileError, ParameterError
from morphface.generate.training import TrainSettings
from morphface.generate.training.memory import memory_needed
from morphface.generate.training.state import new_state
from morphface.generate.training.step import train_step
from tests.generate.small_backbones import narrow_vgg, random_weights
from tests.generate.training.toy import CONFIG, SETTINGS, Discs


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """With the perceptual term alone."""
    narrow_vgg(monkeypatch)
    random_weights(tmp_path / "mine.pth", "vgg19")
    place = str(tmp_path / "mine.pth")
    return SETTINGS.replace(l1=0.0, adversarial="none", vgg=10.0, vgg_weights=place)


@pytest.fixture
def batch():
    discs = Discs()
    return {name: torch.stack([discs[k][name] for k in range(4)]) for name in ("window", "frame")}


def test_the_perceptual_term_alone_trains_every_parameter(settings, batch):
    state = new_state(CONFIG, settings)
    losses = [float(train_step(state, batch, settings)["vgg"]) for _ in range(20)]
    assert losses[-1] < 0.8 * losses[0]
    assert all(float(p.grad.abs().max()) > 0 for p in state.generator.parameters())
    assert all(p.grad is None for p in state.eyes.parameters())


def test_the_same_step_without_the_term_is_that_of_before(settings, batch):
    plain = settings.replace(l1=1.0, vgg=0.0)
    state, other = (new_state(CONFIG, some) for some in (plain, settings))
    for one, two in zip(state.generator.parameters(), other.generator.parameters(), strict=True):
        assert torch.equal(one, two)
    assert set(train_step(state, batch, plain)) == {"l1"}
    assert state.eyes is None


def test_the_perceptual_term_needs_memory():
    assert memory_needed(CONFIG, SETTINGS.replace(vgg=1.0)) > 2 * memory_needed(CONFIG, SETTINGS)


def test_settings_with_the_term_survive_a_file(settings):
    assert TrainSettings.from_json(settings.to_json()) == settings


@pytest.mark.refusal
def test_the_perceptual_term_without_weights_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(MissingFileError, match="vgg19-dcbb9e9d.pth are not on this machine"):
        new_state(CONFIG, SETTINGS.replace(vgg=10.0))
    with pytest.raises(ParameterError, match="weights of losses must not be negative"):
        SETTINGS.replace(vgg=-1.0)
