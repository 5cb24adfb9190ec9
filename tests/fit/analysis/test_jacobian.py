"""Every column against finite differences in double precision."""

from dataclasses import replace

import pytest
import torch

from morphface.fit.analysis.energies import colour_residuals
from morphface.fit.analysis.jacobian import colour_jacobian, colour_slope, point_jacobian
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.sampling import Samples, draw
from morphface.fit.analysis.scene import scene_of, shape_basis
from morphface.fit.analysis.settings import GROUPS
from morphface.fit.analysis.state import Columns
from morphface.models import load_model
from tests.fit.analysis.studio import studio, whole_view

STEP = 1e-5


class Case:
    """A scene in double precision before a photo whose colours are planes."""

    def __init__(self, model=None, scheme="toy", mix=None):
        self.studio = studio(model, scheme=scheme)
        self.model = self.studio.model
        look = self.studio.look.map(lambda t: t.double())
        gaze = torch.tensor([[0.1, -0.05], [0.15, 0.05]], dtype=torch.float64)
        self.look = replace(look, gaze=gaze)
        self.lens = self.studio.lens.map(lambda t: t.double())
        height, width = self.studio.camera.size
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        plane = torch.stack([0.3 + 0.002 * x, 0.5 - 0.003 * y, 0.1 + 0.001 * (x + y)], dim=-1)
        self.view = replace(whole_view(plane.double(), self.lens), mix=mix)
        self.columns = Columns.of(self.model, 1)
        self.scene = self.at(self.look)
        self.basis = shape_basis(self.scene)
        self.samples = draw(self.scene, self.view, count=150, phase=0.5)

    def at(self, look):
        return scene_of(surface_at(self.model, look), look)

    def some(self, group):
        """The first columns of a group, at most eight."""
        span = self.columns.local[group]
        return slice(span.start, min(span.stop, span.start + 8))

    def differences(self, group, values):
        """Central differences of `values(scene)` by some columns of a group."""
        span, out = self.some(group), []
        for column in range(span.start, span.stop):
            sides = []
            for sign in (1, -1):
                step = torch.zeros(self.columns.width, dtype=torch.float64).numpy()
                step[column] = sign * STEP
                there = self.at(self.look.moved(self.columns.read(step, self.look)))
                sides.append(values(there))
            out.append((sides[0] - sides[1]) / (2 * STEP))
        return torch.stack(out, dim=-1)


@pytest.fixture(scope="module")
def toy():
    return Case()


@pytest.fixture(scope="module")
def head():
    return Case(load_model("open-head"), "478")


def agree(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("group", [name for name in GROUPS if name != "gaze"])
def test_residuals_of_surface_points_have_these_slopes(toy, group):
    slope = colour_slope(toy.scene, toy.samples, toy.view, "photo")
    found = colour_jacobian(toy.scene, toy.basis, toy.samples, slope, toy.view)
    wanted = toy.differences(group, lambda s: colour_residuals(s, toy.samples, toy.view))
    agree(found[..., toy.some(group)], wanted)


@pytest.mark.parametrize("group", [name for name in GROUPS if name != "gaze"])
def test_colours_of_pixels_have_these_slopes(toy, group):
    slope = colour_slope(toy.scene, toy.samples, toy.view, "model")
    found = colour_jacobian(toy.scene, toy.basis, toy.samples, slope, toy.view)
    wanted = toy.differences(group, lambda s: at_pixels(s, toy.samples, toy.view))
    agree(found[..., toy.some(group)], wanted)


def at_pixels(scene, samples, view: View):
    """Colours where the rays through the pixels' centres meet the planes of the same faces."""
    width = view.size[1]
    centre = torch.stack([samples.pixel % width, samples.pixel // width], dim=-1) + 0.5
    flat = (centre - view.lens.principal) / scene.look.focal
    ray = torch.cat([flat * torch.tensor([1.0, -1.0]), -torch.ones(len(flat), 1)], dim=-1)
    corners = scene.points[samples.corners].mT
    weights = torch.linalg.solve(corners, ray[..., None].double())[..., 0]
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return Samples(samples.corners, weights, samples.pixel, samples.trust).blend(scene.colours)


@pytest.mark.parametrize("group", ["identity", "expression", "gaze", "rotation"])
def test_eyes_turn_and_move_with_the_head(head, group):
    eyes = torch.cat([eye.vertices for eye in head.scene.surface.eyes])
    inside = torch.isin(head.scene.surface.faces, eyes).all(dim=1)
    corners = head.scene.surface.faces[inside][::60]
    weights = torch.full(corners.shape, 1 / 3, dtype=torch.float64)
    pixel = torch.zeros(len(corners), dtype=torch.long)
    samples = Samples(corners, weights, pixel, weights[:, 0])
    slope = colour_slope(head.scene, samples, head.view, "photo")
    found = colour_jacobian(head.scene, head.basis, samples, slope, head.view)
    wanted = head.differences(group, lambda s: colour_residuals(s, samples, head.view))
    agree(found[..., head.some(group)], wanted)


@pytest.mark.parametrize("group", GROUPS)
def test_landmarks_move_as_the_jacobian_says(toy, group):
    def seen(scene):
        return toy.lens.project(toy.samples.blend(scene.points), scene.look.focal)[:, :2]

    found = point_jacobian(toy.scene, toy.basis, toy.samples, toy.lens)
    wanted = toy.differences(group, seen)
    torch.testing.assert_close(found[..., toy.some(group)], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mix", [None, "grey"])
def test_kernels_and_plain_tensors_agree(toy, mix):
    weights = torch.tensor([0.3, 0.6, 0.1], dtype=torch.float64).expand(3, 3)
    view = toy.view if mix is None else replace(toy.view, mix=weights)
    slope = colour_slope(toy.scene, toy.samples, view)
    scale = torch.rand(len(slope), 3, dtype=torch.float64)
    arguments = (toy.scene, toy.basis, toy.samples, slope, view)
    one = colour_jacobian(*arguments, scale=scale, compiled=True)
    two = colour_jacobian(*arguments, scale=scale, compiled=False)
    torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-10)


def test_mixed_channels_have_mixed_slopes():
    mixing = torch.tensor([[0.9, 0.1, 0.0], [0.3, 0.6, 0.1], [0.0, 0.2, 1.4]], dtype=torch.float64)
    case = Case(mix=mixing)
    slope = colour_slope(case.scene, case.samples, case.view, "photo")
    found = colour_jacobian(case.scene, case.basis, case.samples, slope, case.view)
    for group in ("identity", "reflectance", "illumination", "rotation"):
        wanted = case.differences(group, lambda s: colour_residuals(s, case.samples, case.view))
        agree(found[..., case.some(group)], wanted)
