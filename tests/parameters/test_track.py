from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from morphface.core.errors import MissingFileError, ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.parameters import LOST, PREDICTED, TRACKED, Track, load_track, save_track
from tests.parameters.test_io import random_face, rewrite

STORED = Path(__file__).parents[1] / "stored" / "track_v1.npz"
OWN = ("states", "times", "indices", "landmark_nme", "boxes")


def a_track(rng, frames=4):
    return Track(
        parameters=random_face(rng, frames),
        camera=Camera.facing((480, 640)),
        states=torch.tensor([TRACKED, PREDICTED, LOST, TRACKED])[:frames],
        times=torch.arange(frames, dtype=torch.float64) / 25 + 1000.0,
        indices=torch.arange(frames) * 2,
        landmark_nme=torch.tensor([0.02, torch.nan, torch.nan, 0.03])[:frames],
        boxes=torch.rand(frames, 4, generator=rng),
    )


@pytest.fixture
def stored(rng, tmp_path):
    save_track(tmp_path / "track.npz", a_track(rng), model="toy")
    return tmp_path / "track.npz"


def same(a, b):
    return all(
        torch.equal(getattr(a, name).nan_to_num(-1.0), getattr(b, name).nan_to_num(-1.0))
        for name in OWN
    )


def test_load_returns_exactly_what_was_saved(rng, tmp_path):
    track = a_track(rng)
    save_track(tmp_path / "a.npz", track, model="toy", extra={"person": 1})
    got, header = load_track(tmp_path / "a.npz")
    assert same(got, track)
    assert torch.equal(got.parameters.to_vector(), track.parameters.to_vector())
    assert torch.equal(got.camera.focal, track.camera.focal)
    assert got.camera.size == (480, 640)
    assert (header["model"], header["extra"]) == ("toy", {"person": 1})
    assert "screen" in header["conventions"]


def test_warnings_are_kept_with_the_frames_it_is_of(rng, tmp_path):
    nan = torch.nan
    track = replace(a_track(rng), warnings={"cut": torch.tensor([nan, 0.3, nan, nan])})
    save_track(tmp_path / "track.npz", track, model="toy")
    again, _ = load_track(tmp_path / "track.npz")
    assert list(again.warnings) == ["cut"]
    assert torch.equal(again[1:3].warnings["cut"].nan_to_num(-1), torch.tensor([0.3, -1.0]))
    unjudged = tmp_path / "unjudged.npz"
    save_track(unjudged, a_track(rng), model="toy")
    assert load_track(unjudged)[0].warnings is None


def test_a_track_keeps_its_quality_and_so_do_parts_of_it(rng, tmp_path):
    track = replace(a_track(rng), quality=0.72)
    save_track(tmp_path / "track.npz", track, model="toy")
    again, _ = load_track(tmp_path / "track.npz")
    assert again.quality == pytest.approx(0.72)
    assert again[1:3].quality == again.quality
    save_track(tmp_path / "unknown.npz", a_track(rng), model="toy")
    assert load_track(tmp_path / "unknown.npz")[0].quality is None


@pytest.mark.refusal
@pytest.mark.parametrize("quality", [1.5, -0.1, float("nan")])
def test_a_quality_that_is_no_share_is_refused(rng, quality):
    with pytest.raises(ParameterError, match=f"quality must be from 0 to 1, got {quality:g}"):
        replace(a_track(rng), quality=quality)


@pytest.mark.refusal
def test_a_quality_that_is_no_number_is_refused(stored):
    rewrite(stored, quality=np.array([0.5, 0.6]))
    with pytest.raises(ParameterError, match="is not usable: quality must be one number"):
        load_track(stored)


@pytest.mark.refusal
def test_warnings_of_other_frames_are_refused(rng):
    with pytest.raises(ShapeError, match="warning_cut must have shape"):
        replace(a_track(rng), warnings={"cut": torch.zeros(3)})


def test_times_keep_microseconds_in_long_videos(rng, tmp_path):
    track = replace(a_track(rng), times=torch.arange(4, dtype=torch.float64) * 1e-6 + 1e5)
    save_track(tmp_path / "a.npz", track, model="toy")
    assert torch.equal(load_track(tmp_path / "a.npz")[0].times, track.times)


def test_a_part_of_a_track_has_the_rows_of_its_frames(rng):
    track = a_track(rng)
    part = track[1:3]
    assert part.frames == 2
    assert part.indices.tolist() == [2, 4]
    assert torch.equal(part.parameters.rotation, track.parameters.rotation[1:3])
    assert torch.equal(track[-1].boxes, track.boxes[3:])


def test_states_are_counted(rng):
    assert [a_track(rng).count(state) for state in (TRACKED, PREDICTED, LOST)] == [2, 1, 1]


@pytest.mark.parametrize("version", [1, 2])
def test_the_stored_examples_still_read(version):
    track, header = load_track(STORED.with_name(f"track_v{version}.npz"))
    assert header["version"] == version
    assert track.states.tolist() == [TRACKED, PREDICTED, LOST]
    assert track.indices.tolist() == [10, 12, 14]
    torch.testing.assert_close(track.times, torch.tensor([0.4, 0.48, 0.56], dtype=torch.float64))
    torch.testing.assert_close(track.boxes[0], torch.tensor([10.0, 20.0, 110.0, 140.0]))
    torch.testing.assert_close(track.parameters.rotation[1], torch.tensor([0.1, 0.2, 0.3]))
    assert track.landmark_nme[0] == 0.03125
    assert track.landmark_nme[2].isnan()
    assert track.camera.focal == 600.0


@pytest.mark.refusal
def test_wrong_suffix_is_refused(rng, tmp_path):
    with pytest.raises(ParameterError, match=r"tracks are saved as \.npz, got 'a.txt'"):
        save_track(tmp_path / "a.txt", a_track(rng), model="toy")


@pytest.mark.refusal
def test_missing_and_damaged_files_are_refused(stored, tmp_path):
    with pytest.raises(MissingFileError, match="there is no track file"):
        load_track(tmp_path / "nowhere.npz")
    stored.write_bytes(stored.read_bytes()[:200])
    with pytest.raises(ParameterError, match="is not a track file of morphface, or it is damaged"):
        load_track(stored)


@pytest.mark.refusal
def test_a_parameter_file_is_no_track():
    with pytest.raises(ParameterError, match="but not a track file of morphface"):
        load_track(STORED.with_name("parameters_v1.npz"))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states": None, "times": None}, "lacks states, times"),
        ({"states": np.array([0, 1, 2, 3], np.uint8)}, "states must be 0, 1 or 2, got 3"),
        ({"states": np.zeros(4)}, "states must hold whole numbers, got float64"),
        ({"times": np.zeros(4, int)}, "times must hold floating-point numbers, got int64"),
        ({"times": np.full(4, np.inf)}, "times must be finite"),
        ({"indices": np.array([0, 2, 2, 3])}, "indices must be rising numbers of frames"),
        ({"indices": np.arange(3)}, "indices must have shape"),
        ({"boxes": np.zeros(4, np.float32)}, "boxes must have 2 axes"),
        ({"gaze": None}, "lacks gaze"),
    ],
)
def test_impossible_content_is_refused(stored, changes, message):
    rewrite(stored, **changes)
    with pytest.raises(ParameterError, match=message):
        load_track(stored)


@pytest.mark.refusal
def test_a_camera_for_each_frame_is_refused(rng):
    camera = Camera(torch.ones(4) * 500, torch.zeros(4, 2), (4, 4))
    with pytest.raises(ShapeError, match="camera must be one for all frames, got 4 cameras"):
        replace(a_track(rng), camera=camera)
