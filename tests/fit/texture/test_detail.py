"""What is finer than a coarse texture comes from the photo, and from the other side of the face."""

from dataclasses import replace

import pytest
import torch

from morphface.fit.texture import head, texture_from_photos
from morphface.models import load_model
from tests.fit.texture.heads import spotted, take

FINE = 1024


@pytest.fixture(scope="module")
def striped():
    """A head from the side in a photo with stripes two pixels wide."""
    photo = take(spotted(load_model()), yaw=0.5)
    across = torch.arange(photo.sight.pixels.shape[1]) // 2 % 2
    pixels = photo.sight.pixels * (0.9 + 0.2 * across)[None, :, None]
    return replace(photo, sight=replace(photo.sight, pixels=pixels))


@pytest.fixture(scope="module")
def textures(striped):
    """Textures of it: the quick one, and that for which everything is worked out at each texel."""
    quick = texture_from_photos(load_model(), [striped], size=FINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "COARSE", FINE)
        return quick, texture_from_photos(load_model(), [striped], size=FINE)


def high(values):
    """What differs from the mean of eight texels each way."""
    planes = values.permute(2, 0, 1)[None]
    mean = torch.nn.functional.avg_pool2d(planes, 17, 1, 8, count_include_pad=False)
    return (planes - mean)[0].permute(1, 2, 0)


def test_a_quick_texture_is_the_one_of_all_texels(textures):
    quick, whole = textures
    assert quick.albedo.shape == (FINE, FINE, 3)
    error = (quick.albedo - whole.albedo).abs().mean(-1)
    assert error.median() < 0.003
    assert error.quantile(0.95) < 0.03
    assert (quick.confidence - whole.confidence).abs().mean() < 0.02
    torch.testing.assert_close(quick.gains, whole.gains)


@pytest.mark.parametrize("seen", [True, False])
def test_stripes_of_the_photo_are_there_as_sharp_on_both_sides_of_the_face(textures, seen):
    quick, whole = textures
    bands = [high(texture.albedo).mean(-1) for texture in textures]
    other = whole.confidence.flip(1)  # the layout of the open head is even
    there = whole.confidence > 0.9 if seen else (whole.confidence < 0.05) & (other > 0.9)
    a, b = (band[there] for band in bands)
    assert there.sum() > 5000
    assert b.std() > 0.01
    assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.9
    assert a.std() == pytest.approx(float(b.std()), rel=0.15)
