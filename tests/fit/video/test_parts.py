"""The parts of tracking by their laws: steps, slopes of pixels, cuts, keys, and work ahead."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from morphface.fit.analysis.lens import Lens, View
from morphface.fit.covered import find_cover, fit_uncovered
from morphface.fit.linear import fit_linear
from morphface.fit.video.ahead import Ahead
from morphface.fit.video.cuts import Cuts
from morphface.fit.video.exposure import brightened
from morphface.fit.video.inertia import evidence, learned, released
from morphface.fit.video.keys import candidate_of, choose_keys, person_of
from morphface.fit.video.looks import STRANGER, Likeness
from morphface.fit.video.pixels import compare, jacobian
from morphface.fit.video.settings import Inertia
from morphface.fit.video.skin import skin_of
from morphface.fit.video.state import span_of, state_of
from morphface.fit.video.view import image_of, view_of
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.media.video import Frame
from tests.fit.video.clip import CAMERA, SIZE, clip, marks, moving

NOSE_TIP = 1  # of the 478


@pytest.fixture(scope="module")
def face():
    return moving(9)


@pytest.fixture(scope="module")
def candidates(model, face):
    frames = clip(model, [face])
    return [candidate_of(model, f, marks(model, face, f.index), 150.0) for f in frames]


def test_a_step_and_the_difference_of_states_undo_each_other(face, rng):
    state = state_of(face[2])
    step = 0.3 * torch.randn(span_of(4).width, generator=rng).double().numpy()
    np.testing.assert_allclose(state.moved(step).minus(state), step, atol=1e-9)
    back = state.parameters(face.identity, face.reflectance)
    torch.testing.assert_close(back.to_vector(), face[2].to_vector())


def test_slopes_of_shaded_colours_are_those_of_finite_differences(model, face, candidates, quick):
    person = person_of(0, model, candidates[:1], replace(quick, stage="linear"))
    skin = skin_of(person, 200)
    state = replace(state_of(face[3]), light=np.full((9, 3), 0.1))
    blank = torch.zeros(*SIZE, 3)
    zero = torch.zeros(2)
    lens = Lens(CAMERA.principal, zero, zero + 1)
    view = View(blank, blank[..., None].expand(-1, -1, -1, 2), blank[..., 0], lens)

    def residual(step):
        seen = compare(skin, state.moved(step), view, image_of(view), torch.ones(len(skin.weight)))
        return seen, seen.residual

    seen, _ = residual(np.zeros(span_of(4).width))
    slopes = jacobian(seen, torch.ones(len(skin.weight), 3))
    for column in (0, 1, 2, 6, 9, 12, 30):
        step = np.zeros(span_of(4).width)
        step[column] = 2e-3
        change = (residual(step)[1] - residual(-step)[1]) / 4e-3
        torch.testing.assert_close(slopes[:, :, column], change, atol=2e-3, rtol=2e-2)


def test_a_frame_shrinks_on_one_grid_wherever_its_box_lies(rng):
    photo = Photo(torch.rand(40, 60, 3, generator=rng))
    one = view_of(photo, torch.zeros(2), (9, 7, 40, 33), 3)
    other = view_of(photo, torch.zeros(2), (12, 9, 46, 36), 3)
    torch.testing.assert_close(one.image[1:8, 1:9], other.image[:7, :8])
    assert one.lens.corner.tolist() == [9.0, 6.0]


def test_motion_beyond_the_noise_is_let_go_and_noise_is_not():
    hessian, quiet = np.eye(10) * 4.0, np.zeros((10, 2))
    loud = quiet.copy()
    loud[3, 0] = -4.0
    spread, noise, inertia = np.full(37, 0.1), np.full(10, 0.01), Inertia()
    still = released(spread, at(evidence(hessian, quiet, np.ones(4))), noise, inertia)
    np.testing.assert_allclose(still, spread)
    moved = released(spread, at(evidence(hessian, loud, np.ones(4))), noise, inertia)
    assert moved[3] > 1.0
    assert np.delete(moved, 3).max() == 0.1


def at(found):
    return found[0][:, 0], found[1]


def test_the_noise_that_is_learned_is_that_of_the_landmarks(rng):
    noise = None
    for _ in range(600):
        bend = torch.randn(3, generator=rng).double().numpy() * np.sqrt(6 * 0.09)
        noise = learned(noise, bend)
    np.testing.assert_allclose(noise, 0.09, rtol=0.6)


def test_key_frames_are_unlike_each_other_and_sharp(candidates):
    chosen = choose_keys(candidates, 3)
    places = torch.stack([candidate.place for candidate in chosen])
    nearest = torch.pdist(places).min()
    every = torch.stack([candidate.place for candidate in candidates[:3]])
    assert nearest > torch.pdist(every).min()
    blurred = [replace(c, sharpness=0.01 * c.sharpness) for c in candidates[::2]]
    sharp = choose_keys([*blurred, *candidates[1::2]], 3)
    assert all(candidate.frame.index % 2 for candidate in sharp)


def test_a_person_is_made_of_the_landmarks_that_nothing_hides(known, quick):
    model, marks, pixels = known.faces[0].model, known.faces[0].fit.landmarks, known.photo.pixels
    below = (torch.arange(pixels.shape[0]) > float(marks.points[NOSE_TIP, 1]))[:, None, None]
    masked = Photo(torch.where(below, torch.tensor([0.62, 0.76, 0.85]), pixels))
    fit = partial(fit_linear, model, size=masked.size, focal=500.0)
    low = marks.points[:, 1] > marks.points[NOSE_TIP, 1] + 3
    pulled = fit(replace(marks, points=marks.points + 4.0 * low[:, None]))
    uncovered = fit_uncovered(fit, pulled, find_cover(model, pulled, masked))
    key = candidate_of(model, Frame(masked, 0, 0.0), pulled.landmarks, 500.0)
    person = person_of(0, model, [key], replace(quick, stage="linear", focal=500.0))
    torch.testing.assert_close(person.identity, uncovered.parameters.identity)
    assert (person.identity - pulled.parameters.identity).norm() > 0.5


def test_a_cut_is_told_from_a_flash_and_from_motion(rng):
    scene = torch.rand(9, 16, 3, generator=rng).repeat_interleave(8, 0).repeat_interleave(8, 1)
    other = 1 - torch.rand(9, 16, 3, generator=rng).square()
    other = other.repeat_interleave(8, 0).repeat_interleave(8, 1) * torch.tensor([1.0, 0.2, 0.1])
    cuts = Cuts()
    shown = [scene, scene * 0.5, scene, scene.roll(3, 1), other, other.roll(2, 0), scene]
    assert [cuts(Photo(pixels)) for pixels in shown] == [False] * 4 + [True, False, True]


def test_a_fade_through_black_is_no_cut_but_another_scene_after_it_is(rng):
    scene, other = (
        torch.rand(9, 16, 3, generator=rng).repeat_interleave(8, 0).repeat_interleave(8, 1)
        for _ in range(2)
    )
    black = torch.zeros_like(scene)
    shown = [scene, scene * 0.3, black, black, scene * 0.5, black, other]
    cuts = Cuts()
    assert [cuts(Photo(pixels)) for pixels in shown] == [False] * 6 + [True]


def test_light_that_is_brightened_multiplies_all_colours(rng):
    light = 0.2 * torch.randn(9, 3, generator=rng).double()
    normals = torch.nn.functional.normalize(torch.randn(50, 3, generator=rng).double(), dim=1)
    gain = np.array([0.3, 1.0, 2.5])
    brighter = torch.from_numpy(brightened(light.numpy(), gain))
    wanted = irradiance(light[None], normals[None]) * torch.from_numpy(gain)
    torch.testing.assert_close(irradiance(brighter[None], normals[None]), wanted)


def test_whoever_looks_alike_is_the_same_person(rng):
    one = torch.randn(80, generator=rng)
    near, far = one + 0.1 * torch.randn(80, generator=rng), one + torch.randn(80, generator=rng)
    assert Likeness(one).distance(Likeness(near)) < STRANGER < Likeness(one).distance(Likeness(far))
    feature = torch.nn.functional.normalize(torch.randn(128, generator=rng), dim=0)
    assert Likeness(one, feature).distance(Likeness(far, feature)) < STRANGER  # it knows better
    small = replace(Likeness(far), doubt=2.0)
    assert Likeness(one).distance(small) == pytest.approx(Likeness(one).distance(Likeness(far)) / 2)
    mean = Likeness.of_many([Likeness(one), Likeness(-one)])
    torch.testing.assert_close(mean.identity, 0 * one)


def test_work_ahead_keeps_the_order_and_its_bound():
    begun = []
    with Ahead(range(100), lambda item: begun.append(item) or item * 2, 3) as ahead:
        assert [next(ahead) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert len(begun) < 15


def test_work_ahead_ends_with_its_items():
    assert list(Ahead([1, 2, 3], lambda item: item, 1)) == [1, 2, 3]


def test_an_error_ahead_comes_after_the_results_before_it():
    ahead = Ahead([1, 0], lambda item: 1 / item, 4)
    assert next(ahead) == 1.0
    with pytest.raises(ZeroDivisionError):
        next(ahead)
    with pytest.raises(StopIteration):
        next(ahead)
