"""Relief that is made: it is as deep, as wide and as fine as it is said to be."""

import math

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.mesh import vertex_normals
from morphface.models import load_model
from morphface.synthetic import Dice, ReliefSettings, random_relief
from morphface.synthetic.relief import Wrinkle, band_of_waves, grooves, wrinkles_of

UP = torch.tensor([0.0, 0.0, 1.0])


def sheet(side=256, pitch=0.25):
    """A plane of points, row by row, and its normals."""
    steps = torch.arange(side) * pitch - side * pitch / 2
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = torch.stack([x, y, torch.zeros_like(x)], dim=-1).reshape(-1, 3)
    return points, UP.expand(len(points), 3)


def straight(depth=0.6, width=1.2, z=0.0):
    line = torch.tensor([[-20.0, 0.0, z], [20.0, 0.0, z]])
    return Wrinkle(line, depth, width)


def test_a_groove_is_a_gaussian_of_its_depth_and_width():
    points, normals = sheet()
    found = grooves(points, normals, [straight()])
    middle = points[:, 0].abs() < 1.0
    wanted = -0.6 * torch.exp(-points[:, 1].square() / (2 * 1.2**2))
    near = middle & (points[:, 1].abs() < 4.0)
    torch.testing.assert_close(found[near], wanted[near], atol=6e-3, rtol=0)
    assert float(found.min()) == pytest.approx(-0.6, abs=2e-3)


def test_a_groove_ends_with_its_line_and_at_its_side():
    points, normals = sheet()
    found = grooves(points, normals, [straight()])
    assert float(found[points[:, 1].abs() > 6].abs().max()) == 0
    ends = found[points[:, 0].abs() > 19.5].abs().max()
    assert float(ends) < 0.03


def test_a_line_beside_the_surface_does_as_well_as_one_on_it():
    points, normals = sheet(pitch=0.35)
    on, over = (grooves(points, normals, [straight(z=z)]) for z in (0.0, 2.5))
    torch.testing.assert_close(on, over)


def test_grooves_add_up_and_none_is_none():
    points, normals = sheet(side=128)
    one, other = straight(), Wrinkle(torch.tensor([[0.0, -9.0, 0.0], [0.0, 9.0, 0.0]]), 0.4, 0.9)
    both = grooves(points, normals, [one, other])
    apart = grooves(points, normals, [one]) + grooves(points, normals, [other])
    torch.testing.assert_close(both, apart)
    assert not grooves(points, normals, []).any()


def test_waves_have_the_root_mean_square_of_one_in_space():
    points = Dice(1).uniform(-200, 200, 40_000, 3)
    found = band_of_waves(points, (3.0, 12.0), 64, Dice(2))
    assert float(found.square().mean().sqrt()) == pytest.approx(1.0, abs=0.02)
    assert abs(float(found.mean())) < 0.02


def test_no_wave_is_shorter_than_the_band():
    side, pitch = 256, 0.25
    points, _ = sheet(side, pitch)
    picture = band_of_waves(points, (3.0, 12.0), 192, Dice(5)).reshape(side, side)
    window = torch.hann_window(side, periodic=False)
    power = torch.fft.fft2(picture * window[:, None] * window).abs().square()
    steps = torch.fft.fftfreq(side, pitch)
    frequency = torch.hypot(steps[:, None], steps[None])
    beyond = power[frequency > 1 / 3.0 + 3 / (side * pitch)].sum() / power.sum()
    within = power[frequency > 1 / 6.0].sum() / power.sum()
    assert float(beyond) < 1e-4
    assert float(within) > 0.02


def test_one_wave_has_the_length_that_was_asked_for():
    dice = Dice(9)
    points = Dice(3).uniform(-50, 50, 500, 3)
    found = band_of_waves(points, (5.0, 5.0), 1, dice)
    again = Dice(9)
    again.uniform(0, 1, 1)
    way = torch.nn.functional.normalize(again.normal(1, 3), dim=-1)[0]
    torch.testing.assert_close(band_of_waves(points + 5.0 * way, (5.0, 5.0), 1, Dice(9)), found,
                               atol=1e-4, rtol=0)  # fmt: skip
    half = band_of_waves(points + 2.5 * way, (5.0, 5.0), 1, Dice(9))
    torch.testing.assert_close(half, -found, atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def face():
    model = load_model()
    points = model.identity.mean
    return points, vertex_normals(points, model.faces), model.landmarks["478"].points(points)


def test_somebody_has_the_same_relief_again_and_others_another(face):
    points, normals, marks = face
    one, again, other = (random_relief(points, normals, marks, Dice(n)) for n in (4, 4, 5))
    assert torch.equal(one, again)
    alike = torch.corrcoef(torch.stack([one, other]))[0, 1]
    assert not torch.equal(one, other)
    assert float(alike) < 0.8


def test_relief_is_of_points_and_not_of_the_mesh(face):
    points, normals, marks = face
    settings = ReliefSettings(depth=(1e-6, 1e-6))
    half = torch.arange(0, len(points), 2)
    whole = random_relief(points, normals, marks, Dice(4), settings)
    part = random_relief(points[half], normals[half], marks, Dice(4), settings)
    torch.testing.assert_close(part, whole[half], atol=1e-5, rtol=0)


def test_wrinkles_lie_beside_eyes_on_the_forehead_and_beside_the_mouth(face):
    *_, marks = face
    found = wrinkles_of(marks, Dice(6))
    assert len(found) == 13
    limits = ReliefSettings()
    for wrinkle in found:
        assert limits.depth[0] <= wrinkle.depth <= limits.depth[1]
        assert limits.width[0] <= wrinkle.width <= limits.width[1]
    middles = torch.stack([wrinkle.line.mean(0) for wrinkle in found])
    brows, mouth = marks[[105, 334], 1].mean(), marks[[61, 291], 1].mean()
    assert (middles[:3, 1] > brows).all()
    assert (middles[5:7, 1] > mouth).all()
    assert (middles[5:7, 1] < marks[2, 1] + 15).all()
    outer = marks[[33, 263], 0].abs().min()
    assert (middles[7:, 0].abs() > outer).all()
    right, left = middles[7:10, 0].mean(), middles[10:, 0].mean()
    assert float(right) == pytest.approx(-float(left), abs=4)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"band": (5.0, 3.0)}, "band must be two positive lengths in millimetres, the smaller"),
        ({"depth": (0.0, 1.0)}, "depth must be two positive lengths"),
        ({"width": (1.0, math.inf)}, "width must be two positive lengths"),
        ({"roughness": -1.0}, "roughness must be at least 0 and finite, in millimetres, got -1.0"),
        ({"roughness": math.nan}, "roughness must be at least 0 and finite"),
        ({"waves": 0}, "waves must be at least 1, got 0"),
    ],
)
def test_settings_that_are_none_are_refused(wrong, words):
    with pytest.raises(ParameterError, match=words.replace("(", r"\(")):
        ReliefSettings(**wrong)


@pytest.mark.refusal
def test_other_landmarks_are_refused(face):
    points, normals, marks = face
    with pytest.raises(ShapeError, match="marks"):
        random_relief(points, normals, marks[:68], Dice(0))
    with pytest.raises(ShapeError, match="normals"):
        random_relief(points, normals[:9], marks, Dice(0))
