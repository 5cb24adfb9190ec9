import pickle
import struct
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from morphface.core.errors import (
    ImageError,
    MissingDependencyError,
    MissingFileError,
    OutputError,
    ShapeError,
)
from morphface.media import header, images
from morphface.media.images import Photo, read_image, write_image

RAMP = np.linspace(0, 1, 40 * 48 * 3).reshape(40, 48, 3)
BYTES = (RAMP * 255).round().astype(np.uint8)


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def png(height, width, depth, colour, raw=b""):
    """A PNG made by hand, so that 16-bit colour and lying headers are at hand."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body


def test_what_was_written_is_read_back(tmp_path):
    pixels = torch.from_numpy(RAMP).float()
    write_image(tmp_path / "a.png", pixels)
    photo = read_image(tmp_path / "a.png")
    assert (photo.pixels - pixels).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.equal(photo.to_uint8(), torch.from_numpy(BYTES))
    assert photo.size == (40, 48)
    assert photo.focal is None


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "YCbCr", "LAB"])
def test_every_mode_is_read_as_rgb_of_full_range(tmp_path, mode):
    image = Image.new("RGB", (48, 40), "white")
    image.paste("black", (0, 0, 24, 40))
    name = "a.tiff" if mode in {"CMYK", "YCbCr", "LAB"} else "a.png"
    pixels = read_image(saved(tmp_path, image.convert(mode), name)).pixels
    assert pixels.shape == (40, 48, 3)
    torch.testing.assert_close(pixels[:, :20], torch.zeros(40, 20, 3), atol=0.03, rtol=0)
    torch.testing.assert_close(pixels[:, 28:], torch.ones(40, 20, 3), atol=0.03, rtol=0)


def test_transparent_pixels_are_shown_on_white(tmp_path):
    image = Image.new("RGBA", (48, 40), (255, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 24, 40))
    pixels = read_image(saved(tmp_path, image)).pixels
    assert pixels[0, 0].tolist() == [1, 0, 0]
    assert pixels[0, 47].tolist() == [1, 1, 1]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path, suffix):
    grey = (RAMP[..., 0] * 65535).astype(np.uint16)
    pixels = read_image(saved(tmp_path, Image.fromarray(grey), f"a{suffix}")).pixels
    np.testing.assert_allclose(pixels[..., 1], RAMP[..., 0], atol=1e-4)


def test_16_bit_colour_is_scaled_and_not_clipped(tmp_path):
    words = (RAMP * 65535).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in words)
    (tmp_path / "a.png").write_bytes(png(40, 48, 16, 2, rows))
    np.testing.assert_allclose(read_image(tmp_path / "a.png").pixels, RAMP, atol=1 / 255)


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_float_tiff_is_scaled_to_its_usual_white(tmp_path, white):
    grey = (RAMP[..., 0] * white).astype(np.float32)
    pixels = read_image(saved(tmp_path, Image.fromarray(grey), "a.tiff")).pixels
    np.testing.assert_allclose(pixels[..., 2], RAMP[..., 0], atol=1e-4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone_as_pillow_does_it_and_can_be_restored(tmp_path, orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = saved(tmp_path, Image.fromarray(BYTES), exif=exif)
    photo = read_image(path)
    with Image.open(path) as image:
        want = np.asarray(ImageOps.exif_transpose(image))
    assert torch.equal(photo.to_uint8(), torch.from_numpy(want.copy()))
    assert torch.equal(photo.stored().to_uint8(), torch.from_numpy(BYTES))
    assert torch.equal(photo.turned(3).stored().to_uint8(), torch.from_numpy(BYTES))


def test_four_quarter_turns_are_none_and_one_turns_counter_clockwise():
    photo = Photo(torch.from_numpy(RAMP).float())
    assert torch.equal(photo.turned(1).pixels[0, 0], photo.pixels[0, -1])
    assert photo.turned(1).size == (48, 40)
    back = photo.turned(1).turned(3)
    assert back.turns == 0
    assert torch.equal(back.pixels, photo.pixels)


def test_damaged_exif_does_not_spoil_a_good_picture(tmp_path):
    path = saved(tmp_path, Image.fromarray(BYTES), "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert read_image(path).size == (40, 48)


def test_sample_is_found_without_importing_its_package(monkeypatch):
    pytest.importorskip("skimage")
    for name in [n for n in sys.modules if n.split(".")[0] == "skimage"]:
        monkeypatch.delitem(sys.modules, name)
    photo = read_image("sample:astronaut")
    assert photo.size == (512, 512)
    assert photo.source == "sample:astronaut"
    assert "skimage" not in sys.modules


def refused(error, text, source):
    with pytest.raises(error, match=text) as caught:
        read_image(source)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
def test_unknown_sample_names_the_known_ones():
    refused(MissingFileError, "no sample 'cat'; there is astronaut", "sample:cat")


@pytest.mark.refusal
def test_sample_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(header, "find_spec", lambda name: None)
    refused(MissingDependencyError, "pip install scikit-image", "sample:astronaut")


@pytest.mark.refusal
def test_missing_path_and_folder_are_told_apart(tmp_path):
    refused(MissingFileError, "there is no file .*a.jpg; check the path", tmp_path / "a.jpg")
    refused(ImageError, "is a folder; name a picture in it", tmp_path)


@pytest.mark.refusal
def test_odd_paths_are_refused(tmp_path):
    refused(ImageError, "is not a regular file", "/dev/zero")
    refused(ImageError, "cannot read .*null", "a\0b")
    refused(ImageError, "cannot read .*too long", "a" * 5000)


@pytest.mark.refusal
def test_text_named_as_a_picture_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("hello, I am a text")
    refused(ImageError, "is not a picture of a known kind; convert it", tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.mp4")
    refused(ImageError, "a.mp4 is a video, not a picture; `morphface track`", tmp_path / "a.mp4")


@pytest.mark.refusal
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "tiff", "bmp"])
def test_truncated_picture_is_refused(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8)
    whole = saved(tmp_path, Image.fromarray(noise), f"a.{suffix}").read_bytes()
    path = tmp_path / f"b.{suffix}"
    path.write_bytes(whole[: len(whole) // 2])
    refused(ImageError, "is truncated or damaged|damaged header", path)


@pytest.mark.refusal
def test_tiny_picture_is_refused(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (1, 1)))
    refused(ImageError, "is 1 x 1 pixels, but a face needs at least 32 x 32", path)


@pytest.mark.refusal
@pytest.mark.parametrize("side", [20_000, 12_000])
def test_header_bomb_is_refused_before_decoding(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png(side, side, 8, 2))
    refused(ImageError, "more than 100 million pixels by its header", tmp_path / "a.png")


@pytest.mark.refusal
def test_huge_file_is_refused_before_reading(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)
    refused(ImageError, "is 512 MiB, more than the 512 MiB that are read", tmp_path / "a.png")


@pytest.mark.refusal
def test_forbidden_file_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.fromarray(BYTES))

    def forbid(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", forbid)  # a mode of 0 would not stop root
    refused(ImageError, "permission denied; check the path and its permissions", path)


@pytest.mark.refusal
def test_nan_in_a_float_tiff_is_refused(tmp_path):
    grey = np.full((40, 48), np.nan, np.float32)
    path = saved(tmp_path, Image.fromarray(grey), "a.tiff")
    refused(ImageError, "holds 1920 values that are not finite", path)


@pytest.mark.refusal
def test_writing_to_an_unknown_kind_or_shape_is_refused(tmp_path):
    with pytest.raises(OutputError, match="the suffix must be that of a picture"):
        write_image(tmp_path / "a.txt", torch.zeros(4, 4, 3))
    with pytest.raises(ShapeError, match="pixels must have shape"):
        write_image(tmp_path / "a.png", torch.zeros(4, 4))
    with pytest.raises(ShapeError, match="pixels must have shape"):
        Photo(torch.zeros(4, 4))


def test_bytes_are_kept_and_become_floats_when_asked_for():
    given = torch.from_numpy(BYTES.copy())
    photo = Photo(given, source="a frame")
    assert photo.size == (40, 48)
    assert photo.to_uint8() is given
    torch.testing.assert_close(photo.pixels, given / 255, atol=0, rtol=0)
    assert photo.pixels is photo.pixels
    assert torch.equal(photo.turned(1).pixels, Photo(given / 255).turned(1).pixels)


def test_changed_pixels_do_not_leave_the_old_bytes():
    photo = Photo(torch.from_numpy(BYTES.copy()))
    black = replace(photo, pixels=torch.zeros(40, 48, 3))
    assert black.to_uint8().max() == 0
    assert photo.map(lambda values: values * 0).to_uint8().max() == 0
    assert torch.equal(pickle.loads(pickle.dumps(photo)).pixels, photo.pixels)


@pytest.mark.refusal
def test_a_photo_has_no_other_attributes():
    with pytest.raises(AttributeError, match="Photo has no attribute 'colour'"):
        _ = Photo(torch.zeros(40, 48, 3)).colour
