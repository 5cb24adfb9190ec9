from dataclasses import replace

import pytest
import torch

from morphface.core.errors import NoFaceError, ParameterError
from morphface.fit.verdict import person_quality
from morphface.fit.video import TrackCollector, fit_video, look_back, track_people
from morphface.parameters import LOST, PREDICTED, TRACKED, Reason
from tests.fit.video.clip import KnowingDetector, clip, marks, moving, picture

COUNT = 14


@pytest.fixture(scope="module")
def face():
    return moving(COUNT)


@pytest.fixture(scope="module")
def frames(model, face):
    return clip(model, [face])


def run(frames, model, people, settings, *, hidden=(), keys=True):
    detector = KnowingDetector(model, people, hidden)
    keys = frames[::4] if keys else None
    return track_people(
        fit_video(frames, model, key_frames=keys, settings=settings, detector=detector)
    )


def turn_error(found, true):
    return float((found.rotation - true.rotation).norm(dim=1).max())


@pytest.mark.parametrize("stage", ["linear", "pixels"])
def test_known_motion_is_found_in_every_frame(model, face, frames, quick, stage):
    (track,) = run(frames, model, [face], replace(quick, stage=stage)).values()
    assert track.states.tolist() == [TRACKED] * COUNT
    assert track.indices.tolist() == list(range(COUNT))
    assert turn_error(track.parameters, face) < (0.08 if stage == "linear" else 0.05)
    assert float((track.parameters.expression - face.expression).abs().mean()) < 0.16
    assert float(track.landmark_nme.max()) < 0.02


def test_pixels_find_light_and_colours_that_explain_the_frames(model, face, frames, quick):
    tracked = list(
        fit_video(
            frames,
            model,
            key_frames=frames[::4],
            settings=quick,
            detector=KnowingDetector(model, [face]),
        )
    )
    person = tracked[0].faces[0].person
    assert max(one.faces[0].photometric_rmse for one in tracked) < 0.03
    light = torch.stack([one.faces[0].parameters.illumination[0] for one in tracked])
    assert float((light - face.illumination).abs().mean()) < 0.1
    albedo = model.albedo(face.reflectance)[0]
    assert float((person.albedo - albedo).abs().mean()) < 0.1


def test_a_stream_gives_what_a_list_gives(model, face, frames, quick):
    (batch,) = run(frames, model, [face], quick, keys=False).values()
    (stream,) = run(iter(frames), model, [face], quick, keys=False).values()
    assert torch.equal(batch.parameters.to_vector(), stream.parameters.to_vector())
    assert torch.equal(batch.boxes, stream.boxes)


def test_a_stream_is_read_only_a_few_frames_ahead(model, face, frames, linear):
    taken = []

    def source():
        for frame in frames:
            taken.append(frame.index)
            yield frame

    linear = replace(linear, first_frames=3, ahead=2)
    stream = fit_video(source(), model, settings=linear, detector=KnowingDetector(model, [face]))
    next(stream)
    assert len(taken) <= 3 + 2 + 2
    stream.close()
    assert len(taken) < COUNT


def test_nothing_of_a_frame_is_kept_but_numbers(model, face, frames, linear):
    collector = TrackCollector()
    detector = KnowingDetector(model, [face])
    for tracked in fit_video(frames, model, settings=linear, detector=detector):
        collector.add(tracked)
    kept = [row for rows in collector._rows.values() for row in rows]
    assert len(kept) == COUNT
    assert max(row.nbytes for row in kept) < 500
    assert all(row.base is None for row in kept)


def test_a_face_that_is_missed_is_predicted_then_lost_then_found(model, quick):
    face = moving(24)
    frames = clip(model, [face])
    settings = replace(quick, predicted_frames=3)
    hidden = [*range(6, 8), *range(11, 18)]
    (track,) = run(frames, model, [face], settings, hidden=hidden).values()
    states = track.states.tolist()
    assert states[:8] == [TRACKED] * 6 + [PREDICTED] * 2
    assert states[11:18] == [PREDICTED] * 3 + [LOST] * 4
    assert states[18:] == [TRACKED] * 6
    assert turn_error(track.parameters[6:8], face[6:8]) < 0.08
    assert track.boxes[14:18].isnan().all()
    assert track.landmark_nme[6:8].isnan().all()


