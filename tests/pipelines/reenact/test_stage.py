"""What is behind a made crop, and whose sound goes with it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from morphface.pipelines.reenact import open_run
from morphface.pipelines.reenact.beside import Beside
from morphface.pipelines.reenact.look import Look, Motion
from morphface.pipelines.reenact.run import Made
from morphface.pipelines.reenact.sound import Sound
from morphface.pipelines.reenact.stage import Stage
from tests.pipelines.reenact.conftest import FRAMES, SIZE, grey


@pytest.fixture
def opened(run):
    return open_run(run)


def test_the_frame_behind_goes_with_the_made_head(opened):
    across = torch.arange(float(SIZE[1])).expand(SIZE)[..., None].expand(*SIZE, 3)
    face = opened.target.track.parameters[:1]
    aside = torch.tensor([[20.0, 0, 0]])  # millimetres to the right
    motion = Motion(
        replace(face, translation=face.translation + aside), torch.tensor([0]), torch.zeros(1), 25.0
    )
    clip = [across / SIZE[1]]
    stage = Stage(opened, motion, clip, False, "")
    made = opened.target.crop.apply(clip[0])
    above = stage.finished(0, made)[2, 26, 0] * SIZE[1]  # beyond the crop, which begins at row 4
    assert 20 < above < 25.5


def test_sound_begins_where_the_frames_do(opened):
    rows, times = torch.tensor([5, 6]), torch.tensor([0.4, 0.44])
    motion = Motion(opened.target.track.parameters[5:7], rows, times, 25.0, video=Path("talk.mp4"))
    clip = SimpleNamespace(path=Path("person.mp4"))
    stage = Stage(opened, motion, clip, False, "")
    assert opened.target.track.frames == FRAMES
    found = {whose: Sound.of(stage, Look(sound=whose)) for whose in ("driver", "target")}
    assert (found["driver"].path, found["driver"].begin) == (Path("talk.mp4"), pytest.approx(0.4))
    assert (found["target"].path, found["target"].begin) == (clip.path, pytest.approx(0.2))


def test_the_comparison_shows_driver_and_target_of_each_frame(opened, clip):
    rows, times = torch.tensor([3, 9]), torch.tensor([0.2, 0.4])
    face = opened.target.track.parameters[rows[0] : rows[0] + 2]
    motion = Motion(face, rows, times, 25.0, video=clip)
    greys = {k: torch.full((*SIZE, 3), grey(k)) for k in range(FRAMES)}
    beside = Beside(Stage(opened, motion, greys, False, ""))
    made = Made(torch.zeros(32, 32, 3), next(opened.maps(face)))
    for k, (source, target) in enumerate(((5, 3), (10, 9))):
        row = beside.panels(k, made)
        assert row.shape == (256, 6 * 256, 3)
        assert row[128, 128, 0].item() == pytest.approx(grey(source), abs=0.02)
        assert row[100, 384, 0].item() == pytest.approx(grey(target), abs=0.02)
