"""What people hold when they hold a picture."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from morphface.core.errors import ImageError
from morphface.media.images import Photo, name_of, read_image

RAMP = np.linspace(0, 1, 40 * 48 * 3).reshape(40, 48, 3)
BYTES = (RAMP * 255).round().astype(np.uint8)


@pytest.fixture
def path(tmp_path):
    Image.fromarray(BYTES).save(tmp_path / "a.png")
    return tmp_path / "a.png"


class Place:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


def test_one_picture_is_the_same_however_it_is_held(path):
    held = [path, str(path), Place(path), path.read_bytes(), bytearray(path.read_bytes())]
    held += [io.BytesIO(path.read_bytes()), path.open("rb"), Image.open(path), BYTES]
    held += [torch.from_numpy(BYTES), BYTES.astype(np.int64), BYTES.astype(np.uint16) * 257]
    for one in held:
        photo = read_image(one)
        assert photo.to_uint8().numpy().tolist() == BYTES.tolist()
        assert isinstance(name_of(one), str)
    assert read_image(photo) is photo
    assert [name_of(one) for one in held[3:6]] == ["bytes", "bytes", "file"]
    assert name_of(held[6]) == name_of(held[7]) == str(path)
    held[6].close()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_are_from_0_to_1(kind):
    np.testing.assert_allclose(read_image(RAMP.astype(kind)).pixels, RAMP, atol=1e-3)
    exact = torch.from_numpy(RAMP).float()
    assert torch.equal(read_image(exact).pixels, exact)
    dark = RAMP.astype(np.float32) / 100
    np.testing.assert_allclose(read_image(dark).pixels, dark)


def test_grey_and_transparent_arrays_are_told_by_their_channels():
    grey = BYTES[..., 0]
    for values in (grey, grey[..., None]):
        assert read_image(values).to_uint8()[..., 2].numpy().tolist() == grey.tolist()
    clear = np.dstack([BYTES, np.zeros_like(grey)])
    assert read_image(clear).pixels.min() == 1
    assert read_image(clear / 255.0).original.samples.shape == (40, 48, 4)
    assert read_image(np.dstack([grey, np.zeros_like(grey)])).pixels.min() == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr"])
def test_images_of_pillow_of_every_mode(mode):
    image = Image.fromarray(np.where(np.arange(48)[None, :, None] < 24, 0, BYTES * 0 + 255))
    image = image.convert("L").convert("I").point(lambda v: v * 257, "I") if mode == "I" else image
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode != "I":
        image = image.convert("L").convert(mode) if mode == "F" else image.convert(mode)
    pixels = read_image(image).pixels
    torch.testing.assert_close(pixels[:, :20], torch.zeros(40, 20, 3), atol=0.02, rtol=0)
    torch.testing.assert_close(pixels[:, 28:], torch.ones(40, 20, 3), atol=0.02, rtol=0)


def test_an_image_of_pillow_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(BYTES).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        assert torch.equal(read_image(image).pixels, read_image(tmp_path / "a.png").pixels)


def refused(text, source):
    with pytest.raises(ImageError, match=text) as caught:
        read_image(source)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
def test_arrays_of_other_axes_are_refused():
    refused(
        r"got \(3, 40, 48\); channels come last: turn it with .transpose", RAMP.transpose(2, 0, 1)
    )
    refused(r"got \(2, 40, 48, 3\); give one picture of the batch", np.stack([RAMP, RAMP]))
    refused(r"must have shape \(H, W\) or \(H, W, C\)", np.zeros((40, 48, 7)))
    refused("the array is 48 x 8 pixels, but a face needs at least", RAMP[:8])


@pytest.mark.refusal
def test_arrays_of_other_ranges_are_refused():
    refused("floats from 0 to 255; floats must be in .0, 1.: divide them by 255", RAMP * 255)
    refused("floats from -1 to 1, which is no usual range", RAMP * 2 - 1)
    refused("floats from 0 to 2, which is no usual range", RAMP * 2)
    refused("holds 5760 values that are not finite", RAMP * np.nan)
    refused("holds int64 from -1 to 1", np.round(RAMP * 2 - 1).astype(np.int64))
    refused("holds bool; give uint8", RAMP > 0.5)


@pytest.mark.refusal
def test_what_is_no_picture_is_told_by_its_type(path):
    refused("an image of Pillow or a Photo, got list; fit_photos fits several", [path])
    refused("got NoneType", None)
    refused("bytes is not a picture of a known kind", b"hello")
    with path.open(encoding="latin-1") as text:
        refused("must be opened for bytes, mode 'rb'", text)


@pytest.mark.refusal
@pytest.mark.parametrize("as_path", [str, Path])
def test_an_address_is_refused_with_its_two_slashes(as_path):
    refused(
        "https://example.org/a.jpg is an address, and nothing is fetched",
        as_path("https://example.org/a.jpg"),
    )


def test_a_photo_of_bytes_stays_one():
    photo = Photo(torch.from_numpy(BYTES))
    assert read_image(photo).to_uint8() is photo.to_uint8()
