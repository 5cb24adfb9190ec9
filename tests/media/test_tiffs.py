"""TIFF files, and what looks like a picture and is something else."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, TiffImagePlugin

from morphface.core.errors import ImageError
from morphface.media.images import read_image

GREY = np.random.default_rng(0).integers(0, 65535, (40, 48, 3), np.uint16)


def refused(text, source):
    with pytest.raises(ImageError, match=text) as caught:
        read_image(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib", "predictor": True}, {"byteorder": ">"}]
)
def test_16_bit_colour_is_read_as_it_is(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="rgb", **options)
    np.testing.assert_allclose(read_image(tmp_path / "a.tif").pixels, GREY / 65535, atol=1e-6)


def test_colour_in_floats_is_read_as_it_is(tmp_path):
    values = (GREY / 65535).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    np.testing.assert_allclose(read_image(tmp_path / "a.tif").pixels, values, atol=1e-5)


def test_the_picture_is_the_page_that_is_no_reduced_copy(tmp_path):
    small, whole = GREY[:32:1, :32], np.kron(GREY, np.ones((4, 4, 1), np.uint16))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write((small >> 8).astype(np.uint8), photometric="rgb", subfiletype=1)
        file.write((whole >> 8).astype(np.uint8), photometric="rgb")
    assert read_image(tmp_path / "a.tif").size == (160, 192)
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write((whole >> 8).astype(np.uint8), photometric="rgb")
        file.write((small >> 8).astype(np.uint8), photometric="rgb")
    assert read_image(tmp_path / "b.tif").size == (160, 192)


@pytest.mark.refusal
def test_several_pages_are_refused_with_their_number(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY] * 3), photometric="rgb")
    refused("holds 3 pages; save the one you mean", tmp_path / "a.tif")


@pytest.mark.refusal
@pytest.mark.parametrize("scale", [1.5, 8.0, -0.5, 1e6])
def test_floats_beyond_white_are_refused_with_their_range(tmp_path, scale):
    values = (GREY / GREY.max() * scale).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    tifffile.imwrite(tmp_path / "g.tif", values[..., 0])
    for name in ("a.tif", "g.tif"):
        refused("holds floats from .* which is no usual range", tmp_path / name)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("kind", "words"), [(np.float16, "16-bit floats"), (np.uint32, "32-bit integers")]
)
def test_other_numbers_are_refused_by_their_name(tmp_path, kind, words):
    tifffile.imwrite(tmp_path / "a.tif", (GREY >> 4).astype(kind), photometric="rgb")
    refused(f"is a TIFF file of 3 x {words}, which cannot be read", tmp_path / "a.tif")


@pytest.mark.refusal
def test_a_raw_file_is_not_read_by_its_preview(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    Image.fromarray((GREY >> 8).astype(np.uint8)).save(tmp_path / "a.tif", tiffinfo=tags)
    words = "is a camera's raw file, of which only a preview of 48 x 40 can be read; develop it"
    refused(words, tmp_path / "a.tif")
    tags[50706], tags.tagtype[50706] = b"\1\4\0\0", 1
    tags[254] = 0
    Image.fromarray((GREY >> 8).astype(np.uint8)).save(tmp_path / "b.tif", tiffinfo=tags)
    refused(words, tmp_path / "b.tif")
    Image.fromarray((GREY >> 8).astype(np.uint8)).save(tmp_path / "c.tif")
    (tmp_path / "c.tif").rename(tmp_path / "c.nef")
    refused(words, tmp_path / "c.nef")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "start", "words"),
    [
        ("a.exr", b"v/1\x01", "an OpenEXR picture of linear light; map its tones"),
        ("a.hdr", b"#?RADIANCE\n", "a Radiance picture of linear light"),
        ("a.jxl", b"\xff\x0a\0", "a JPEG XL picture; convert it"),
        ("a.pdf", b"%PDF-1.7", "a PDF document"),
        ("a.raf", b"FUJIFILMCCD-RAW ", "a camera's raw file; develop it"),
    ],
)
def test_pictures_of_kinds_that_are_not_read_are_called_by_name(tmp_path, name, start, words):
    (tmp_path / name).write_bytes(start + bytes(64))
    refused(words, tmp_path / name)


def test_nothing_but_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (48, 40), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert torch.equal(read_image(tmp_path / "a.gif").pixels[0, 0], torch.tensor([1.0, 0, 0]))
