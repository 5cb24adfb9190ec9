from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ModelError, ParameterError
from morphface.generate import config_of, load_generator
from morphface.generate.training import USUAL_SETTINGS, Observer, train_generator
from morphface.generate.training.batches import Share
from morphface.generate.training.depth import FRAMES, films_of_takes
from morphface.generate.training.memory import memory_needed
from tests.generate.people import POINTS, SIDE, Moves, Pointed, take_of

pytest.importorskip("accelerate", reason="training needs accelerate: morphface[train]")
CONFIG = config_of("depth", resolution=SIDE, width=4)
SETTINGS = USUAL_SETTINGS["depth"].replace(steps=2, batch=2, every=2, rate=1e-3)
HERE = Share(0, torch.device("cpu"))


def test_films_are_consecutive_frames_of_the_same_takes():
    batch = next(films_of_takes(Moves(longest=FRAMES), SETTINGS, HERE))
    wanted = [take_of(number, FRAMES).frame for number in range(2)]
    assert torch.equal(batch, torch.stack(wanted))


def test_where_a_take_ends_its_last_frame_stands():
    class Short(Moves):
        def take(self, number, length):
            return super().take(number, 2)

    batch = next(films_of_takes(Short(longest=FRAMES), SETTINGS, HERE))
    assert torch.equal(batch[:, 1], batch[:, 2])


def test_a_step_changes_both_networks_and_the_run_is_a_generators_depth(tmp_path):
    trained = train_generator(CONFIG, Moves(longest=3), tmp_path / "depth", settings=SETTINGS)
    depth = tmp_path / "depth" / "generator.safetensors"
    config = config_of(
        "dagan", resolution=SIDE, width=4, depth="learned", style_sizes=(8 * POINTS,)
    )
    settings = USUAL_SETTINGS["dagan"].replace(
        steps=1, batch=2, vgg=0.0, adversarial="none", matching=0.0
    )
    data = Blind()
    made = train_generator(config, data, tmp_path / "run", settings=settings, depth=depth)
    for name, value in load_generator(depth).sight.state_dict().items():
        assert torch.equal(value, trained.sight.state_dict()[name])
        assert torch.equal(value, made.sight.state_dict()[name]), name  # it stays as it is
    again = load_generator(tmp_path / "run" / "generator.safetensors")
    lies = again.sight.heads[0].weight, trained.sight.heads[0].weight
    assert torch.equal(*lies)  # in the generator's own file


class Blind(Pointed):
    """Takes with key points and without maps."""

    def take(self, number, length):
        take = super().take(number, length)
        one = replace(take.references[0], maps=take.references[0].maps[:, :0])
        return replace(take, references=(one,), window=take.window[:, :0])


def test_memory_is_known_before():
    small, large = (memory_needed(CONFIG.replace(width=w), SETTINGS) for w in (4, 8))
    assert small < large


@pytest.mark.slow
def test_depth_of_32_pixels_learns(tmp_path):
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["photometric"])))
    settings = SETTINGS.replace(steps=30, batch=4, every=30, rate=2e-3)
    train_generator(
        CONFIG, Moves(8, longest=FRAMES), tmp_path, settings=settings, observer=observer
    )
    assert sum(seen[-8:]) < 0.9 * sum(seen[:8])


@pytest.mark.refusal
def test_what_cannot_be_learnt_from_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="3 consecutive frames, takes have 1 at most"):
        next(films_of_takes(Moves(), SETTINGS, HERE))
    other = config_of("depth", resolution=SIDE, width=8)
    train_generator(other, Moves(longest=3), tmp_path / "d", settings=SETTINGS.replace(steps=1))
    config = config_of(
        "dagan", resolution=SIDE, width=4, depth="learned", style_sizes=(8 * POINTS,)
    )
    with pytest.raises(ModelError, match="depth must be a run of .* same resolution and width"):
        train_generator(
            config, Blind(), tmp_path / "e", depth=tmp_path / "d" / "generator.safetensors"
        )
