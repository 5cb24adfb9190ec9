import numpy as np
import pytest
import torch

from morphface.fit.detail import kernels
from morphface.fit.detail.bands import high_band
from morphface.fit.detail.equations import Shown, channel_mix, rows_of
from morphface.fit.detail.settings import DetailSettings
from morphface.fit.detail.solve import System, heights_of, solved
from morphface.geometry.spherical_harmonics import irradiance
from tests.fit.detail.photos import lamp
from tests.fit.detail.plane import PITCH, SIDE, flat_grid


def random_system(rows=7, columns=9, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(rows, columns, 3, 3))
    whole = factor @ factor.swapaxes(-1, -2)
    upper = np.triu_indices(3)
    cells = np.ascontiguousarray(whole[..., upper[0], upper[1]].astype(np.float32))
    return System(cells, rng.normal(size=(rows, columns, 3)).astype(np.float32), 0.3, 0.2), whole


def dense(system, whole):
    """The matrix and the right side of an energy, corner by corner."""
    rows, columns = whole.shape[:2]
    count = (rows + 1) * (columns + 1)
    left, right = system.hold * np.eye(count), np.zeros(count)

    def number(i, j):
        return i * (columns + 1) + j

    for i in range(rows):
        for j in range(columns):
            corners = [number(i + a, j + b) for a in (0, 1) for b in (0, 1)]
            f = np.zeros((3, count))
            f[0, corners], f[1, corners], f[2, corners] = (
                (-0.5, 0.5, -0.5, 0.5),
                (-0.5, -0.5, 0.5, 0.5),
                (0.25,) * 4,
            )
            left += f.T @ whole[i, j] @ f
            right += f.T @ system.force[i, j]
    for i in range(1, rows):
        for j in range(1, columns):
            left[number(i, j), number(i, j)] += 4 * system.smooth
            for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                left[number(i, j), number(i + a, j + b)] -= system.smooth
    return left, right


def test_compiled_products_are_those_of_the_dense_matrix(rng):
    system, whole = random_system()
    left, _ = dense(system, whole)
    heights = torch.randn(8, 10, generator=rng).numpy()
    forces, out = np.empty(system.force.shape, np.float32), np.empty_like(heights)
    kernels.push(system.cells, heights, forces)
    kernels.gather(forces, np.float32(system.hold), np.float32(system.smooth), heights, out)
    np.testing.assert_allclose(out.ravel(), left @ heights.ravel(), rtol=1e-4, atol=1e-4)
    kernels.diagonal(system.cells, np.float32(system.hold), np.float32(system.smooth), out)
    inner = np.diag(left).reshape(8, 10)[1:-1, 1:-1]
    np.testing.assert_allclose(out[1:-1, 1:-1], inner, rtol=1e-4)


def test_conjugate_gradients_find_the_least_energy():
    system, whole = random_system()
    system = System(system.cells, system.force, system.hold, 0.0)
    left, right = dense(system, whole)
    found = solved(system, steps=(400,), tolerance=1e-7)
    np.testing.assert_allclose(found.ravel(), np.linalg.solve(left, right), atol=1e-3)


def test_a_plane_has_the_same_energy_on_the_coarser_level():
    system, _ = random_system(8, 8)
    coarse = system.halved()
    fine_x, fine_y = np.meshgrid(np.arange(9.0), np.arange(9.0))
    forces = [np.empty(s.force.shape, np.float32) for s in (system, coarse)]
    told = []
    for s, force, step in ((system, forces[0], 1), (coarse, forces[1], 2)):
        heights = (0.3 * fine_x - 0.2 * fine_y)[::step, ::step].astype(np.float32)
        slopes = np.empty_like(force)
        kernels.slopes(heights, slopes)
        kernels.push(np.ascontiguousarray(s.cells * [1, 1, 0, 1, 0, 0], np.float32), heights, force)
        told.append(float((slopes[..., :2] * force[..., :2]).sum()))
    assert told[0] == pytest.approx(told[1], rel=1e-4)


def test_a_sinusoid_on_a_plane_comes_back_with_its_height():
    grid, ground = flat_grid()
    x, y = ground.points[:, 0], ground.points[:, 1]
    length, height = 8.0, 0.1
    wave = 2 * torch.pi / length * (x + 0.5 * y)
    slope = height * 2 * torch.pi / length * wave.cos()
    tilted = torch.stack([-slope, -0.5 * slope, torch.ones_like(slope)], dim=-1)
    normals = torch.nn.functional.normalize(tilted, dim=-1)
    light = lamp(0.8, 0.2, 0.3)
    colours = 0.6 * irradiance(light, normals)
    settings = DetailSettings(
        response=1.0,
        mottle=0.002,
        slope=1.0,
        albedo=0.2,
        finest=0.2,
        melanin=0,
        blood=0,
        coarsest=60.0,
        groove=0,
    )
    rows = rows_of(grid, Shown(ground, colours, torch.ones(len(x)), light), settings, lines=False)
    heights = heights_of(grid, ground, [rows], settings)
    texels = (heights[1:, 1:] + heights[:-1, :-1] + heights[1:, :-1] + heights[:-1, 1:]) / 4
    inner = slice(16, -16)
    found = texels[inner, inner].ravel()
    true = (height * wave.sin()).reshape(SIDE, SIDE)[inner, inner].numpy().ravel()
    found, true = found - found.mean(), true - true.mean()
    assert np.corrcoef(found, true)[0, 1] > 0.95
    assert (found @ true) / (true @ true) == pytest.approx(1.0, abs=0.2)


def test_what_has_the_tint_of_a_pigment_hardly_counts():
    mix = channel_mix(DetailSettings(melanin=0.5, blood=0.5))
    assert float(mix.sum()) == pytest.approx(1.0)
    melanin, blood = torch.tensor([0.45, 0.75, 1.0]), torch.tensor([0.15, 1.0, 0.85])
    assert abs(float(mix @ melanin)) < 0.1
    assert abs(float(mix @ blood)) < 0.1


def test_half_of_a_wave_of_the_limit_is_left():
    grid, ground = flat_grid()
    length = 16.0
    wave = (2 * torch.pi * ground.points[:, 0] / PITCH / length).sin()
    left = high_band(grid, wave[:, None], torch.ones(len(wave)), length)[:, 0]
    middle = (slice(24, -24), slice(24, -24))
    share = left.reshape(SIDE, SIDE)[middle].std() / wave.reshape(SIDE, SIDE)[middle].std()
    assert float(share) == pytest.approx(0.5, abs=0.05)


def test_several_photos_are_told_by_other_settings():
    assert DetailSettings.of(1) == DetailSettings()
    assert DetailSettings.of(2) == DetailSettings.of(9)
    assert DetailSettings.of(2).groove == 0
    assert DetailSettings.of(2).coarsest > DetailSettings.of(1).coarsest
