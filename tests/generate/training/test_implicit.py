"""A tiny implicit head learns balls whose pictures say how large they are."""

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate import TrainSettings, config_of, load_generator, train_generator
from morphface.generate.implicit import Probes, space_code
from morphface.generate.training.batches import Share
from morphface.generate.training.implicit import balanced, points_of_pictures
from morphface.generate.training.memory import memory_needed

SIDE = 32
CONFIG = config_of("implicit", resolution=SIDE, width=8, stacks=1, fine=4, maps=("depth",),
                   channels=(1,))  # fmt: skip
SETTINGS = TrainSettings(
    steps=200, batch=4, rate=5e-3, betas=(0.9, 0.99), adversarial="none", points=200, ema=0.9
)


class Balls:
    """Discs in pictures; each ball is larger than the mesh, a ball of 40 mm, by what is seen."""

    count = None

    def probes(self, number: int) -> Probes:
        """A ball, seen in parallel from the front in a picture of 200 mm."""
        rng = torch.Generator().manual_seed(number)
        radius = 45 + 40 * torch.rand((), generator=rng)
        at = (torch.arange(SIDE) + 0.5) / SIDE * 200 - 100
        disc = (at.square() + at.square()[:, None] < radius**2).float()
        points = (torch.rand(SETTINGS.points, 3, generator=rng) - 0.5) * 200
        away = points.norm(dim=-1)
        space = space_code(away - 40, 40 * points / away[:, None])
        places = points[:, :2] / 100 * torch.tensor([1.0, -1.0])
        picture = disc.expand(1, 4, SIDE, SIDE)
        return Probes(picture, places[None], space[None], (away < radius)[None])


@torch.no_grad()
def share_right(network, count=8, shown=0):
    """Of points about which the mesh alone knows nothing, with pictures of the ball `shown` on."""
    found = []
    for number in range(count):
        one = Balls().probes(10_000 + number)
        picture = Balls().probes(10_000 + (number + shown) % count).picture
        inside = network(picture, one.places, one.space).inside > 0.5
        between = (one.space[..., 0] > 0.5) & (one.space[..., 0] < 3)
        found.append((inside == one.inside)[between].float().mean())
    return float(torch.stack(found).mean())


def test_a_tiny_one_learns_and_comes_back_from_its_file(tmp_path):
    torch.manual_seed(0)
    losses = []
    from morphface.generate import Observer

    watch = Observer(after=lambda _, found: losses.append(float(found["fine"])))
    trained = train_generator(CONFIG, Balls(), tmp_path, settings=SETTINGS, observer=watch)
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
    right = share_right(trained)
    assert right > 0.8
    assert right > 0.08 + share_right(trained, shown=3)  # what it says follows from the picture
    assert share_right(load_generator(tmp_path / "generator.safetensors")) == right


def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path):
    short = SETTINGS.replace(steps=4, every=2)
    whole = train_generator(CONFIG, Balls(), tmp_path / "a", settings=short)
    train_generator(CONFIG, Balls(), tmp_path / "b", settings=short.replace(steps=2))
    again = train_generator(CONFIG, Balls(), tmp_path / "b", settings=short, resume=True)
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_inside_and_outside_count_alike():
    inside = torch.tensor([[True, False, False, False]])
    shown = torch.ones_like(inside)
    logits = torch.zeros(1, 4)
    loss = float(balanced(logits, inside, shown))
    assert loss == pytest.approx(2 * 0.75 * 0.25 * torch.log(torch.tensor(2.0)).item())
    wrong_inside = balanced(torch.tensor([[-9.0, -9, -9, -9]]), inside, shown)
    wrong_outside = balanced(torch.tensor([[9.0, 9, 9, 9]]), inside, shown)
    assert float(wrong_inside) == pytest.approx(float(wrong_outside), rel=1e-3)


def test_what_no_picture_shows_does_not_count():
    inside = torch.tensor([[True, False, True]])
    logits = torch.tensor([[3.0, -2.0, -50.0]])
    shown = torch.tensor([[True, True, False]])
    torch.testing.assert_close(
        balanced(logits, inside, shown), balanced(logits[:, :2], inside[:, :2], shown[:, :2])
    )


def test_processes_share_each_batch_of_what_has_no_end():
    device = torch.device("cpu")
    settings = SETTINGS.replace(steps=3)

    def firsts(rank, world, start=1):
        share = Share(start, device, rank, world)
        return [
            batch.picture.sum((1, 2, 3)) for batch in points_of_pictures(Balls(), settings, share)
        ]

    whole = firsts(0, 1)
    halves = zip(firsts(0, 2), firsts(1, 2), strict=True)
    for one, parts in zip(whole, halves, strict=True):
        assert torch.equal(one, torch.cat(parts))
    with pytest.raises(ParameterError, match="batch must be a multiple of the number of processes"):
        firsts(0, 3)


def test_more_points_need_more_memory():
    few, many = (memory_needed(CONFIG, SETTINGS.replace(vgg=0.0, points=n)) for n in (100, 1000))
    assert many > few
