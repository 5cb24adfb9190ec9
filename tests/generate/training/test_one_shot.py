import math
from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate import config_of
from morphface.generate.reference import Reference
from morphface.generate.take import stacked_takes
from morphface.generate.training import USUAL_SETTINGS, Observer, train_generator
from morphface.generate.training.batches import Share, frames_of_takes
from morphface.generate.training.journal import read_journal
from morphface.generate.training.memory import memory_needed
from morphface.generate.training.one_shot import _misnamed, _misread, code_of, one_shot_step
from morphface.generate.training.state import new_state
from tests.generate.people import (
    CONFIG,
    POINTS,
    SIDE,
    Albums,
    Moves,
    Pointed,
    album_of,
    newest,
    pointed,
    take_of,
)
from tests.generate.training.test_loop import Killed, killed_after, losses_of

pytest.importorskip("accelerate", reason="training needs accelerate: morphface[train]")
SETTINGS = USUAL_SETTINGS["headgan"].replace(
    steps=6, batch=2, every=4, vgg=0.0, judged=3, length=2, lengthen=3, rate=1e-3
)
HERE = torch.device("cpu")


def test_a_killed_run_that_is_resumed_makes_the_same_steps(tmp_path):
    config, data = CONFIG.replace(blend=True), Moves(longest=3)
    whole = train_generator(config, data, tmp_path / "whole", settings=SETTINGS)
    with pytest.raises(Killed):
        train_generator(config, data, tmp_path / "cut", settings=SETTINGS, observer=killed_after(5))
    again = train_generator(config, data, tmp_path / "cut", settings=SETTINGS, resume=True)
    assert losses_of(tmp_path / "cut") == losses_of(tmp_path / "whole")
    assert len(losses_of(tmp_path / "cut")) == SETTINGS.steps
    for name, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_judges_learn_now_and_then(tmp_path):
    train_generator(CONFIG, Moves(), tmp_path, settings=SETTINGS)
    learnt = [e["step"] for e in read_journal(tmp_path) if "discriminator" in e]
    assert learnt == [1, 4]


def test_a_step_changes_both_networks_by_all_losses():
    state = new_state(CONFIG, SETTINGS)

    def weights():  # biases before a norm without scale do nothing
        both = *state.generator.named_parameters(), *state.judge.named_parameters()
        return [value.clone() for name, value in both if "weight" in name]

    before = weights()
    losses = one_shot_step(state, take_of(1, 2), SETTINGS)
    assert not any(torch.equal(a, b) for a, b in zip(before, weights(), strict=True))
    assert set(losses) == {"discriminator", "adversarial", "matching", "l1", "l1_moved", "mask"}


def test_a_step_sees_some_of_the_photos_and_reads_codes():
    config = config_of("conr", resolution=SIDE, width=4)
    settings = USUAL_SETTINGS["conr"].replace(vgg=0.0, rate=1e-3)
    state, counts = new_state(config, settings), set()
    state.generator.register_forward_hook(lambda _, given, __: counts.add(len(given[1])))
    for seed in range(6):
        torch.manual_seed(seed)
        losses = one_shot_step(state, newest(album_of(1, 3, 2)), settings)
    assert counts == {1, 2, 3}
    assert set(losses) == {"l1", "l1_moved", "alpha", "code"}


def test_codes_are_those_of_the_mesh_and_outlines_those_of_the_matte():
    photo = newest(take_of(3)).references[0]
    surface = photo.maps.sum(1, keepdim=True) > 0.01
    person = torch.maximum(surface, photo.matte)
    right = code_of(photo)
    assert float(_misread(right, photo)) == 0
    assert torch.equal(right[:, :3] * surface, photo.maps[:, :3] * surface)
    wrong = right + torch.tensor([0.1, 0.1, 0.1, 0.0])[:, None, None]
    torch.testing.assert_close(_misread(wrong, photo), 0.1 * person.mean())