def test_where_pixels_do_not_agree_nothing_is_predicted(model, face, frames, quick):
    empty = [replace(f, photo=picture(model, [], f.index)) if f.index > 8 else f for f in frames]
    (track,) = run(empty, model, [face], quick, hidden=range(9, COUNT)).values()
    assert track.states.tolist() == [TRACKED] * 9 + [LOST] * (COUNT - 9)


def test_what_does_not_look_like_the_person_is_not_the_person(model, face, frames, quick):
    empty = [replace(f, photo=picture(model, [], f.index)) if f.index > 8 else f for f in frames]
    (track,) = run(empty, model, [face], quick).values()
    assert track.states.tolist()[9:] == [LOST] * (COUNT - 9)


def test_two_people_who_cross_keep_their_numbers(model, linear):
    count = 24
    left = moving(count, seed=1, x=-60.0, speed=60.0)
    right = moving(count, seed=2, x=60.0, speed=-60.0, depth=-460.0)
    frames = clip(model, [left, right])
    detector = KnowingDetector(model, [left, right])
    detector.hide(1, range(10, 15))
    settings = replace(linear, people=2)
    tracks = track_people(
        fit_video(frames, model, key_frames=frames[::6], settings=settings, detector=detector)
    )
    assert len(tracks) == 2
    for track in tracks.values():
        seen = track.states == TRACKED
        first = left if float(track.parameters.translation[0, 0]) < 0 else right
        moved = (track.parameters.translation - first.translation)[seen, 0].abs()
        assert float(moved.max()) < 30.0
        assert int(seen.sum()) >= count // 2  # who is behind cannot be seen
        assert track.states[-1] == TRACKED
    starts = [float(track.parameters.translation[0, 0]) for track in tracks.values()]
    assert min(starts) < 0 < max(starts)


def test_a_cut_ends_the_shot_and_loses_everybody(model, face, frames, quick):
    other = torch.rand(72, 96, 3, generator=torch.Generator().manual_seed(0))
    other = (other > 0.5).float() * torch.tensor([1.0, 0.1, 0.2])
    cut = [
        replace(f, photo=type(f.photo)((other * 255).byte())) if f.index >= 9 else f for f in frames
    ]
    detector = KnowingDetector(model, [face], hidden={0, 25, 255})
    tracked = list(fit_video(cut, model, key_frames=frames[1:8], settings=quick, detector=detector))
    assert [one.shot for one in tracked] == [0] * 9 + [1] * (COUNT - 9)
    assert [one.faces[0].state for one in tracked][9:] == [LOST] * (COUNT - 9)


def test_somebody_who_comes_late_was_lost_before(model, face, frames, linear):
    (track,) = run(frames, model, [face], linear, hidden=range(5), keys=False).values()
    assert track.states.tolist() == [LOST] * 5 + [TRACKED] * (COUNT - 5)
    assert torch.equal(track.parameters.rotation[0], track.parameters.rotation[5])


def test_what_breaks_while_frames_are_read_is_raised(model, face, frames, linear):
    def broken():
        yield from frames[:7]
        raise OSError("the cable fell out")

    stream = fit_video(broken(), model, settings=linear, detector=KnowingDetector(model, [face]))
    seen = []
    with pytest.raises(OSError, match="the cable fell out"):
        seen.extend(stream)


def test_a_person_whose_colours_nothing_explains_is_tracked_by_landmarks(
    model, face, frames, quick
):
    strict = replace(quick, photometric=replace(quick.photometric, largest_rmse=1e-4))
    (track,) = run(frames, model, [face], strict).values()
    assert track.states.tolist() == [TRACKED] * COUNT
    assert turn_error(track.parameters, face) < 0.08


def green(frame):
    pixels = (frame.photo.pixels * 255).round().byte()
    pixels[44:, 44:] = torch.tensor([25, 230, 51], dtype=torch.uint8)
    return replace(frame, photo=type(frame.photo)(pixels))


@pytest.mark.parametrize("stage", ["linear", "pixels"])
def test_a_track_knows_in_how_many_frames_pixels_had_no_say(model, face, frames, quick, stage):
    changed = [green(f) if f.index in (5, 6) else f for f in frames]
    wishes = replace(quick, stage=stage, predicted_frames=0)
    collector, detector = TrackCollector(), KnowingDetector(model, [face], {9})
    for one in fit_video(
        changed, model, key_frames=frames[::4], settings=wishes, detector=detector
    ):
        collector.add(one)
    found, track = collector.measures(0), collector.track(0)
    assert [k for k in range(COUNT) if track.states[k] == LOST] == [9]
    assert found.blind == pytest.approx(1.0 if stage == "linear" else 2 / 13)
    assert found.usual == collector.people[0].nme
    around = [1 / (min(k + 13, COUNT) - max(k - 12, 0)) for k in range(COUNT) if k != 9]
    assert found.lost == pytest.approx(sum(around) / 13)
    assert track.quality == (None if stage == "linear" else pytest.approx(person_quality(found)))


