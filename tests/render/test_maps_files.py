"""Sets of maps written to folders and arrays, and read again."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.core.errors import ImageError, MissingFileError, OutputError
from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Detail
from morphface.render.maps import CHANNELS, LABELS, MAP_NAMES, MapSet, render_maps
from morphface.render.maps.files import decode_png, encode_png

EXACT = ("mask", "parsing", "face_index")


RELIEF = Detail(
    torch.linspace(-1, 1, 64).expand(64, 64),
    torch.tensor([0.0, 0.0, 1.0]).expand(64, 64, 3),
    torch.zeros(64, 64),
)


@pytest.fixture(scope="module", params=[False, True], ids=["unsigned", "signed"])
def maps(request):
    face = FaceParameters.neutral(frames=2)
    face.rotation[1, 1] = 0.4
    camera = Camera.facing((40, 56), focal=90.0)
    return render_maps(
        load_model("open-head"),
        face,
        camera,
        MAP_NAMES,
        detail=RELIEF,
        signed=request.param,
        background=0.1,
    )


@pytest.fixture
def folder(maps, tmp_path):
    maps.save(tmp_path / "maps")
    return tmp_path / "maps"


def test_an_array_file_holds_every_bit(maps, tmp_path):
    maps.save(tmp_path / "maps.npz")
    read = MapSet.load(tmp_path / "maps.npz")
    assert (read.names, read.signed, read.background, read.model) == (
        *(maps.names, maps.signed, 0.1, "open-head"),
    )
    assert all(torch.equal(read[name], maps[name]) for name in maps.names)


def test_pictures_hold_numbers_exactly_and_values_to_half_a_step(maps, folder):
    read = MapSet.load(folder)
    assert (read.names, read.signed, read.background) == (maps.names, maps.signed, 0.1)
    for name in maps.names:
        step = 0.5 / (65535 if name in ("depth", "detail") else 255)
        step = 1e-6 if name in EXACT else step + 1e-6
        assert (read.unit(name) - maps.unit(name)).abs().max() <= step, name
    assert torch.equal(read.faces(), maps.faces())
    assert torch.equal(read.labels(), maps.labels())
    assert (read.labels() > 1).any()


def test_a_second_round_changes_nothing_and_the_same_maps_make_the_same_bytes(folder, tmp_path):
    MapSet.load(folder).save(tmp_path / "again")
    first = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in first:
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()
    assert len(first) == 2 * len(MAP_NAMES) + 1


def test_the_header_says_what_every_map_means(maps, folder):
    header = json.loads((folder / "maps.json").read_text())
    assert header["size"] == [40, 56]
    assert header["frames"] == 2
    assert header["labels"] == list(LABELS)
    for name in MAP_NAMES:
        said = header["maps"][name]
        assert said["channels"] == CHANNELS[name]
        assert said["bits"] == (16 if name in ("depth", "detail") else 8)
        assert said["range"] == ([-1, 1] if maps.signed else [0, 1])
        assert said["meaning"]


def test_other_programs_see_plain_pictures(maps, folder):
    with Image.open(folder / "diffuse" / "000001.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (56, 40))
        wanted = (maps.unit("diffuse")[1] * 255).round()
        assert np.array_equal(np.asarray(picture), wanted.numpy().astype(np.uint8))
    with Image.open(folder / "depth" / "000000.png") as picture:
        assert picture.mode == "I;16"


def test_one_frame_is_a_picture_of_its_own(maps):
    for name in MAP_NAMES:
        values = maps.unit(name)[0]
        got = decode_png(name, encode_png(name, values))
        torch.testing.assert_close(got, values, atol=0.5 / 255 + 1e-6, rtol=0)


@pytest.mark.refusal
def test_what_is_not_there_is_named(folder, tmp_path):
    with pytest.raises(MissingFileError, match="there are no maps at"):
        MapSet.load(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="has no maps.json; name one that holds maps"):
        MapSet.load(tmp_path)
    (folder / "gaze" / "000001.png").unlink()
    with pytest.raises(MissingFileError, match="000001.png is gone; write the maps again"):
        MapSet.load(folder)


@pytest.mark.refusal
def test_damaged_and_foreign_files_are_refused(folder, tmp_path):
    picture = folder / "mask" / "000000.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match="a picture of map 'mask' is damaged"):
        MapSet.load(folder)
    shutil.copy(folder / "gaze" / "000000.png", picture)
    with pytest.raises(ImageError, match="of map 'mask' must be of kind L, got RGB"):
        MapSet.load(folder)
    Image.new("L", (4, 4)).save(picture)
    with pytest.raises(ImageError, match="has another size than maps.json says"):
        MapSet.load(folder)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(ImageError, match="holds no maps that morphface wrote, or is damaged"):
            MapSet.load(tmp_path / name)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("format", "morphface parameters", "is no set of maps, but of format 'morphface par"),
        ("version", 99, r"made by a newer morphface \(format 99, this one reads up to 1\)"),
        ("maps", {"pncc": {}}, "holds no maps that morphface wrote"),
        ("size", "large", "holds no maps that morphface wrote"),
    ],
)
def test_headers_of_another_kind_are_refused(folder, key, value, says):
    header = json.loads((folder / "maps.json").read_text())
    (folder / "maps.json").write_text(json.dumps(header | {key: value}))
    with pytest.raises(ImageError, match=says):
        MapSet.load(folder)


@pytest.mark.refusal
def test_a_place_that_cannot_be_written_to_is_refused(maps, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write to"):
        maps.save(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot write to"):
        maps.save(tmp_path / "file" / "maps.npz")
