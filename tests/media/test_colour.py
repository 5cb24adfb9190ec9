"""Colour profiles, transparency and 16 bits: read as they look, and given back."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from morphface.media.images import read_image, write_photo
from tests.media.icc import P3, WIDE, grey_profile, rgb_profile, shown

SIZE = (40, 48)
COLOURS = np.random.default_rng(1).integers(60, 190, (*SIZE, 3), np.uint8)
D50 = (0.3457, 0.3585)


def saved(tmp_path, values, name="a.png", **options):
    Image.fromarray(values).save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize(
    ("primaries", "gamma", "white"), [(P3, 2.2, (0.3127, 0.329)), (WIDE, 1.8, D50)]
)
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_a_profile_is_converted_as_its_numbers_say(tmp_path, primaries, gamma, white, suffix):
    profile = rgb_profile(primaries, gamma, white)
    more = {"lossless": True} if suffix == "webp" else {}
    path = saved(tmp_path, COLOURS, f"a.{suffix}", icc_profile=profile, **more)
    want = shown(COLOURS / 255, primaries, gamma, white)
    photo = read_image(path)
    np.testing.assert_allclose(photo.pixels, want, atol=2.5 / 255)
    assert np.abs(COLOURS / 255 - want).max() > 20 / 255  # without the profile it is far off


def test_a_grey_profile_is_converted_with_and_without_transparency(tmp_path):
    grey = COLOURS[..., 0]
    light = (grey / 255) ** 1.0
    want = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    profile = grey_profile(1.0)
    for values in (grey, np.dstack([grey, np.full_like(grey, 255)])):
        pixels = read_image(saved(tmp_path, values, icc_profile=profile)).pixels
        np.testing.assert_allclose(pixels[..., 1], want, atol=2.5 / 255)


@pytest.mark.parametrize(
    "profile", [b"", b"junk" * 50, rgb_profile(P3)[:300], grey_profile(2.0)], ids=len
)
def test_a_damaged_profile_or_one_of_another_kind_is_left_aside(tmp_path, profile):
    photo = read_image(saved(tmp_path, COLOURS, icc_profile=profile))
    assert photo.to_uint8().numpy().tolist() == COLOURS.tolist()
    assert photo.original is None


def test_a_profile_of_srgb_moves_nothing(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_image(saved(tmp_path, COLOURS, icc_profile=profile))
    assert photo.to_uint8().numpy().tolist() == COLOURS.tolist()


def changed(photo):
    """The photo with a red square."""
    pixels = photo.pixels.clone()
    pixels[10:20, 10:20] = torch.tensor([0.8, 0.3, 0.3])
    return pixels


def outside(values):
    values = values.astype(int)
    values[10:20, 10:20] = 0
    return values.tolist()


def test_what_did_not_change_keeps_its_numbers_and_its_profile(tmp_path):
    profile = rgb_profile(WIDE, 1.8, D50)
    photo = read_image(saved(tmp_path, COLOURS, icc_profile=profile))
    write_photo(tmp_path / "b.png", changed(photo), photo)
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == profile
        assert outside(np.asarray(image)) == outside(COLOURS)
    again = read_image(tmp_path / "b.png").pixels
    torch.testing.assert_close(again, changed(photo), atol=3 / 255, rtol=0)


def test_16_bits_survive_with_profile_transparency_and_turn(tmp_path):
    deep = np.random.default_rng(2).integers(0, 65535, (*SIZE, 4), np.uint16)
    deep[..., 3] |= 0x8000
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., [2, 1, 0, 3]])
    photo = read_image(tmp_path / "a.png").turned(1)
    write_photo(tmp_path / "b.png", changed(photo), photo)
    found = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]]
    assert found.dtype == np.uint16
    assert outside(found) == outside(np.rot90(deep))
    again = read_image(tmp_path / "b.png").pixels
    torch.testing.assert_close(again, changed(photo), atol=1e-4, rtol=0)


def test_a_16_bit_picture_keeps_its_profile(tmp_path):
    profile = rgb_profile(P3)
    deep = COLOURS.astype(np.uint16) * 257 + 3
    plain = tmp_path / "plain.png"
    cv2.imwrite(str(plain), deep[..., ::-1])
    from morphface.media.images import _deep_png
    from morphface.media.original import Original

    plain.write_bytes(_deep_png(Original(deep, 65535, profile)))
    photo = read_image(plain)
    np.testing.assert_allclose(photo.pixels, shown(COLOURS / 255, P3, 2.2), atol=2.5 / 255)
    write_photo(tmp_path / "b.png", changed(photo), photo)
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == profile
    found = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert outside(found) == outside(deep)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_survives_and_changes_only_as_far_as_a_change_needs(tmp_path, mode):
    cut = np.dstack([COLOURS, np.full(SIZE, 255, np.uint8)])
    cut[:, 24:, 3] = 0
    cut[12, :, 3] = 128
    image = Image.fromarray(cut)
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.png")
    photo = read_image(tmp_path / "a.png")
    before = np.asarray(Image.open(tmp_path / "a.png").convert("RGBA"))
    write_photo(tmp_path / "b.png", changed(photo), photo)
    after = np.asarray(Image.open(tmp_path / "b.png").convert("RGBA"))
    assert outside(after) == outside(before)
    again = read_image(tmp_path / "b.png").pixels
    torch.testing.assert_close(again, changed(photo), atol=2.5 / 255, rtol=0)


def test_formats_without_transparency_get_the_picture_on_white(tmp_path):
    cut = np.dstack([COLOURS, np.zeros(SIZE, np.uint8)])
    photo = read_image(saved(tmp_path, cut))
    write_photo(tmp_path / "b.jpg", photo.pixels, photo)
    assert read_image(tmp_path / "b.jpg").pixels.min() > 0.95


@pytest.mark.parametrize(("bits", "white"), [(8, 255), (10, 1023), (12, 4095), (16, 65535)])
def test_fewer_bits_than_the_type_has_are_read_by_their_own_white(tmp_path, bits, white):
    ramp = np.linspace(0, white, SIZE[0] * SIZE[1] * 3).round().reshape(*SIZE, 3).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), ramp[..., ::-1])
    cv2.imwrite(str(tmp_path / "g.png"), ramp[..., 0])
    np.testing.assert_allclose(read_image(tmp_path / "a.png").pixels, ramp / white, atol=1e-6)
    grey = read_image(tmp_path / "g.png").pixels
    np.testing.assert_allclose(grey[..., 2], ramp[..., 0] / white, atol=1e-6)
