"""Laws of smoothing: what is no noise stays, what is noise goes, nothing comes late."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from morphface.core.errors import ParameterError
from morphface.fit.video.rts import measured_noise, smooth_rows
from morphface.fit.video.smoothing import FixedLag, SmoothingSettings, Spread, smooth
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters
from morphface.parameters.track import LOST, PREDICTED, TRACKED, Track
from tests.toy import toy_model

FRAMES = 80
GIVEN = Spread(0.03, 0.01, 0.02, 0.01, 1.0)
KNOWN = SmoothingSettings(noise=GIVEN)


def track(states=None, times=None, **groups) -> Track:
    """A track of neutral faces but for the given groups."""
    frames = len(next(iter(groups.values())))
    face = replace(FaceParameters.neutral(identity=2, expression=4, frames=frames), **groups)
    rows = torch.zeros(frames)
    return Track(
        parameters=face,
        camera=Camera.facing((100, 100)),
        states=torch.zeros(frames, dtype=torch.long) + TRACKED if states is None else states,
        times=torch.arange(frames).double() / 25 if times is None else times,
        indices=torch.arange(frames),
        landmark_nme=rows,
        boxes=rows[:, None].expand(-1, 4),
    )


def noise(*shape: int, size: float, seed: int = 0) -> torch.Tensor:
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def turning(degrees: float, axis=(0.2, 1.0, -0.1), frames: int = FRAMES) -> torch.Tensor:
    """Rotation vectors of an even turn about a fixed axis."""
    along = torch.nn.functional.normalize(torch.tensor(axis), dim=0)
    angles = torch.linspace(0, np.radians(degrees), frames)
    return roma.rotmat_to_rotvec(roma.rotvec_to_rotmat(angles[:, None] * along))


def apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return roma.rotvec_geodesic_distance(a.double(), b.double())


def jitter(values: torch.Tensor) -> float:
    return float(values.diff(n=2, dim=0).abs().mean())


@pytest.mark.parametrize("settings", [SmoothingSettings(), KNOWN])
def test_constants_and_even_motion_stay(settings):
    uneven = torch.cumsum(torch.rand(FRAMES, generator=torch.Generator().manual_seed(2)), 0) / 20
    given = track(
        times=uneven.double(),
        expression=torch.full((FRAMES, 4), 0.3),
        translation=uneven[:, None] * torch.tensor([30.0, -20.0, 5.0]) - 500,
        gaze=(uneven[:, None, None] * 0.1).expand(-1, 2, 2),
    )
    found = smooth(given, settings=settings).parameters
    for name in ("expression", "translation", "gaze", "illumination", "rotation"):
        wanted = getattr(given.parameters, name)
        torch.testing.assert_close(getattr(found, name), wanted, atol=2e-4, rtol=1e-5)


def test_noise_becomes_less_in_every_group():
    given = track(
        expression=0.5 + noise(FRAMES, 4, size=0.03),
        translation=torch.tensor([0.0, 0.0, -600.0]) + noise(FRAMES, 3, size=1.0),
        gaze=noise(FRAMES, 2, 2, size=0.01),
        rotation=turning(30) + noise(FRAMES, 3, size=0.01),
        illumination=noise(FRAMES, 9, 3, size=0.02),
    )
    found = smooth(given)
    for name in ("expression", "translation", "gaze", "rotation", "illumination"):
        before, after = getattr(given.parameters, name), getattr(found.parameters, name)
        assert jitter(after) < 0.35 * jitter(before)
    off = apart(found.parameters.rotation, turning(30)).square().mean().sqrt()
    assert off < 0.75 * apart(given.parameters.rotation, turning(30)).square().mean().sqrt()


def test_nothing_comes_late():
    time = torch.arange(FRAMES) / 25
    wave = 0.4 + 0.3 * torch.sin(2 * np.pi * 1.5 * time)
    given = track(expression=wave[:, None] + noise(FRAMES, 4, size=0.02))
    found = smooth(given).parameters.expression
    wave = wave - wave.mean()
    for column in (found - found.mean(dim=0)).T:
        lags = {lag: float((column.roll(-lag) * wave)[5:-5].sum()) for lag in range(-3, 4)}
        assert max(lags, key=lags.get) == 0


def test_a_blink_keeps_its_depth_and_the_still_frames_around_it_do_not_shake():
    lid = torch.zeros(FRAMES)
    lid[38:44] = torch.tensor([0.3, 0.8, 1.0, 0.9, 0.5, 0.2])
    given = track(expression=(lid[:, None] + 0.1 + noise(FRAMES, 4, size=0.015)).clamp(0, 1))
    found = smooth(given, model=toy_model()).parameters.expression
    assert found[40].min() > 0.85
    assert jitter(found[:36]) < 0.4 * jitter(given.parameters.expression[:36])


def test_a_turn_through_half_a_circle_and_more_is_smooth():
    truth = turning(400)
    shaken = roma.rotvec_composition((noise(FRAMES, 3, size=0.01), truth))
    found = smooth(track(rotation=shaken)).parameters.rotation
    assert apart(found, truth).max() < 0.03
    assert apart(found, truth).mean() < 0.8 * apart(shaken, truth).mean()


def test_smoothing_does_not_depend_on_how_the_camera_is_turned():
    shaken = turning(60) + noise(FRAMES, 3, size=0.01)
    camera = torch.tensor([2.5, -0.7, 0.4]).expand(FRAMES, 3)
    found = smooth(track(rotation=shaken), settings=KNOWN).parameters.rotation
    other = track(rotation=roma.rotvec_composition((camera, shaken)))
    there = smooth(other, settings=KNOWN).parameters.rotation
    assert apart(there, roma.rotvec_composition((camera, found))).max() < 1e-3


def test_time_may_run_backwards():
    given = track(
        expression=0.5 + noise(FRAMES, 4, size=0.05).cumsum(0).mul(0.3).clamp(-0.4, 0.4),
        rotation=turning(50) + noise(FRAMES, 3, size=0.01),
    )
    back = track(**{n: getattr(given.parameters, n).flip(0) for n in ("expression", "rotation")})
    there = smooth(given, settings=KNOWN).parameters
    found = smooth(back, settings=KNOWN).parameters
    torch.testing.assert_close(found.expression.flip(0), there.expression, atol=2e-4, rtol=0)
    assert apart(found.rotation.flip(0), there.rotation).max() < 1e-3


def test_missing_frames_are_bridged_whatever_they_hold():
    truth = turning(40)
    move = torch.linspace(0.1, 0.7, FRAMES)[:, None].expand(-1, 4).clone()
    states = torch.zeros(FRAMES, dtype=torch.long)
    states[30:34], states[60:64] = PREDICTED, LOST
    wrong, stuck = move.clone(), truth.clone()
    wrong[states != TRACKED] = 0.9
    stuck[30:34], stuck[60:64] = truth[29], truth[59]
    found = smooth(track(states, expression=wrong, rotation=stuck), model=toy_model())
    torch.testing.assert_close(found.parameters.expression, move, atol=1e-3, rtol=0)
    assert apart(found.parameters.rotation, truth).max() < 2e-3
    assert torch.equal(found.states, states)


def test_long_gaps_and_the_ends_stay_as_they_are():
    given = track(
        torch.tensor([LOST] * 5 + [TRACKED] * 25 + [LOST] * 30 + [TRACKED] * 15 + [LOST] * 5),
        expression=0.5 + noise(FRAMES, 4, size=0.03),
    )
    found = smooth(given).parameters.expression
    for part in (slice(0, 5), slice(30, 60), slice(75, 80)):
        torch.testing.assert_close(found[part], given.parameters.expression[part])
    assert jitter(found[5:30]) < 0.5 * jitter(given.parameters.expression[5:30])


def test_expressions_stay_in_their_bounds():
    steps = (torch.arange(FRAMES) % 16 < 8).float()[:, None].expand(-1, 4)
    found = smooth(track(expression=steps), model=toy_model(), settings=KNOWN)
    assert found.parameters.expression.min() >= 0
    assert found.parameters.expression.max() <= 1


def test_smoothing_is_the_least_squares_of_jerks_and_errors():
    """Without jumps: an independent solution on cubic pieces between knots of a fine grid."""
    rng = np.random.default_rng(0)
    values, constant = rng.normal(size=(20, 1)).cumsum(0), np.array([0.06])
    times = np.arange(20) / 25
    found, power = smooth_rows(times, values, np.ones(20, dtype=bool), constant, rounds=1)
    rows = [np.eye(40)[:20] * 1.0]
    for k in range(19):
        step = times[k + 1] - times[k]
        move = np.zeros((2, 40))
        move[0, [k + 1, k, 20 + k]] = 1, -1, -step
        move[1, [21 + k, 20 + k]] = 1, -1
        cover = power[k, 0] * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        rows.append(np.linalg.solve(np.linalg.cholesky(cover), move))
    wanted = np.zeros(len(rows[0]) + 38)
    wanted[:20] = values[:, 0]
    truth = np.linalg.lstsq(np.concatenate(rows), wanted, rcond=None)[0][:20]
    np.testing.assert_allclose(found[:, 0], truth, atol=1e-4)


def test_the_noise_is_measured_though_something_moves():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.02, 0.06, 600))
    values = rng.normal(size=(600, 1)) * 0.1 + 3 * times[:, None]
    values[100:160] += np.sin(np.arange(60))[:, None] * 5
    found = measured_noise(times, values, np.ones(600, dtype=bool))
    assert found == pytest.approx(0.1, rel=0.15)


def through(lag: int, given: Track, settings=KNOWN) -> FaceParameters:
    """A track that went through a stream."""
    stream, out = FixedLag(lag, model=toy_model(), settings=settings), []
    for frame in range(given.frames):
        states, times = given.states.tolist(), given.times.tolist()
        done = stream.push(given.parameters[frame], times[frame], states[frame])
        out += [] if done is None else [done]
    rest = stream.flush()
    if rest is not None:
        out += [rest[frame] for frame in range(rest.frames)]
    assert stream.flush() is None
    return replace(
        out[0],
        **{
            name: torch.cat([getattr(one, name) for one in out])
            for name in ("expression", "gaze", "illumination", "rotation", "translation")
        },
    )


@pytest.fixture(scope="module")
def shaken() -> Track:
    states = torch.zeros(FRAMES, dtype=torch.long)
    states[20:23] = LOST
    lid = 0.2 + 0.2 * torch.sin(torch.arange(FRAMES) / 8)[:, None]
    return track(
        states,
        expression=(lid + noise(FRAMES, 4, size=0.03)).clamp(0, 1),
        rotation=turning(90) + noise(FRAMES, 3, size=0.01),
    )


@pytest.mark.parametrize("lag", [FRAMES, FRAMES - 1])
def test_a_lag_as_long_as_the_sequence_is_the_whole_smoother(shaken, lag):
    whole = smooth(shaken, model=toy_model(), settings=KNOWN).parameters
    found = through(lag, shaken)
    torch.testing.assert_close(found.expression, whole.expression, atol=1e-5, rtol=0)
    assert apart(found.rotation, whole.rotation).max() < 1e-3


def test_a_few_frames_of_lag_come_near_to_it_and_none_still_filters(shaken):
    whole = smooth(shaken, model=toy_model(), settings=KNOWN).parameters.expression
    off = [float((through(n, shaken).expression - whole).abs().mean()) for n in (0, 2, 6)]
    assert off[2] < off[1] < off[0]
    assert off[2] < 0.004
    raw = shaken.parameters.expression
    assert jitter(through(0, shaken).expression[25:]) < 0.8 * jitter(raw[25:])


def test_a_track_without_a_tracked_frame_stays():
    given = track(torch.full((6,), LOST), expression=torch.rand(6, 4))
    torch.testing.assert_close(smooth(given).parameters.expression, given.parameters.expression)
    found = through(2, given)
    torch.testing.assert_close(found.expression, given.parameters.expression)


@pytest.mark.refusal
def test_refusals_name_what_is_wrong():
    given = track(expression=torch.zeros(5, 4))
    with pytest.raises(ParameterError, match="times of a track must rise"):
        smooth(replace(given, times=torch.zeros(5).double()))
    with pytest.raises(ParameterError, match="model 'toy' has 3 expressions, but the track has 4"):
        smooth(given, model=toy_model(expression=3))
    with pytest.raises(ParameterError, match="lag must not be negative, got -1"):
        FixedLag(-1)
    stream = FixedLag(1)
    stream.push(given.parameters[0], 0.5)
    with pytest.raises(
        ParameterError, match=r"time must be after that of the last frame, got 0\.5"
    ):
        stream.push(given.parameters[0], 0.5)
    with pytest.raises(ParameterError, match="parameters must be of one frame, got 5"):
        stream.push(given.parameters, 0.6)
    with pytest.raises(ParameterError, match="longest_gap and rounds must be positive"):
        SmoothingSettings(longest_gap=0.0)
    with pytest.raises(ParameterError, match=r"gaze must be positive, got 0\.0"):
        Spread(1.0, 0.0, 1.0, 1.0, 1.0)