def dimmed(frame, share):
    pixels = (frame.photo.pixels * share * 255).round().byte()
    pixels[0, 0] = frame.index
    return replace(frame, photo=type(frame.photo)(pixels))


@pytest.mark.parametrize("share", [0.25, torch.tensor([0.9, 0.6, 0.3])])
def test_a_face_in_another_exposure_or_tint_is_tracked_by_its_pixels(
    model, face, frames, quick, share
):
    changed = [dimmed(f, share) if f.index > 6 else f for f in frames]
    (track,) = run(changed, model, [face], quick).values()
    assert track.states.tolist() == [TRACKED] * COUNT
    assert not track.reasons.any()
    assert turn_error(track.parameters, face) < 0.05


def test_the_person_is_made_of_the_bright_frames_of_a_fade(model, face, frames, quick):
    fade = [dimmed(f, min(1.0, 0.05 + f.index / 6)) for f in frames]
    (track,) = run(fade, model, [face], quick).values()
    assert track.states.tolist() == [TRACKED] * COUNT


def test_another_person_at_the_same_place_is_another_person(model, face, frames, linear):
    other = moving(COUNT, seed=5)
    cut = frames[:7] + clip(model, [other])[7:]
    both = replace(
        face,
        **{
            name: torch.cat([getattr(face, name)[:7], getattr(other, name)[7:]])
            for name in ("expression", "rotation", "translation")
        },
    )
    detector = KnowingDetector(model, [both])
    detector._found[0][7:] = [marks(model, other, k) for k in range(7, COUNT)]
    settings = replace(linear, people=2)
    tracks = track_people(fit_video(cut, model, settings=settings, detector=detector))
    assert [track.states.tolist() for track in tracks.values()] == [
        [TRACKED] * 7 + [LOST] * 7,
        [LOST] * 8 + [TRACKED] * 6,
    ]
    assert Reason.ANOTHER in tracks[0].reasons[7:].tolist()


def test_who_was_seen_late_is_found_in_the_frames_before(model, face, frames, linear):
    collector = TrackCollector()
    late = KnowingDetector(model, [face], hidden=range(6))
    for tracked in fit_video(frames, model, settings=linear, detector=late):
        collector.add(tracked)
    assert collector.track().states.tolist() == [LOST] * 6 + [TRACKED] * (COUNT - 6)

    found = look_back(frames, collector, linear, KnowingDetector(model, [face]))
    assert found == 6
    assert collector.track().states.tolist() == [TRACKED] * COUNT
    assert turn_error(collector.track().parameters, face) < 0.08


@pytest.mark.refusal
def test_a_video_without_a_face_has_no_track(model, frames, linear):
    collector = TrackCollector()
    for tracked in fit_video(frames, model, settings=linear, detector=KnowingDetector(model, [])):
        assert tracked.faces == ()
        collector.add(tracked)
    with pytest.raises(NoFaceError, match="no face was found in 14 frames"):
        collector.track()


@pytest.mark.refusal
def test_a_number_of_nobody_is_refused(model, face, frames, linear):
    collector = TrackCollector()
    detector = KnowingDetector(model, [face])
    for tracked in fit_video(frames[:6], model, settings=linear, detector=detector):
        collector.add(tracked)
    with pytest.raises(ParameterError, match="there is no person 3: 1 were found"):
        collector.track(3)


@pytest.mark.refusal
def test_key_frames_of_two_sizes_are_refused(model, frames):
    small = replace(frames[0], photo=type(frames[0].photo)(torch.zeros(8, 8, 3)))
    with pytest.raises(ParameterError, match="key_frames must have the size of the video"):
        fit_video(frames, model, key_frames=[frames[0], small])


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"stage": "magic"}, "stage must be one of linear, pixels, got 'magic'"),
        ({"people": 0}, "people must be positive, got 0"),
        ({"predicted_frames": -1}, "predicted_frames must not be negative"),
    ],
)
def test_impossible_settings_are_refused(quick, wish, message):
    with pytest.raises(ParameterError, match=message):
        replace(quick, **wish)
