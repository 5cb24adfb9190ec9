"""Pairs of pictures of people that nobody is."""

import pickle

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate import Takes, stacked_takes
from morphface.generate.bridge import TAUGHT
from morphface.generate.reference import Reference
from morphface.geometry.angles import rotvec_to_angles
from morphface.models import load_model
from morphface.render import warp_by_flow
from morphface.synthetic import SyntheticFilms, SyntheticPeople, photograph
from morphface.synthetic.light import Exposure
from morphface.synthetic.people import TOGETHER

PLAIN = Exposure(torch.ones(3), 0.0, 0)


def channels_last(values):
    return values.permute(0, 2, 3, 1)


def test_they_are_takes_of_shapes_that_stack(people):
    assert isinstance(people, Takes)
    both = stacked_takes([people.take(0, 4), people.take(1, 4)])
    assert both.window.shape == (2, 9, 64, 64)
    assert both.references[0].flow.shape == (2, 2, 64, 64)


def test_the_same_number_is_the_same_take_in_any_order(people):
    other = pickle.loads(pickle.dumps(people))
    last = other.take(9)
    torch.testing.assert_close(people.take(9).frame, last.frame, rtol=0, atol=0)
    torch.testing.assert_close(people.take(9).window, last.window, rtol=0, atol=0)
    assert not torch.equal(SyntheticPeople(4, 64, frames=3).take(9).frame, last.frame)


def test_a_batch_shows_different_people_and_a_life_has_all_ordered_pairs(people):
    assert len({people.take(number).person for number in range(8)}) == 8
    pairs = {
        (float(take.frame.sum()), float(take.references[0].photo.sum()))
        for take in (people.take(8 * turn) for turn in range(6))
    }
    assert len(pairs) == 6
    assert len({frame for frame, _ in pairs}) == 3
    assert all(frame != photo for frame, photo in pairs)


def test_twins_differ_in_the_jaw_alone():
    people = SyntheticPeople(3, 32, frames=4, maps=(), offsets=(0,), jaws=True)
    poses = people.scene(0).poses
    jaw = load_model().expression.names.index("jawOpen")
    rest = [k for k in range(poses.expression.shape[1]) if k != jaw]
    for k in (0, 2):
        one, two = poses[k], poses[k + 1]
        assert float((one.expression - two.expression)[0, jaw].abs()) > 1e-3
        torch.testing.assert_close(one.expression[:, rest], two.expression[:, rest])
        torch.testing.assert_close(one.rotation, two.rotation)
        torch.testing.assert_close(one.translation, two.translation)
    assert not torch.equal(poses[0].rotation, poses[2].rotation)


def test_films_have_one_person_who_moves_little_from_frame_to_frame():
    films = SyntheticFilms(3, 32, frames=4, longest=3)
    assert isinstance(films, Takes)
    first = films.take(0, 3)
    assert first.frame.shape == (3, 3, 32, 32)
    assert torch.equal(films.take(TOGETHER, 2).frame, first.frame[1:])  # the same person, later
    other = films.take(1, 3)
    assert first.person != other.person
    near = float((first.frame[0] - first.frame[1]).abs().mean())
    assert 0 < near < 0.5 * float((first.frame[0] - other.frame[0]).abs().mean())


@pytest.mark.refusal
def test_films_shorter_than_a_take_are_refused():
    with pytest.raises(ParameterError, match="frames must be as many as longest or more"):
        SyntheticFilms(frames=2)


def test_the_flow_carries_maps_of_the_photo_to_those_of_the_frame(people):
    take = people.pair(0, 0, 1)
    reference = take.references[0]
    assert isinstance(reference, Reference)
    flow = channels_last(reference.flow)
    moved = warp_by_flow(channels_last(reference.maps), flow)
    trusted = (reference.valid[0, 0] > 0.99) & (take.window[0, -3:].sum(0) > 0)
    error = (moved - channels_last(take.window[:, -3:]))[0][trusted].abs()
    copied = channels_last(reference.maps - take.window[:, -3:])[0][trusted].abs()
    assert error.median() < 0.004
    assert error.median() < 0.25 * copied.median()