def test_hair_has_the_code_of_the_part_of_a_head_that_it_is_next_to():
    maps, matte = torch.zeros(1, 3, 16, 32), torch.ones(1, 1, 16, 32)
    left, right = (torch.tensor(code)[:, None, None] for code in ([0.2, 0.4, 0.6], [0.8, 0.3, 0.1]))
    maps[0, :, :, 8:10], maps[0, :, :, 22:24] = left, right
    none = torch.zeros(1, 2, 16, 32)
    photo = Reference(maps, maps, matte, none, none[:, :1])
    code = code_of(photo)[0, :3]
    torch.testing.assert_close(code[:, :, 5:12], left.expand(3, 16, 7), atol=0.02, rtol=0)
    torch.testing.assert_close(code[:, :, 20:27], right.expand(3, 16, 7), atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", ["conr", "dagan", "lia"])
def test_memory_is_known_of_every_kind(kind):
    config = config_of(kind, resolution=SIDE, width=4)
    wide = memory_needed(config.replace(width=8), USUAL_SETTINGS[kind].replace(vgg=0.0))
    assert wide > memory_needed(config, USUAL_SETTINGS[kind].replace(vgg=0.0))


def test_a_step_of_lia_is_driven_by_the_frame_and_taught_by_the_flow():
    config = config_of("lia", resolution=SIDE, width=4)
    settings = USUAL_SETTINGS["lia"].replace(vgg=0.0, flow=1.0, rate=1e-3)
    state = new_state(config, settings)
    before = state.generator.basis.clone()
    losses = one_shot_step(state, take_of(1, 2), settings)
    assert set(losses) == {"discriminator", "adversarial", "l1", "l1_moved", "flow"}
    assert not torch.equal(before, state.generator.basis)


def test_numbers_of_a_motion_are_taught_where_they_are_known():
    motion = torch.tensor([[1.0, 2.0, 9.0], [3.0, 4.0, 9.0]])
    named = torch.tensor([[1.5, math.nan], [math.nan, math.nan]])
    assert float(_misnamed(motion, named)) == 0.25
    assert float(_misnamed(motion, torch.full((2, 2), math.nan))) == 0
    assert float(_misnamed(motion[:, :1], torch.tensor([[1.0, 5.0], [5.0, 5.0]]))) == 2


def test_a_step_of_lia_is_taught_what_takes_know_of_its_motion():
    config = config_of("lia", resolution=SIDE, width=4)
    settings = USUAL_SETTINGS["lia"].replace(vgg=0.0, named=1.0)
    known = replace(take_of(1, 2), named=torch.ones(2, 3))
    batch = stacked_takes([known, take_of(2)])
    assert batch.named.isfinite().all(1).tolist() == [True, True, False]
    assert "named" in one_shot_step(new_state(config, settings), batch, settings)
    bare = stacked_takes([take_of(1, 2), take_of(2)])
    assert "named" not in one_shot_step(new_state(config, settings), bare, settings)


@pytest.mark.slow
def test_lia_of_32_pixels_learns(tmp_path):
    config = config_of("lia", resolution=SIDE, width=4)
    settings = USUAL_SETTINGS["lia"].replace(
        steps=40, batch=4, every=40, vgg=0.0, adversarial="none", flow=0.1, rate=5e-3, l1=10.0
    )
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["l1"])))
    train_generator(config, Moves(4), tmp_path, settings=settings, observer=observer)
    assert sum(seen[-10:]) < 0.7 * sum(seen[:10])


@pytest.mark.slow
def test_dagan_of_32_pixels_learns(tmp_path):
    config = config_of(
        "dagan", resolution=SIDE, width=4, style_sizes=(8 * POINTS,), flow_prior=False
    )
    settings = USUAL_SETTINGS["dagan"].replace(
        steps=50, batch=4, every=50, vgg=0.0, adversarial="none", matching=0.0, rate=2e-3
    )
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["l1"])))
    train_generator(config, Pointed(), tmp_path, settings=settings, observer=observer)
    assert sum(seen[-10:]) < 0.85 * sum(seen[:10])


class Unpointed(Pointed):
    """A few takes whose key points are to be found."""

    def take(self, number, length):
        return replace(super().take(number % 8, length), style=torch.zeros(1, 0))


@pytest.mark.slow
def test_points_of_32_pixels_learn_to_move_the_photo_and_to_stay_with_it(tmp_path):
    config = config_of(
        "dagan", resolution=SIDE, width=4, keypoints="learned", style_sizes=(6 * POINTS,)
    )
    settings = USUAL_SETTINGS["dagan"].replace(
        **{"steps": 30, "batch": 4, "every": 30, "vgg": 0.0, "adversarial": "none"},
        **{"matching": 0.0, "rate": 2e-3, "betas": (0.9, 0.999)},
    )
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(losses))
    train_generator(config, Unpointed(), tmp_path, settings=settings, observer=observer)
    for name in ("l1_moved", "equivariance"):
        values = [float(losses[name]) for losses in seen]
        assert sum(values[-8:]) < 0.9 * sum(values[:8]), name


def test_a_step_of_dagan_has_all_its_losses():
    config = config_of("dagan", resolution=SIDE, width=4, style_sizes=(8 * POINTS,))
    settings = USUAL_SETTINGS["dagan"].replace(vgg=0.0, flow=1.0)
    losses = one_shot_step(new_state(config, settings), pointed(1, 2), settings)
    wanted = {"discriminator", "adversarial", "matching", "l1", "l1_moved", "flow"}
    assert set(losses) == wanted


@pytest.mark.slow
def test_conr_of_32_pixels_learns(tmp_path):
    config = config_of("conr", resolution=SIDE, width=4, blend=True)
    settings = USUAL_SETTINGS["conr"].replace(
        steps=40, batch=2, every=40, vgg=0.0, rate=2e-3, betas=(0.9, 0.999), decay=0.0
    )
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["code"])))
    train_generator(config, Albums(), tmp_path, settings=settings, observer=observer)
    assert sum(seen[-10:]) < 0.6 * sum(seen[:10])


