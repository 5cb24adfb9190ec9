"""Photos of phones, taken apart and put together again."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from morphface.core.errors import ImageError
from morphface.media import heif
from morphface.media.images import read_image
from tests.media.heic import heic
from tests.media.icc import P3, rgb_profile, shown

Y, X = np.mgrid[:128, :192]
PICTURE = np.stack([X + 20, Y + 60, (X + Y) // 2], axis=-1).astype(np.uint8)
TILES = [PICTURE[r : r + 64, c : c + 96] for r in (0, 64) for c in (0, 96)]
TILES = [np.ascontiguousarray(tile) for tile in TILES]
CLOSE = 4


def exif():
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 50
    return tags.tobytes().removeprefix(b"Exif\0\0")


def read(data):
    return read_image(data).to_uint8().numpy().astype(int)


@pytest.fixture(scope="module")
def single():
    return heic([PICTURE])


def test_a_single_picture_and_one_of_tiles_look_as_what_was_written(single):
    assert np.abs(read(single) - PICTURE).max() <= CLOSE
    whole = read(heic(TILES, 2, (122, 186)))
    assert np.abs(whole - PICTURE[:122, :186]).max() <= CLOSE


@pytest.mark.parametrize(
    ("options", "upright"),
    [
        ({"turn": 3}, lambda values: np.rot90(values, 3)),
        ({"mirror": 0}, lambda values: values[::-1]),
        ({"mirror": 1, "turn": 1}, lambda values: np.rot90(values)[:, ::-1]),
    ],
    ids=["turned", "upside down", "turned and mirrored"],
)
def test_turns_are_those_of_the_boxes(options, upright):
    assert np.abs(read(heic(TILES, 2, **options)) - upright(PICTURE)).max() <= CLOSE


def test_exif_tells_the_lens_and_not_the_orientation():
    photo = read_image(heic([PICTURE], exif=exif()))
    assert photo.size == (128, 192)
    assert photo.focal == pytest.approx(50 * np.hypot(128, 192) / np.hypot(36, 24))


def test_the_profile_is_converted():
    photo = read_image(heic([PICTURE], profile=rgb_profile(P3)))
    assert np.abs(photo.pixels.numpy() - shown(PICTURE / 255, P3, 2.2)).mean() < 2 / 255


def test_wide_colours_are_converted_once_by_the_profile_or_by_their_numbers():
    want = shown(PICTURE / 255, P3, 2.2)
    for options in ({"points": (12, 13)}, {"profile": rgb_profile(P3), "points": (12, 13)}):
        pixels = read_image(heic([PICTURE], **options)).pixels.numpy()
        assert np.abs(pixels - want).mean() < 2.5 / 255
    assert np.abs(PICTURE / 255 - want).mean() > 8 / 255


def test_avif_is_read_with_its_profile():
    memory = io.BytesIO()
    Image.fromarray(PICTURE).save(memory, "avif", quality=95, icc_profile=rgb_profile(P3))
    photo = read_image(memory)
    assert np.abs(photo.pixels.numpy() - shown(PICTURE / 255, P3, 2.2)).mean() < 3 / 255
    assert heif.is_heif(memory.getvalue()) is False  # Pillow reads it


def test_avif_is_read_where_pillow_cannot(monkeypatch):
    memory = io.BytesIO()
    Image.fromarray(PICTURE).save(memory, "avif", quality=95)
    monkeypatch.setattr(heif.features, "check", lambda _: False)
    assert np.abs(read(memory.getvalue()) - PICTURE).mean() < 3


def refused(text, data):
    with pytest.raises(ImageError, match=text) as caught:
        read_image(data)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
def test_what_needs_another_reader_is_named(single, monkeypatch):
    monkeypatch.setattr(heif, "find_spec", lambda _: None)
    refused(
        "in a way .'iovl'. that is not read here; pip install pillow-heif",
        single.replace(b"hvc1\0", b"iovl\0"),
    )


@pytest.mark.refusal
def test_damage_and_lies_of_the_header_are_refused(single):
    refused("is truncated or damaged", single[:700])
    refused("is truncated or damaged", single[:-2000])
    refused("more than 100 million pixels", heic(TILES, 2, (40000, 40000)))
