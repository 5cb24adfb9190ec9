from dataclasses import dataclass

import pytest
import torch
from safetensors import safe_open

from benchmarks.stored import KNOWN, read_record, write_record
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.media.images import Photo
from tests.parameters.test_io import random_face


@dataclass(frozen=True, eq=False)
class Kept:
    face: object
    seen: tuple
    photo: Photo
    error: float
    missing: None = None


@pytest.fixture
def kept(monkeypatch, rng):
    monkeypatch.setitem(KNOWN, "Kept", Kept)
    points = torch.rand(5, 2, generator=rng)
    marks = Landmarks(points, "5", torch.ones(5), (0.0, 1.0, 2.0, 3.5), scores={"jawOpen": 0.25})
    levels = torch.randint(0, 256, (12, 12, 3), generator=rng)
    return Kept(random_face(rng, 2), (marks, Camera.facing((4, 6))), Photo(levels / 255), 0.1)


def test_what_is_kept_comes_back_bit_by_bit(kept, tmp_path):
    write_record(tmp_path / "one.safetensors", kept)
    found = read_record(tmp_path / "one.safetensors")
    assert torch.equal(found.face.to_vector(), kept.face.to_vector())
    assert torch.equal(found.photo.pixels, kept.photo.pixels)
    marks, camera = found.seen
    assert torch.equal(marks.points, kept.seen[0].points)
    assert (marks.box, marks.scores, marks.depth) == ((0.0, 1.0, 2.0, 3.5), {"jawOpen": 0.25}, None)
    assert (camera.size, found.error, found.missing) == ((4, 6), 0.1, None)


def test_a_file_names_only_records_that_are_known(kept, tmp_path, monkeypatch):
    write_record(tmp_path / "one.safetensors", kept)
    with safe_open(tmp_path / "one.safetensors", framework="pt") as file:
        assert '"record": "Kept"' in file.metadata()["record"]
    monkeypatch.delitem(KNOWN, "Kept")
    with pytest.raises(KeyError, match="Kept"):
        read_record(tmp_path / "one.safetensors")


def test_what_cannot_be_kept_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(TypeError, match="a set cannot be kept"):
        write_record(tmp_path / "one.safetensors", {"a": {1, 2}})
    assert not list(tmp_path.iterdir())
