import math
import statistics
from dataclasses import replace

import pytest
import roma
import torch

from morphface.core.errors import LandmarkError, ModelError, ParameterError, ShapeError
from morphface.fit import LinearSettings, fit_linear
from morphface.geometry.camera import to_camera
from morphface.models import ExpressionBasis, LandmarkEmbedding, load_model
from tests.fit.synthetic import SIZE, model_with_eyes, scene
from tests.toy import toy_model


def fitted(given, **settings):
    options = LinearSettings(**settings)
    focal = float(given.camera.focal)
    return fit_linear(given.model, given.landmarks, size=SIZE, focal=focal, settings=options)


def vertices(given, result):
    p = result.parameters
    return given.model.vertices(p.identity, p.expression, p.gaze)[0]


def vertex_error(given, result):
    return (vertices(given, result) - given.vertices).norm(dim=-1).mean().item()


def turn_between(a, b):
    return roma.rotvec_geodesic_distance(a, b).max().item()


def with_points(landmarks, change):
    return replace(landmarks, points=change(landmarks.points.clone()))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("depth", [True, False])
def test_exact_landmarks_give_the_face_back(seed, depth):
    given = scene(seed=seed, depth=depth)
    result = fitted(given)
    assert result.converged
    for name in ("identity", "expression", "rotation"):
        want = getattr(given.parameters, name)
        torch.testing.assert_close(getattr(result.parameters, name), want, atol=1e-3, rtol=0)
    assert vertex_error(given, result) < 1e-3
    torch.testing.assert_close(result.predicted, given.landmarks.points, atol=1e-2, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_an_unknown_focal_length_is_found_from_exact_landmarks(seed):
    given = scene(seed=seed, focal=1100.0)
    result = fit_linear(given.model, given.landmarks, size=SIZE)
    assert result.camera.focal.item() == pytest.approx(1100.0, rel=1e-3)
    assert vertex_error(given, result) < 1e-2


def test_twice_the_noise_is_about_twice_the_error():
    def error(noise):
        runs = [scene(seed=seed, noise=noise) for seed in range(25)]
        return statistics.median(vertex_error(given, fitted(given)) for given in runs)

    ratio = error(0.04) / error(0.02)
    assert 1.5 < ratio < 2.6


@pytest.mark.parametrize("seed", range(3))
def test_the_rest_of_a_known_person_is_found(seed):
    given = scene(model_with_eyes(), seed, gaze=torch.tensor([[0.2, 0.1], [0.1, 0.0]]))
    known = given.parameters.identity[0]
    result = fit_linear(given.model, given.landmarks, size=SIZE, focal=900.0, identity=known)
    assert result.converged
    assert result.identity_precision is None
    assert torch.equal(result.parameters.identity[0], known)
    for name in ("expression", "rotation", "gaze"):
        want = getattr(given.parameters, name)
        torch.testing.assert_close(getattr(result.parameters, name), want, atol=2e-3, rtol=0)


def test_somebody_else_is_held_and_fits_worse():
    given = scene(seed=1)
    other = -given.parameters.identity[0]
    result = fit_linear(given.model, given.landmarks, size=SIZE, focal=900.0, identity=other)
    assert torch.equal(result.parameters.identity[0], other)
    assert result.landmark_nme > 10 * fitted(given).landmark_nme


def test_few_points_leave_the_mean_face_and_still_give_the_pose():
    given = scene(toy_model(landmarks=80), expression=torch.zeros(1, 4))
    keep = torch.zeros(80)
    keep[[0, 9, 20, 33, 47, 61, 70]] = 1
    given.landmarks = replace(given.landmarks, confidence=keep, depth=None)
    few = fitted(given).parameters
    true = given.parameters
    assert few.identity.norm() < true.identity.norm()
    assert few.expression.max() < 0.5
    assert turn_between(few.rotation, true.rotation) < math.radians(8)


def test_expressions_stay_within_their_bounds():
    beyond = torch.tensor([[1.6, -0.8, 1.3, -0.5]])
    result = fitted(scene(expression=beyond))
    weights = result.parameters.expression
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_unbounded_expressions_follow_the_prior_of_standard_deviations():
    model = toy_model()
    free = torch.tensor([[-math.inf, math.inf]]).repeat(4, 1)
    loose = replace(
        model,
        expression=ExpressionBasis(model.expression.directions / 8, model.expression.names, free),
    )
    given = scene(loose, expression=torch.tensor([[1.5, -0.7, 0.4, -1.9]]))
    got = fitted(given).parameters.expression
    torch.testing.assert_close(got, given.parameters.expression, atol=1e-2, rtol=0)


def test_the_detectors_scores_decide_where_the_points_do_not():
    given = scene(noise=3.0, depth=False)
    few = replace(given.landmarks, confidence=(torch.arange(80) % 8 == 0).float())
    scored = replace(few, scores={"move2": 0.9})
    without, having = (
        fit_linear(given.model, points, size=SIZE, focal=900.0).parameters.expression[0, 2]
        for points in (few, scored)
    )
    assert having > without + 0.2


def test_scores_do_not_bias_what_exact_points_say():
    given = scene()
    given.landmarks = replace(given.landmarks, scores={"move0": 1.0, "move1": 0.0})
    assert vertex_error(given, fitted(given)) < 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_gaze_is_recovered_from_the_irises(seed):
    rng = torch.Generator().manual_seed(seed)
    gaze = torch.rand(2, 2, generator=rng) - 0.5
    given = scene(model_with_eyes(), seed=seed, gaze=gaze)
    result = fitted(given)
    torch.testing.assert_close(result.parameters.gaze[0], gaze, atol=1e-3, rtol=0)
    assert vertex_error(given, result) < 1e-3


def test_where_the_eyes_look_does_not_change_the_shape():
    ahead = scene(model_with_eyes(), noise=0.5)
    aside = scene(model_with_eyes(), noise=0.5, gaze=torch.full((2, 2), 0.3))
    a, b = fitted(ahead).parameters, fitted(aside).parameters
    torch.testing.assert_close(a.identity, b.identity, atol=5e-3, rtol=0)
    torch.testing.assert_close(a.expression, b.expression, atol=5e-3, rtol=0)


def test_the_order_of_the_points_does_not_matter():
    given = scene(noise=1.0)
    order = torch.randperm(80, generator=torch.Generator().manual_seed(3))
    skin = given.model.landmarks["toy"]
    shuffled = LandmarkEmbedding(
        skin.triangles[order], skin.barycentric[order], skin.confidence[order]
    )
    other = replace(given.model, landmarks={"toy": shuffled})
    marks = given.landmarks
    moved = replace(marks, points=marks.points[order], depth=marks.depth[order])
    a, b = fitted(given), fit_linear(other, moved, size=SIZE, focal=900.0)
    torch.testing.assert_close(
        a.parameters.to_vector(), b.parameters.to_vector(), atol=1e-3, rtol=0
    )


def test_an_equivalent_is_a_number_of_pixels():
    given = scene()
    pixels = 50 * math.hypot(*SIZE) / math.hypot(36, 24)
    a = fit_linear(given.model, given.landmarks, size=SIZE, focal="50mm")
    b = fit_linear(given.model, given.landmarks, size=SIZE, focal=pixels)
    assert a.camera.focal.item() == pytest.approx(pixels)
    assert torch.equal(a.parameters.to_vector(), b.parameters.to_vector())


def test_a_larger_picture_changes_the_focal_length_and_nothing_else():
    given = scene(noise=1.0)
    marks = given.landmarks
    large = replace(marks, points=marks.points * 3, depth=marks.depth * 3)
    a = fitted(given)
    b = fit_linear(given.model, large, size=(SIZE[0] * 3, SIZE[1] * 3), focal=2700.0)
    torch.testing.assert_close(
        a.parameters.to_vector(), b.parameters.to_vector(), atol=1e-2, rtol=1e-4
    )
    assert b.landmark_nme == pytest.approx(a.landmark_nme, rel=1e-3)


def test_a_border_around_the_picture_moves_only_the_screen():
    given = scene(noise=1.0)
    border = 100
    padded = with_points(given.landmarks, lambda points: points + border)
    a = fitted(given)
    b = fit_linear(
        given.model, padded, size=(SIZE[0] + 2 * border, SIZE[1] + 2 * border), focal=900.0
    )
    torch.testing.assert_close(b.predicted, a.predicted + border, atol=1e-2, rtol=0)
    torch.testing.assert_close(
        a.parameters.to_vector(), b.parameters.to_vector(), atol=1e-2, rtol=1e-4
    )


def test_the_camera_of_the_fitted_shape_beats_that_of_the_mean_shape():
    wide_open = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    turns = {0: 0.0, 12: 0.0}
    for seed in range(6):
        given = scene(seed=seed, expression=wide_open, noise=0.5)
        for steps in turns:
            got = fitted(given, iterations=steps).parameters
            turns[steps] += turn_between(got.rotation, given.parameters.rotation)
    assert turns[12] < 0.3 * turns[0]


def test_a_few_wrong_points_are_seen_through():
    given = scene(noise=0.3, seed=2)
    clean = vertex_error(given, fitted(given))
    offset = torch.tensor([40.0, -25.0])
    given.landmarks = with_points(
        given.landmarks, lambda points: torch.cat([points[:6] + offset, points[6:]])
    )
    assert vertex_error(given, fitted(given)) < 2 * clean + 0.2
    assert vertex_error(given, fitted(given, robust=1e6)) > 4 * clean


def test_absent_points_may_hold_anything():
    given = scene()
    confidence = torch.ones(80)
    confidence[:5] = 0
    given.landmarks = replace(given.landmarks, confidence=confidence)
    given.landmarks.points[:5] = math.nan
    given.landmarks.depth[:5] = math.inf
    result = fitted(given)
    assert result.converged
    assert vertex_error(given, result) < 1e-2


def test_how_far_points_are_trusted_does_not_matter_when_they_are_exact():
    given = scene(seed=1)
    skin = given.model.landmarks["toy"]
    doubtful = replace(skin, confidence=torch.linspace(0.05, 1.0, 80))
    model = replace(given.model, landmarks={"toy": doubtful})
    result = fit_linear(model, given.landmarks, size=SIZE, focal=900.0)
    assert vertex_error(given, result) < 1e-3


def test_an_open_head_is_given_back_by_exact_landmarks():
    model = load_model()
    quiet = torch.rand(1, model.expression.rank, generator=torch.Generator().manual_seed(1)) * 0.5
    quiet[0, model.expression.names.index("tongueOut")] = 0  # no landmark shows the tongue
    gaze = torch.tensor([[0.2, -0.1], [0.15, -0.1]])
    given = scene(model, scheme="478", expression=quiet, gaze=gaze)
    result = fitted(given)
    assert result.converged
    assert (vertices(given, result) - given.vertices).norm(dim=-1).max() < 0.1
    torch.testing.assert_close(result.parameters.gaze[0], gaze, atol=1e-3, rtol=0)


def test_sixty_eight_points_without_depth_fit_an_open_head():
    given = scene(load_model(), scheme="68", depth=False, noise=1.0, expression=torch.zeros(1, 52))
    result = fitted(given)
    assert result.converged
    assert result.landmark_nme < 0.03
    assert result.parameters.identity.square().mean().sqrt() < 1.2
    assert turn_between(result.parameters.rotation, given.parameters.rotation) < math.radians(4)


def test_three_points_are_too_few_and_say_so():
    given = scene()
    given.landmarks = replace(given.landmarks, confidence=(torch.arange(80) < 3).float())
    result = fitted(given)
    assert not result.converged
    assert result.reason == "only 3 landmarks can be used, a pose needs 4"


def test_points_that_are_no_face_do_not_converge_and_stay_inside_the_ellipsoid():
    given = scene()
    noise = torch.rand(80, 2, generator=torch.Generator().manual_seed(5)) * 400
    given.landmarks = replace(given.landmarks, points=noise, depth=None)
    result = fitted(given)
    assert not result.converged
    assert result.reason
    radius = math.sqrt(6 + 4 * math.sqrt(12))
    assert result.parameters.identity.norm() <= radius * 1.001


def test_an_impossible_person_is_reported_as_such():
    given = scene()
    given.parameters = replace(given.parameters, identity=torch.full((1, 6), 4.0))
    far = scene(given.model)
    shape = given.model.vertices(given.parameters.identity, far.parameters.expression)
    points = given.model.landmarks["toy"].points(shape) + torch.tensor([0.0, 0.0, -700.0])
    screen = far.camera.project(points)[0]
    marks = replace(far.landmarks, points=screen[:, :2], depth=None)
    result = fit_linear(given.model, marks, size=SIZE, focal=900.0)
    assert not result.converged
    assert "ellipsoid" in result.reason


def test_landmark_nme_is_the_mean_distance_over_the_stated_width():
    given = scene(noise=1.0)
    result = fitted(given)
    mean = (result.predicted - given.landmarks.points).norm(dim=-1).mean().item()
    extent = given.landmarks.points
    width = (extent.amax(0) - extent.amin(0)).max().item() / 2
    assert result.landmark_nme == pytest.approx(mean / width, rel=1e-4)
    torch.testing.assert_close(result.residuals, result.predicted - given.landmarks.points)


def test_the_result_projects_as_the_model_and_camera_say():
    given = scene(model_with_eyes(), noise=1.0, gaze=torch.full((2, 2), 0.2))
    result = fitted(given)
    p = result.parameters
    points = given.model.landmarks["toy"].points(vertices(given, result))
    screen = result.camera.project(to_camera(points, p.rotation[0], p.translation[0]))
    torch.testing.assert_close(result.predicted, screen[:, :2], atol=1e-2, rtol=0)


def test_a_model_without_reflectance_gives_parameters_without():
    given = scene()
    given.model = replace(given.model, reflectance=None)
    assert fitted(given).parameters.reflectance.shape == (1, 0)


def test_the_weighted_residual_falls_on_exact_points():
    history = fitted(scene()).history
    assert history[-1] < 1e-3 * history[0]


@pytest.mark.refusal
def test_a_scheme_without_embedding_is_refused():
    given = scene()
    with pytest.raises(ModelError, match=r"no embedding of landmark scheme '68'"):
        fit_linear(given.model, replace(given.landmarks, scheme="68"), size=SIZE)


@pytest.mark.refusal
def test_a_point_that_is_not_a_number_is_refused():
    given = scene()
    given.landmarks.points[7] = math.nan
    with pytest.raises(ParameterError, match=r"landmarks.points must be finite, but 2 of 160"):
        fitted(given)


@pytest.mark.refusal
def test_no_points_are_refused():
    given = scene()
    none = replace(given.landmarks, points=torch.zeros(0, 2), confidence=torch.zeros(0), depth=None)
    with pytest.raises(LandmarkError, match="landmarks must have at least one point"):
        fit_linear(given.model, none, size=SIZE)


@pytest.mark.refusal
def test_a_wrong_number_of_points_is_refused():
    given = scene()
    half = replace(
        given.landmarks,
        points=given.landmarks.points[:40],
        confidence=torch.ones(40),
        depth=None,
    )
    with pytest.raises(LandmarkError, match=r"scheme 'toy' must have 80 points, got 40"):
        fit_linear(given.model, half, size=SIZE)


@pytest.mark.refusal
@pytest.mark.parametrize("focal", [0.0, -5.0, math.nan, math.inf, 1e12, "abcmm", "1mm"])
def test_a_focal_length_that_is_none_is_refused(focal):
    given = scene()
    with pytest.raises(ParameterError, match="focal must be 0.2 to 50 times"):
        fit_linear(given.model, given.landmarks, size=SIZE, focal=focal)


@pytest.mark.refusal
def test_an_identity_that_is_none_of_the_model_is_refused():
    given = scene()
    rank = given.model.identity.rank
    with pytest.raises(ShapeError, match=rf"identity must have shape .*{rank}.*, got \(2,\)"):
        fit_linear(given.model, given.landmarks, size=SIZE, identity=torch.zeros(2))
    broken = torch.full((rank,), float("nan"))
    with pytest.raises(ParameterError, match="identity must be finite"):
        fit_linear(given.model, given.landmarks, size=SIZE, identity=broken)


@pytest.mark.refusal
def test_senseless_settings_are_refused():
    with pytest.raises(ParameterError, match="tolerance must not be negative, got -1"):
        LinearSettings(tolerance=-1)
    with pytest.raises(ParameterError, match="robust must be positive, got 0"):
        LinearSettings(robust=0)


def test_points_on_one_spot_are_no_face():
    given = scene()
    spot = replace(given.landmarks, points=torch.full((80, 2), 50.0), depth=None)
    result = fit_linear(given.model, spot, size=SIZE)
    assert not result.converged
    assert result.reason == "the landmarks lie on one spot"


def test_points_on_a_line_do_not_give_a_trusted_face():
    given = scene()
    line = torch.linspace(10, 400, 80)[:, None] * torch.tensor([1.0, 0.5])
    result = fit_linear(given.model, replace(given.landmarks, points=line, depth=None), size=SIZE)
    assert not result.converged
    assert result.reason
    assert result.parameters.to_vector().isfinite().all()
