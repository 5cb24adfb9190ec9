import importlib
from types import SimpleNamespace

import pytest

from morphface.pipelines.prepare import PrepareSettings, prepare
from tests.pipelines.prepare import standin
from tests.pipelines.prepare.inline import Inline

CLIPS = {
    "a.mp4": "frames=7",
    "b.mp4": "bad",
    "c.mp4": "frames=25 lost=3,4",
    "d.mp4": "noface",
    "e.mp4": "frames=4 cut",
    "sub/f.mkv": "frames=6",
    "sub/same.mov": "frames=7",
}


@pytest.fixture
def clips(tmp_path):
    """A folder of stand-ins for clips."""
    return write_clips(tmp_path / "clips", CLIPS)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """No test cuts the power."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


def write_clips(folder, clips):
    for name, words in clips.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words)
    return folder


@pytest.fixture
def make(tmp_path, clips, monkeypatch):
    """Prepares the clips with the stand-in, in this process."""
    module = importlib.import_module("morphface.pipelines.prepare.dataset")
    state = SimpleNamespace(executor=None)

    def run(out="out", *, inputs=None, order=lambda queue: 0, deadly=(), **settings):
        state.executor = Inline(order, deadly)
        monkeypatch.setattr(module, "Pool", lambda workers: state.executor)
        options = PrepareSettings(**({"shard_size": "10"} | settings))
        return prepare(inputs or [clips], tmp_path / out, options, work=standin.work)

    run.state = state
    return run


def contents(folder):
    """Every file in a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