def test_takes_have_as_many_photos_and_points_as_are_wanted():
    people = SyntheticPeople(3, 32, frames=3, maps=("depth", "mask"), photos=2, points=4)
    take = people.take(5)
    assert len(take.references) == 2
    photos = [one.photo for one in take.references]
    assert not torch.equal(photos[0], photos[1])
    assert all(not torch.equal(photo, take.frame) for photo in photos)
    here, there = take.style.unflatten(1, (4, 8))[0, :, :4].split(2, dim=1)
    flow = take.references[0].flow[0]
    for point, goal in zip(here, there, strict=True):
        x, y = ((point + 1) * 16).long().tolist()
        torch.testing.assert_close((goal - point) * 16, flow[:, y, x], rtol=0, atol=1.5)
    with pytest.raises(ParameterError, match="photos must be from 1 to 2, one less than the frame"):
        SyntheticPeople(3, 32, frames=3, photos=3)


def test_takes_know_what_moves_about_their_frame(people):
    scene, names = people.scene(0), list(TAUGHT)
    angles = rotvec_to_angles(scene.poses.rotation)
    for target in (1, 2):
        named = people.pair(0, 0, target).named[0]
        for name, angle in zip(("yaw", "pitch", "roll"), angles[target], strict=True):
            torch.testing.assert_close(named[names.index(name)] * TAUGHT[name], angle)


def test_hair_stands_off_the_scalp_within_the_matte(people):
    found = [people.scene(who) for who in range(6)]
    haired = [scene for scene in found if scene.shots[0].hair.sum() > 100]
    assert len(haired) >= 3
    for scene in haired:
        shot = scene.shots[0]
        assert (shot.hair <= shot.matte + 1e-5).all()
    beyond = [float((s.shots[0].hair * (s.windows[0, -3:].sum(0) == 0)).sum()) for s in haired]
    assert max(beyond) > 50


def test_the_matte_is_where_the_wall_does_not_show(people):
    scene = people.scene(1)
    shot = photograph(scene.person, scene.poses[0], PLAIN)
    other = photograph(
        type(scene.person)(**{**vars(scene.person), "wall": 1 - scene.person.wall}),
        scene.poses[0],
        PLAIN,
    )
    change = (other.image - shot.image).abs().amax(-1)
    assert change[shot.matte > 0.999].max() == 0
    wall = (scene.person.wall - 0.5).abs().amin() * 2
    assert change[shot.matte < 0.001].min() >= 0.5 * wall


def test_exposure_and_white_balance_differ_between_frames_of_a_person(people):
    scene = people.scene(2)
    corners = torch.stack([shot.image[:8, :8].mean((0, 1)) for shot in scene.shots])
    assert (corners.std(0) > 0.003).any()


def test_gains_spread_as_is_said():
    from morphface.synthetic import Dice
    from morphface.synthetic.light import BALANCE, BRIGHTNESS, TINT, random_exposure

    gains = torch.stack([random_exposure(Dice(0, k)).gain.log() for k in range(400)])
    whole = (BRIGHTNESS**2 + TINT**2 / 3) ** 0.5
    across = (4 * BALANCE**2 + 2 * TINT**2) ** 0.5
    assert float(gains.mean(1).std()) == pytest.approx(whole, rel=0.15)
    assert float((gains[:, 0] - gains[:, 2]).std()) == pytest.approx(across, rel=0.15)


def test_all_tones_of_skin_are_there():
    from morphface.models import load_model
    from morphface.synthetic import Dice
    from morphface.synthetic.person import random_skin

    model, skin = load_model(), []
    for number in range(60):
        albedo = model.albedo(random_skin(model, Dice(0, number)))[0]
        skin.append(albedo[model.regions["cheeks"] > 0.5].mean(0))
    light = torch.stack(skin).mean(-1)
    assert light.min() < 0.3
    assert light.max() > 0.6
    assert (light > light.mean()).float().mean() > 0.35  # neither end is rare
    red, green, blue = torch.stack(skin).unbind(-1)
    assert ((red > green) & (green > blue)).float().mean() > 0.9


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 8}, "size must be from 16 to 1024 pixels, got 8"),
        ({"frames": 1}, "frames must be 2 or more, for pairs of them, got 1"),
        ({"offsets": (-1, 1)}, r"offsets must rise to 0, got \(-1, 1\)"),
        ({"maps": ("diffuse",)}, "maps must be of correspondence, gaze, depth, mask, got diffuse"),
    ],
)
def test_what_makes_no_sense_is_refused(options, text):
    with pytest.raises(ParameterError, match=text):
        SyntheticPeople(0, **options)
