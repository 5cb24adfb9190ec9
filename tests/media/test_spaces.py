"""Colours that files state without an ICC profile."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from morphface.media.images import read_image, write_photo
from morphface.media.spaces import code_points
from tests.media.icc import P3, shown
from tests.media.video.test_light import TO_2020, by_pq, linear

COLOURS = np.random.default_rng(1).integers(60, 190, (40, 48, 3), np.uint8)
ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))


def chunk(kind, body):
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + crc


def png_with(values, *chunks):
    memory = io.BytesIO()
    Image.fromarray(values).save(memory, "png")
    data = memory.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]


def chrm(primaries, white=(0.3127, 0.329)):
    numbers = [round(v * 100000) for place in (white, *primaries) for v in place]
    return chunk(b"cHRM", struct.pack(">8I", *numbers))


def gama(exponent):
    return chunk(b"gAMA", struct.pack(">I", round(exponent * 100000)))


def test_gamma_and_primaries_of_a_png_are_converted():
    photo = read_image(png_with(COLOURS, gama(1 / 1.8), chrm(P3)))
    np.testing.assert_allclose(photo.pixels, shown(COLOURS / 255, P3, 1.8), atol=2.5 / 255)


def test_light_as_it_is_becomes_a_picture():
    photo = read_image(png_with(COLOURS, gama(1.0)))
    light = COLOURS / 255
    want = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(photo.pixels, want, atol=2.5 / 255)


@pytest.mark.parametrize(
    "chunks",
    [(gama(0.45455),), (gama(1.0), chunk(b"sRGB", b"\0")), (gama(0.0),), (chrm(P3[::-1]),)],
)
def test_what_says_srgb_or_nonsense_moves_nothing_far(chunks):
    photo = read_image(png_with(COLOURS, *chunks))
    if chunks[0][4:8] == b"gAMA":
        assert photo.to_uint8().numpy().tolist() == COLOURS.tolist()
    assert photo.size == (40, 48)


def test_adobe_rgb_is_known_by_exif_alone(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 65535
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R03"}
    flat = np.full((40, 48, 3), (90, 180, 70), np.uint8)
    Image.fromarray(flat).save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    photo = read_image(tmp_path / "a.jpg")
    np.testing.assert_allclose(photo.pixels, shown(flat / 255, ADOBE, 2.2), atol=3 / 255)
    assert photo.pixels[0, 0, 0] < 60 / 255  # it is a green that sRGB hardly has
    write_photo(tmp_path / "b.png", photo.pixels, photo)
    with Image.open(tmp_path / "b.png") as image:  # the numbers stay, and get their profile
        assert np.abs(np.asarray(image).astype(int) - flat).max() <= 1
        assert len(image.info["icc_profile"]) > 100
    np.testing.assert_allclose(read_image(tmp_path / "b.png").pixels, photo.pixels, atol=2 / 255)


def test_an_hdr_png_is_mapped():
    scene = COLOURS / 255
    signal = by_pq(linear(scene) @ TO_2020.T * 203)
    data = png_with((signal * 255).round().astype(np.uint8), chunk(b"cICP", bytes([9, 16, 0, 1])))
    assert code_points(data) == (9, 16)
    np.testing.assert_allclose(read_image(data).pixels, scene, atol=16 / 255)  # of 8 bits
    assert np.abs(read_image(data).pixels.numpy() - scene).mean() < 3 / 255


def test_an_hdr_avif_is_mapped():
    scene = np.repeat(np.repeat(COLOURS[::8, ::8] / 255, 8, 0), 8, 1)
    signal = by_pq(linear(scene) @ TO_2020.T * 203)
    memory = io.BytesIO()
    image = Image.fromarray((signal * 255).round().astype(np.uint8))
    image.save(memory, "avif", quality=100, subsampling="4:4:4", codec="aom", speed=10)
    data = bytearray(memory.getvalue())
    place = data.find(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", 9, 16)
    pixels = read_image(bytes(data)).pixels.numpy()
    assert np.abs(pixels - scene).mean() < 6 / 255
    assert np.abs(signal - scene).mean() > 15 / 255


def test_files_that_state_nothing_have_no_code_points():
    assert code_points(png_with(COLOURS)) is None
    assert code_points(b"") is None
