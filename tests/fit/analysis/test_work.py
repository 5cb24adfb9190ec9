"""What is left out or done otherwise to save work changes no result."""

import numpy as np
import torch

from morphface.fit.analysis.energies import normal_equations, photometric_scale
from morphface.fit.analysis.jacobian import colour_jacobian, colour_slope
from morphface.fit.analysis.problem import _from_column
from morphface.fit.analysis.sampling import Samples
from tests.fit.analysis.test_jacobian import Case


def test_points_are_blended_as_by_the_definition():
    rng = torch.Generator().manual_seed(0)
    for kind in (torch.float32, torch.float64):
        rows = torch.randn(20, 3, 7, generator=rng, dtype=kind)
        corners = torch.randint(0, 20, (50, 3), generator=rng)
        weights = torch.rand(50, 3, generator=rng, dtype=kind)
        some = Samples(corners, weights, corners[:, 0], weights[:, 0])
        want = torch.einsum("nk,nkcs->ncs", weights, rows[corners])
        torch.testing.assert_close(some.blend_rows(rows), want)
        torch.testing.assert_close(some.blend(rows[:, 0]), want[:, 0])
        moved = rows[:, 0].clone().requires_grad_()
        some.blend(moved).sum().backward()
        assert float(moved.grad.sum()) > 0


def test_columns_that_are_left_out_are_zero_and_the_others_stay():
    case = Case()
    scene, samples, view, basis = case.scene, case.samples, case.view, case.basis
    slope = colour_slope(scene, samples, view)
    residuals = 0.1 * torch.ones(len(samples.corners), 3, dtype=torch.float64)
    scale = photometric_scale(residuals, samples.trust, 0.1, 100.0)
    whole = normal_equations(
        colour_jacobian(scene, basis, samples, slope, view, scale=scale), residuals * scale
    )
    first = basis.shape[2]
    fewer = colour_jacobian(
        scene, basis[..., first:].contiguous(), samples, slope, view, scale=scale
    )
    part = _from_column(normal_equations(fewer, residuals * scale), first)
    assert part.hessian.shape == whole.hessian.shape
    assert not part.hessian[:first].any()
    size = np.abs(whole.hessian[first:, first:]).max()
    np.testing.assert_allclose(
        part.hessian[first:, first:], whole.hessian[first:, first:], atol=1e-5 * size
    )
    np.testing.assert_allclose(part.gradient[first:], whole.gradient[first:], rtol=1e-3, atol=1e-4)
