import math

import pytest
import torch
from safetensors.torch import save_file

from morphface.core.errors import MissingFileError, ModelError, ParameterError, ShapeError
from morphface.generate.bridge import (
    TAUGHT,
    fit_bridge,
    load_bridge,
    save_bridge,
    taught_values,
)

NAMES = ("jawOpen", "yaw", "nothing", "still")


def frames(count, noise=0.0):
    """Parameters, and numbers that follow the first two of them."""
    rng = torch.Generator().manual_seed(0)
    named = torch.randn(count, 4, generator=rng)
    named[:, 3] = 2.0
    mixed = torch.randn(2, 6, generator=rng)
    motion = named[:, :2] @ mixed + 0.5 + noise * torch.randn(count, 6, generator=rng)
    return motion, named


def test_what_is_linear_is_found_again_both_ways():
    motion, named = frames(120)
    bridge = fit_bridge(motion, named, NAMES)
    torch.testing.assert_close(bridge.to_named(motion)[:, :2], named[:, :2], rtol=0, atol=0.05)
    torch.testing.assert_close(bridge.to_motion(named), motion, rtol=0, atol=0.05)
    scores = bridge.scores()
    assert min(scores["jawOpen"], scores["yaw"]) > 0.99
    assert abs(scores["nothing"]) < 0.3
    assert scores["still"] == 0


def test_what_is_taught_is_in_the_order_of_its_names_and_unknown_where_there_is_none():
    named = torch.tensor([[0.5, -0.25, 7.0, 1.0]])
    found = dict(zip(TAUGHT, taught_values(named, NAMES)[0].tolist(), strict=True))
    assert found.pop("jawOpen") == pytest.approx(0.5 / TAUGHT["jawOpen"])
    assert found.pop("yaw") == pytest.approx(-0.25 / TAUGHT["yaw"])
    assert all(math.isnan(value) for value in found.values())
    with pytest.raises(ShapeError, match="named must have shape"):
        taught_values(named, NAMES[:2])


def test_scores_are_of_frames_that_were_left_out():
    torch.manual_seed(1)
    chance = fit_bridge(torch.randn(60, 40), torch.randn(60, 1), ("yaw",))
    assert abs(chance.scores()["yaw"]) < 0.4  # 40 numbers would explain most of 60 frames
    noisy = fit_bridge(*frames(120, noise=2.0), NAMES)
    assert 0.3 < noisy.scores()["yaw"] < 0.99


def test_the_slope_is_that_of_the_normal_equations():
    motion, named = frames(60, noise=0.5)
    line = fit_bridge(motion, named, NAMES).to_motion
    x, y = (values - values.mean(0) for values in (named, motion))
    scale = x[:, :3].std(0)
    far = []
    for ridge in (0.001, 0.01, 0.1, 1.0, 10.0):
        z = x[:, :3] / scale
        wanted = torch.linalg.solve(z.T @ z + ridge * 60 * torch.eye(3), z.T @ y) / scale[:, None]
        far.append((line.slope[:3] - wanted).abs().amax(0))
    assert float(torch.stack(far).amin(0).max()) < 1e-4  # each number has one of the strengths
    assert float(line.slope[3].abs().max()) == 0


def test_numbers_that_nothing_predicts_do_not_flatten_the_others():
    motion, named = frames(120)
    noise = torch.randn(120, 40, generator=torch.Generator().manual_seed(2))
    alone = fit_bridge(motion, named, NAMES).to_motion
    among = fit_bridge(torch.cat([motion, noise], dim=1), named, NAMES).to_motion
    torch.testing.assert_close(among.slope[:, :6], alone.slope)
    assert float(among.slope[:, 6:].abs().mean()) < 0.1


def test_what_was_taught_drives_as_it_was_taught_however_badly_it_is_read():
    motion, named = frames(120, noise=3.0)
    motion = torch.cat([motion, motion + named[:, 2:3]], dim=1)
    bridge = fit_bridge(motion, named, NAMES, taught=True)
    change = torch.zeros(1, 4)
    change[0, 0] = 0.3
    moved = bridge.to_motion(named[:1] + change) - bridge.to_motion(named[:1])
    place = list(TAUGHT).index("jawOpen")
    wanted = torch.zeros(1, 12)
    wanted[0, place] = 0.3 / TAUGHT["jawOpen"]
    torch.testing.assert_close(moved, wanted, rtol=0, atol=1e-4)
    told = taught_values(named, NAMES)
    known = told.isfinite().all(0)
    torch.testing.assert_close(bridge.to_motion(named)[:, :8][:, known], told[:, known])
    other = bridge.to_motion.slope[2]
    assert float(other[8:].abs().min()) > 0.1  # what is not taught is what was found
    assert float(other[:8].abs().max()) == 0


def test_a_bridge_comes_back_from_its_file(tmp_path):
    motion, named = frames(30)
    bridge = fit_bridge(motion, named, NAMES)
    save_bridge(tmp_path / "bridge.safetensors", bridge)
    again = load_bridge(tmp_path / "bridge.safetensors")
    assert again.names == bridge.names
    assert torch.equal(again.to_named(motion), bridge.to_named(motion))
    assert torch.equal(again.to_motion.found, bridge.to_motion.found)


@pytest.mark.refusal
def test_what_is_no_bridge_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="there is no bridge at .* by which parameters with"):
        load_bridge(tmp_path / "bridge.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"other.safetensors is not a bridge of a generator"):
        load_bridge(tmp_path / "other.safetensors")
    with pytest.raises(ParameterError, match="a bridge needs 12 frames or more .* got 8"):
        fit_bridge(*frames(8), NAMES)
    with pytest.raises(ShapeError, match="named must have shape"):
        fit_bridge(*frames(20), NAMES[:3])
