import pytest
import torch

from morphface.models import load_model
from morphface.render.aligned import HIGH, LOW
from morphface.synthetic import Dice, SyntheticHeads, random_person, solid_of
from morphface.synthetic.heads import as_fitted, erring, whole
from morphface.synthetic.motion import default_motion
from morphface.synthetic.people import moved
from morphface.synthetic.solid import CELLS, HALF, SHORTEST, hair_field
from morphface.synthetic.styles import STYLES

CELL = (HIGH[0] - LOW[0]) / CELLS


def afro():
    model, dice = load_model(), Dice(3)
    style = next(style for style in STYLES if style.name == "afro")
    person = random_person(model, 64, 128, dice, style)
    return person, moved(person, [default_motion(model).piece(1, dice)])


@pytest.fixture(scope="module")
def person():
    return afro()


@pytest.fixture(scope="module")
def solid(person):
    return solid_of(*person)


def test_the_room_of_one_strand_is_a_capsule():
    ends = torch.tensor([[[-60.0, 0.0, -75.0], [60.0, 0.0, -75.0]]])
    field = hair_field([ends])
    rng = torch.Generator().manual_seed(0)
    points = torch.tensor([0.0, 0.0, -75.0]) + (torch.rand(2000, 3, generator=rng) - 0.5) * 40
    away = (points - torch.tensor([0.0, 0.0, -75.0]))[:, 1:].norm(dim=-1)
    found = field.at(points)
    clear = (away - HALF).abs() > CELL
    assert torch.equal((found < 0)[clear], (away < HALF)[clear])


def test_gaps_that_the_ball_does_not_fit_into_are_closed_and_others_not():
    def at_middle(gap):
        sides = torch.linspace(-40, 40, 27)
        plates = [
            torch.tensor([[[x, -40.0, z - 75.0], [x, 40.0, z - 75.0]] for x in sides])
            for z in (-gap / 2, gap / 2)
        ]
        return float(hair_field(plates).at(torch.tensor([[0.0, 0.0, -75.0]])))

    assert at_middle(12.0) < 0 < at_middle(30.0)


def test_who_has_no_hair_or_stubble_alone_has_no_room_of_it():
    stubble = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.8 * SHORTEST]]])
    assert hair_field([]) is None
    assert hair_field([stubble]) is None


def test_points_of_the_surface_are_on_it(solid):
    dice = Dice(0)
    on_head = solid.on_head(500, dice)
    assert solid.head.at(on_head).distance.abs().max() < 1e-3
    on_hair = solid.hair.on_surface(500, dice)
    assert solid.hair.at(on_hair).abs().quantile(0.9) < 0.5


def test_hair_is_outside_the_head_and_the_head_within_both(solid):
    dice = Dice(0)
    hair = solid.hair.on_surface(500, dice)
    beyond = solid.head.at(hair).distance > 10
    assert beyond.float().mean() > 0.5
    inner = solid.on_head(500, dice) * 0.9 + 0.1 * torch.tensor([0.0, 0.0, -75.0])
    assert (solid.distance(inner) < 0).float().mean() > 0.98


def test_the_true_parameters_move_no_point(person):
    _, pose = person
    points = torch.rand(20, 3) * 100
    torch.testing.assert_close(as_fitted(points, pose, pose), points, atol=1e-3, rtol=0)


def test_fits_err_by_what_is_said(person):
    _, pose = person
    errors = [erring(pose, Dice(k)) for k in range(60)]
    shift = torch.cat([one.translation - pose.translation for one in errors])
    assert shift.std(0).tolist() == pytest.approx([1.5, 1.5, 8.0], rel=0.3)
    spread = torch.cat([one.identity - pose.identity for one in errors]).std()
    assert float(spread) == pytest.approx(0.25, rel=0.05)


def test_hair_maps_have_no_gaps_between_strands():
    hair = torch.zeros(20, 20)
    hair[:, ::2] = 1
    assert whole(hair)[4:-4, 4:-4].min() > 0.75
    assert whole(torch.zeros(20, 20)).max() == 0


def test_the_same_number_is_the_same_probes_and_truth_is_told_of_both():
    one, again = (SyntheticHeads(1, 32, points=400).probes(3) for _ in range(2))
    for name in ("picture", "places", "space", "inside"):
        assert torch.equal(getattr(one, name), getattr(again, name))
    assert one.picture.shape == (1, 14, 32, 32)
    assert 0.2 < one.inside.float().mean() < 0.9
    deep = one.space[..., 0] < -1.5  # 10 mm within the mesh, which errs by less
    assert one.inside[deep].all()
    other = SyntheticHeads(2, 32, points=400).probes(3)
    assert not torch.equal(one.picture, other.picture)