def test_a_step_hardly_turns_weights_with_spectral_norm():
    state = new_state(CONFIG, SETTINGS)

    def weights():
        named = state.generator.named_parameters()
        return [value.clone().flatten() for name, value in named if name.endswith("original")]

    before = weights()
    one_shot_step(state, take_of(1, 2), SETTINGS)
    pairs = zip(before, weights(), strict=True)
    assert all(torch.cosine_similarity(a, b, dim=0) > 0.99 for a, b in pairs)


def test_consecutive_frames_of_the_same_takes_make_growing_stretches():
    settings = SETTINGS.replace(steps=9, batch=1)
    data = Moves(longest=3)
    frames = [batch.frame for batch in frames_of_takes(data, settings, Share(0, HERE))]
    rounds = [(0, 2), (1, 2), (2, 3), (3, 2)]  # 2 steps, 2 steps; then 4, of which there are 3
    wanted = [take_of(n, count).frame[k : k + 1] for n, count in rounds for k in range(count)]
    assert all(torch.equal(a, b) for a, b in zip(frames, wanted, strict=True))


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("count", [None, 5])
def test_a_later_start_sees_what_it_would_have_seen(start, count):
    settings = SETTINGS.replace(steps=9)
    data = Moves(count, longest=3)
    whole = [batch.window for batch in frames_of_takes(data, settings, Share(0, HERE))]
    rest = [batch.window for batch in frames_of_takes(data, settings, Share(start, HERE))]
    assert len(whole) == 9
    assert all(torch.equal(a, b) for a, b in zip(whole[start:], rest, strict=True))


@pytest.mark.parametrize("count", [None, 5])
def test_processes_share_the_batch_of_one(count):
    data = Moves(count, longest=2)
    whole = [b.frame for b in frames_of_takes(data, SETTINGS, Share(0, HERE))]
    shares = (Share(0, HERE, rank, 2) for rank in (0, 1))
    parts = [[b.frame for b in frames_of_takes(data, SETTINGS, share)] for share in shares]
    for one, two, both in zip(*parts, whole, strict=True):
        assert torch.equal(torch.cat([one, two]), both)


def test_the_rate_falls_at_the_end():
    settings = SETTINGS.replace(steps=100, decay=0.4, rate=1.0)
    rates = [settings.rate_at(step) for step in (0, 59, 60, 80, 99)]
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.025])


def test_pixels_beside_the_mesh_count_as_much_as_is_said():
    take = stacked_takes([take_of(k) for k in range(2)])
    inner = take.window[:, -3:].sum(1, keepdim=True) > 0.01
    state = new_state(CONFIG, SETTINGS.replace(adversarial="none"))
    with torch.no_grad():
        made = state.generator(take.window, take.references)
    far = (made - take.frame).abs()
    for outside in (0.0, 0.25, 1.0):
        settings = SETTINGS.replace(adversarial="none", outside=outside, rate=1e-9)
        found = one_shot_step(state, take, settings)["l1"]
        wanted = torch.where(inner, far, outside * far).mean()
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5)


def test_memory_is_known_before():
    small, large = (memory_needed(CONFIG.replace(width=w), SETTINGS) for w in (4, 8))
    assert 1.5 * small < large
    assert memory_needed(CONFIG, SETTINGS.replace(batch=8)) > 1.5 * small


@pytest.mark.slow
def test_a_network_of_32_pixels_learns(tmp_path):
    settings = SETTINGS.replace(
        steps=140, every=140, adversarial="none", outside=1.0, rate=2e-3, betas=(0.9, 0.999)
    )
    seen = []
    observer = Observer(after=lambda _, losses: seen.append(float(losses["l1"])))
    train_generator(CONFIG, Moves(), tmp_path, settings=settings, observer=observer)
    assert sum(seen[-10:]) < sum(seen[:10]) / 3


@pytest.mark.refusal
def test_takes_that_cannot_be_shared_are_refused():
    for count in (None, 5):
        with pytest.raises(ParameterError, match="multiple of the number of processes, got 2 for"):
            next(frames_of_takes(Moves(count), SETTINGS, Share(0, HERE, 0, 3)))


@pytest.mark.refusal
def test_settings_that_cannot_be_are_refused():
    with pytest.raises(
        ParameterError, match="judged, length, photos, vgg_scales and points must be positive"
    ):
        SETTINGS.replace(judged=0)
    with pytest.raises(ParameterError, match="eyes must be one of .*, auto, got 'mine'"):
        SETTINGS.replace(eyes="mine")
    with pytest.raises(ParameterError, match=r"decay in \[0, 1\], got 0.999 and 2"):
        SETTINGS.replace(decay=2)
