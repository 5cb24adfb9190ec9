import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from morphface.render.blur import blurred


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_a_blur_is_that_of_another_implementation_on_each_plane_alone():
    planes = noise(2, 3, 24, 31)
    other = [
        gaussian_filter(each.double().numpy(), 2.0, mode="constant", radius=6)
        for each in planes.flatten(0, 1)
    ]
    found = blurred(planes, 2.0).flatten(0, 1)
    torch.testing.assert_close(found, torch.from_numpy(np.stack(other)).float(), atol=1e-5, rtol=0)


def test_a_width_of_nothing_changes_nothing():
    plane = noise(7, 9)
    assert torch.equal(blurred(plane, 0.0), plane)


def test_what_is_even_stays_away_from_the_border_also_in_steps():
    plane = torch.full((60, 63), 0.7)
    for step in (1, 3):
        inner = blurred(plane, 6.0, step=step)[24:-24, 24:-24]
        torch.testing.assert_close(inner, torch.full_like(inner, 0.7))


def test_steps_of_half_the_width_are_nearly_as_good():
    plane = noise(90, 91)
    middle = slice(30, -30), slice(30, -30)
    fine, coarse = (blurred(plane, 9.0, step=step)[middle] for step in (1, 4))
    assert float((fine - coarse).abs().max()) < 0.1 * float(plane[middle].std())
    assert float(fine.std()) > 0
