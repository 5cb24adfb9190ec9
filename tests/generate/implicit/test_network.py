from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate import config_of, make_generator, needs_of
from morphface.generate.implicit import SPACE, space_code
from morphface.generate.implicit.points import PointNetwork, sampled

SIDE, CHANNELS = 64, 14


def network(**options):
    torch.manual_seed(0)
    made = make_generator("implicit", **({"resolution": SIDE, "width": 8, "stacks": 2} | options))
    return made.double().eval()


def given(rng, points=40):
    picture = torch.rand(2, CHANNELS, SIDE, SIDE, generator=rng).double()
    places = (torch.rand(2, points, 2, generator=rng) * 2 - 1).double()
    return picture, places, torch.randn(2, points, SPACE, generator=rng).double()


def naive(features, x, y):
    """The mean of four pixels about a place, one number at a time."""
    channels, height, width = features.shape
    column, row = (x + 1) / 2 * width - 0.5, (y + 1) / 2 * height - 0.5
    left, top = int(column // 1), int(row // 1)
    total = torch.zeros(channels, dtype=features.dtype)
    for i in (top, top + 1):
        for j in (left, left + 1):
            weight = (1 - abs(row - i)) * (1 - abs(column - j))
            inner = min(max(i, 0), height - 1), min(max(j, 0), width - 1)
            total += weight * features[:, inner[0], inner[1]]
    return total


def test_features_are_those_of_a_naive_sampler(rng):
    features = torch.rand(2, 3, 5, 7, generator=rng).double()
    places = (torch.rand(2, 30, 2, generator=rng).double() * 2 - 1) * 1.1  # beyond the border, too
    wanted = torch.stack(
        [
            torch.stack([naive(one, *place.tolist()) for place in some])
            for one, some in zip(features, places, strict=True)
        ]
    )
    torch.testing.assert_close(sampled(features, places), wanted)


def test_sampling_has_the_gradients_of_finite_differences(rng):
    features = torch.rand(1, 2, 4, 4, generator=rng).double().requires_grad_()
    places = (torch.rand(1, 6, 2, generator=rng).double() - 0.5).requires_grad_()
    assert torch.autograd.gradcheck(sampled, (features, places))


def test_a_point_network_has_the_gradients_of_finite_differences(rng):
    made = PointNetwork(3, (8, 4), (1,)).double()
    points = torch.randn(1, 5, 3, generator=rng).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: made(p)[0], (points,))


def test_the_published_sizes_are_those_of_the_paper():
    config = config_of("implicit")
    with torch.device("meta"):
        made = make_generator("implicit")
        seen = made.seen(torch.empty(1, CHANNELS, 1024, 1024))
    assert [tuple(one.shape) for one in seen.coarse] == [(1, 256, 128, 128)] * 4
    assert tuple(seen.fine.shape) == (1, 16, 512, 512)
    assert (config.width, config.stacks, config.fine) == (256, 4, 16)
    outputs = [layer.out_features for layer in made.decide.layers]
    assert outputs == [1024, 512, 256, 128, 1]
    assert [layer.in_features for layer in made.decide.layers] == [
        256 + SPACE, 1024 + 256 + SPACE, 512 + 256 + SPACE, 256 + 256 + SPACE, 128,
    ]  # fmt: skip
    assert [layer.out_features for layer in made.refine.layers] == [512, 256, 128, 1]
    assert made.refine.layers[0].in_features == 16 + 256  # features and what the coarse level made


def test_what_is_asked_beside_a_point_changes_nothing(rng):
    made, (picture, places, space) = network(), given(rng)
    seen = made.seen(picture)
    whole = made.at(seen, places, space).inside
    parts = [made.at(seen, places[:, k : k + 7], space[:, k : k + 7]).inside for k in (0, 7, 14)]
    torch.testing.assert_close(torch.cat(parts, 1), whole[:, :21])


def test_what_the_picture_does_not_show_is_outside(rng):
    made, (picture, places, space) = network(), given(rng)
    places[:, 0], places[:, 1] = torch.tensor([1.01, 0.0]), torch.tensor([0.0, -1.01])
    inside = made(picture, places, space).inside
    assert (inside[:, :2] == 0).all()
    assert (inside[:, 2:] > 0).all()


def test_the_fine_level_knows_depth_through_the_coarse_one_alone(rng):
    made, (picture, places, space) = network(), given(rng)
    answers = made(picture, places, space)
    answers.fine.sum().backward()
    assert all(weight.grad is None for weight in made.decide.parameters())
    assert all(weight.grad is None for weight in made.coarse.parameters())
    moved = made(picture, places, space + 1).fine
    assert (moved - answers.fine).abs().max() > 1e-6


def test_without_a_fine_level_the_last_hourglass_decides(rng):
    made = network(fine=0)
    answers = made(*given(rng))
    assert answers.fine is None
    torch.testing.assert_close(answers.inside, answers.coarse[-1].sigmoid())


def test_all_hourglasses_answer_and_the_next_sees_the_one_before(rng):
    made, data = network(), given(rng)
    before = made(*data).coarse
    with torch.no_grad():
        made.coarse[-1].features[0].bias += 1
    after = made(*data).coarse
    assert len(before) == 2
    assert (before[1] - after[1]).abs().max() > 1e-6


def test_near_the_mesh_distance_counts_in_proportion():
    distance = torch.tensor([-0.1, 0.0, 0.1, 200.0])
    code = space_code(distance, torch.tensor([100.0, -50.0, 0.0]).expand(4, 3))
    torch.testing.assert_close(code[:3, 0], distance[:3] / 5, atol=1e-5, rtol=0)
    assert code[3, 0] < 5
    assert code[0, 1:].tolist() == [1.0, -0.5, 0.0]


@pytest.mark.refusal
def test_levels_that_make_no_sense_are_refused():
    config = config_of("implicit")
    with pytest.raises(ParameterError, match="stacks must be positive and fine not negative"):
        replace(config, stacks=0)
    with pytest.raises(ParameterError, match=r"got 4 and -1"):
        replace(config, fine=-1)


@pytest.mark.refusal
def test_an_implicit_head_is_no_generator_of_frames():
    with pytest.raises(ParameterError, match=r"kind must be one of .*, got 'implicit'"):
        needs_of("implicit")
