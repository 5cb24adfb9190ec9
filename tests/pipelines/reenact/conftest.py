"""A run of a rendered person, untrained: its folder is what training would leave."""

import pytest
import torch

from morphface.generate.checkpoint import save_generator
from morphface.generate.generator import make_generator
from morphface.geometry.camera import Camera
from morphface.media.shards import open_shards
from morphface.media.shards.durable import file_sha256
from morphface.media.video import VideoWriter
from morphface.parameters import Track, save_track
from morphface.pipelines.reenact.target import write_target
from tests.media.video.clips import pictures, write_clip
from tests.pipelines.rendered_dataset import rendered_dataset, talking

FRAMES = 24
SIZE = (40, 56)


def grey(k):
    """Of frame `k` of the clip."""
    return (k + 1) / (FRAMES + 1)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """What the person was filmed on: frame k is of one grey."""
    path = tmp_path_factory.mktemp("clip") / "person.mp4"
    with VideoWriter(path, SIZE, 25.0, lossless=True) as writer:
        for k in range(FRAMES):
            writer.write(torch.full((*SIZE, 3), grey(k)))
    return path


@pytest.fixture(scope="session")
def shards(tmp_path_factory, clip):
    """The dataset of the clip, which is not beside it."""
    folder = tmp_path_factory.mktemp("away") / "dataset"
    folder.mkdir()
    rendered_dataset(folder, frames=FRAMES)
    shards = open_shards(folder)
    source = {"name": clip.name, "bytes": clip.stat().st_size, "sha256": file_sha256(clip)}
    shards.manifest["clips"][0]["source"] = source
    return shards


@pytest.fixture(scope="session")
def generator():
    torch.manual_seed(0)
    options = {"resolution": 32, "width": 4, "offsets": (-2, -1, 0)}
    made = make_generator("dvp", **options).eval()
    with torch.no_grad():
        for values in made.parameters():
            values.mul_(4 if values.ndim == 4 else 1)  # else it makes one grey of everything
    return made


@pytest.fixture
def run(tmp_path, shards, generator):
    folder = tmp_path / "run"
    assert write_target(folder, shards, generator.config)
    save_generator(folder / "generator.safetensors", generator)
    return folder


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """A track of 30 frames, and the video with sound that it says it is of."""
    folder = tmp_path_factory.mktemp("driver")
    video = write_clip(folder / "talk.mp4", pictures(30, SIZE), sound=1.2)
    _, face = talking(30)
    nothing = torch.full((30,), float("nan"))
    track = Track(
        face,
        Camera.facing(SIZE),
        states=torch.zeros(30, dtype=torch.long),
        times=torch.arange(30, dtype=torch.float64) / 25,
        indices=torch.arange(30),
        landmark_nme=nothing,
        boxes=nothing[:, None].expand(30, 4),
    )
    path = folder / "track.npz"
    save_track(path, track, model="open-head", extra={"video": str(video)})
    return path
