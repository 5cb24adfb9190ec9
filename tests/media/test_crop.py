import math

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.media.crop import FACE_SHARE, Crop, box_drift
from tests.data import shared

SQUARES = [
    Crop(4.0, 6.0, 20.0, 20),
    Crop(3.3, 7.9, 21.7, 64),
    Crop(2.6, 1.2, 35.4, 9),
    Crop(-8.5, 20.2, 30.0, 24),
    Crop(-5.0, -5.0, 90.0, 32),
    Crop(50.5, 30.5, 40.0, 16),
]
CENTRES = torch.stack(
    torch.meshgrid(torch.arange(40) + 0.5, torch.arange(56) + 0.5, indexing="ij"), dim=-1
)


@pytest.fixture
def image(rng):
    return torch.rand(40, 56, 3, generator=rng)


def ramp(points):
    """A colour for each position (x, y) that changes steadily."""
    x, y = points.unbind(-1)
    return torch.stack([0.01 * x, 0.02 * y, 0.2 + 0.004 * x + 0.006 * y], dim=-1)


def smooth(phase=0.0):
    y, x = CENTRES.unbind(-1)
    waves = [torch.sin(x / 5 + phase), torch.cos(y / 6 - phase), torch.sin((x + y) / 9)]
    return 0.5 + 0.3 * torch.stack(waves, dim=-1)


def pixel_centres(crop):
    steps = torch.arange(crop.size) + 0.5
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)


@pytest.mark.parametrize("crop", SQUARES)
def test_an_unchanged_crop_gives_the_picture_back_to_the_last_bit(image, crop):
    assert torch.equal(crop.paste(image, crop.apply(image)), image)
    assert torch.equal(crop.paste(image, crop.apply(image, 0.7), fill=0.7), image)


def test_a_square_of_whole_pixels_is_cut_out_and_put_back_exactly(image):
    crop = SQUARES[0]
    torch.testing.assert_close(crop.apply(image), image[6:26, 4:24], atol=1e-6, rtol=0)
    new = 1 - crop.apply(image)
    pasted = crop.paste(image, new)
    torch.testing.assert_close(pasted[6:26, 4:24], new, atol=1e-6, rtol=0)
    pasted[6:26, 4:24] = image[6:26, 4:24]
    assert torch.equal(pasted, image)


@pytest.mark.parametrize("crop", SQUARES[:3])
def test_a_steady_change_of_colour_is_sampled_at_the_right_place(crop):
    image = ramp(CENTRES.flip(-1).float())
    want = ramp(crop.outside(pixel_centres(crop)))
    inside = slice(1, -1) if crop.size < 20 else slice(4, -4)
    torch.testing.assert_close(
        crop.apply(image)[inside, inside], want[inside, inside], atol=3e-4, rtol=0
    )


@pytest.mark.parametrize("crop", SQUARES)
def test_positions_go_there_and_back(crop, rng):
    points = torch.rand(5, 2, generator=rng, dtype=torch.float64) * 50
    torch.testing.assert_close(crop.outside(crop.inside(points)), points)
    corners = torch.tensor([[crop.left, crop.top], [crop.left + crop.side, crop.top + crop.side]])
    torch.testing.assert_close(
        crop.inside(corners), torch.tensor([[0.0, 0.0], [crop.size, crop.size]]), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("crop", SQUARES)
def test_its_camera_sees_in_the_crop_what_the_camera_sees_in_the_picture(crop, rng):
    camera = Camera.facing((40, 56), focal=80.0)
    points = torch.randn(7, 3, generator=rng) * 50 - torch.tensor([0.0, 0.0, 400.0])
    want = crop.inside(camera.project(points)[:, :2])
    torch.testing.assert_close(crop.camera(camera).project(points)[:, :2], want)
    assert crop.camera(camera).size == (crop.size, crop.size)


def test_resampling_agrees_with_pillow(rng):
    values = torch.rand(60, 60, generator=rng)
    for crop in (Crop(10.2, 5.1, 40.3, 13), Crop(6.0, 9.0, 24.0, 48)):
        edges = (crop.left, crop.top, crop.left + crop.side, crop.top + crop.side)
        want = Image.fromarray(values.numpy()).resize((crop.size,) * 2, Image.BICUBIC, box=edges)
        want = torch.from_numpy(np.array(want)).clamp(values.min(), values.max())
        torch.testing.assert_close(crop.apply(values[..., None])[..., 0], want, atol=1e-4, rtol=0)


def test_a_checkerboard_shrinks_to_grey_without_a_pattern():
    board = ((CENTRES.floor().sum(-1)) % 2)[..., None].expand(-1, -1, 3)
    shrunk = Crop(4.3, 4.7, 30.0, 10).apply(board)
    torch.testing.assert_close(shrunk, torch.full_like(shrunk, 0.5), atol=0.02, rtol=0)


def test_what_lies_beyond_the_picture_is_filled(image):
    crop = Crop(-20.0, -20.0, 40.0, 40)
    filled = crop.apply(image, (0.1, 0.2, 0.3))
    torch.testing.assert_close(filled[:20, :20], torch.tensor([0.1, 0.2, 0.3]).expand(20, 20, 3))
    torch.testing.assert_close(filled[20:, 20:], image[:20, :20], atol=1e-6, rtol=0)
    beside = Crop(100.0, 0.0, 10.0, 8)
    assert (beside.apply(image, 0.5) == 0.5).all()
    assert torch.equal(beside.paste(image, torch.ones(8, 8, 3)), image)


@pytest.mark.parametrize("crop", [Crop(5.3, 3.8, 30.2, 61), Crop(5.3, 3.8, 30.2, 33)])
def test_another_picture_pasted_is_that_picture_inside_and_the_old_one_outside(crop):
    old, new = smooth(), smooth(1.5)
    pasted = crop.paste(old, crop.apply(new))
    y, x = CENTRES.unbind(-1)
    depth = torch.minimum(
        torch.minimum(x - crop.left, crop.left + crop.side - x),
        torch.minimum(y - crop.top, crop.top + crop.side - y),
    )
    assert (pasted - new)[depth > 2].abs().max() < 0.02
    assert torch.equal(pasted[depth < -0.5], old[depth < -0.5])


def test_a_small_change_keeps_the_detail_that_a_small_crop_has_lost(image):
    crop = Crop(4.0, 4.0, 32.0, 8)
    lighter = crop.paste(image, crop.apply(image) + 0.004)
    assert 0.003 < (lighter - image)[8:30, 8:30].mean() < 0.005
    assert (lighter - image).abs().max() < 0.1
    flat = crop.paste(image, torch.full((8, 8, 3), 0.5))
    assert (flat - 0.5)[12:28, 12:28].abs().max() < 0.02


def test_a_mask_says_how_much_of_the_change_counts(image):
    crop = Crop(4.0, 6.0, 20.0, 20)
    mask = torch.zeros(20, 20)
    mask[:, 10:] = 0.5
    pasted = crop.paste(image, 1 - image[6:26, 4:24], mask)
    assert torch.equal(pasted[:, :14], image[:, :14])
    torch.testing.assert_close(pasted[6:26, 15:24], torch.full((20, 9, 3), 0.5), atol=1e-5, rtol=0)


def test_bytes_count_as_colours_from_0_to_1(image):
    values = (image * 255).round().to(torch.uint8)
    for crop in SQUARES:
        torch.testing.assert_close(crop.apply(values), crop.apply(values / 255))


def test_around_a_box_the_face_fills_its_share():
    crop = Crop.around((10.0, 20.0, 40.0, 80.0), 256)
    assert crop.side * FACE_SHARE == pytest.approx(60)
    assert (crop.left + crop.side / 2, crop.top + crop.side / 2) == pytest.approx((25, 50))
    raised = Crop.around((10.0, 20.0, 40.0, 80.0), 256, share=0.5, lift=0.1)
    assert raised.side == pytest.approx(120)
    assert raised.top == pytest.approx(50 - 60 - 12)


def test_a_steady_crop_is_that_of_the_median_box_whatever_a_few_frames_say():
    boxes = torch.tensor([[10.0, 20, 40, 80]]).repeat(9, 1) + torch.arange(-4.0, 5)[:, None]
    boxes[0] = math.nan
    boxes[1] = torch.tensor([0.0, 0, 500, 500])
    assert Crop.steady(boxes[2:], 64) == Crop.around((11.0, 21.0, 41.0, 81.0), 64)
    crop = Crop.steady(boxes, 64)
    assert crop.side * FACE_SHARE == pytest.approx(60, abs=2)


def moving(times):
    """A face that moves steadily, and grows by the same share each second."""
    middle = torch.stack([50 + 30 * times, 60 - 10 * times], dim=-1)
    half = 20 * torch.exp(0.3 * times)[:, None]
    return torch.cat([middle - half, middle + half], dim=-1)


def test_a_smoothed_crop_follows_a_steady_motion_exactly_to_its_ends():
    times = torch.cumsum(torch.tensor([0.0, 0.04, 0.04, 0.1] * 20), dim=0).double()
    for crop, box in zip(Crop.smoothed(moving(times), times, 64), moving(times), strict=True):
        want = Crop.around(box, 64)
        assert crop.left == pytest.approx(want.left, abs=1e-6)
        assert crop.side == pytest.approx(want.side, abs=1e-6)


def test_a_smoothed_crop_removes_jitter_and_bridges_gaps(rng):
    times = torch.arange(100).double() / 25
    clean = moving(times)
    noisy = clean + 2 * torch.randn(100, 4, generator=rng, dtype=torch.float64)
    noisy[40:50] = math.nan
    crops = Crop.smoothed(noisy, times, 64)
    lefts = torch.tensor([crop.left for crop in crops])
    wanted = torch.tensor([Crop.around(box, 64).left for box in clean])
    assert (lefts - wanted).abs().mean() < 1.0
    assert lefts.diff().diff().abs().mean() < 0.1


def test_box_drift_is_the_largest_move_of_an_edge_by_the_size_of_the_picture():
    boxes = torch.tensor([[0.0, 0, 10, 10], [math.nan] * 4, [5, 0, 15, 12], [2, -3, 12, 10]])
    assert box_drift(boxes, (10, 30)) == pytest.approx(5 / 20)
    found = boxes[[0, 2, 3]]
    pairs = (found[:, None] - found).abs().amax(dim=-1).max()
    assert box_drift(boxes, (1, 1)) == pytest.approx(float(pairs))


def test_gradients_pass_through_a_crop(image):
    image.requires_grad_()
    Crop(3.3, 7.9, 21.7, 16).apply(image).sum().backward()
    assert image.grad.isfinite().all()
    assert image.grad.sum() == pytest.approx(16 * 16 * 3, rel=1e-3)


def test_a_real_face_survives_cropping_and_pasting():
    from morphface.media.video import read_video

    with read_video(shared("clips", "webcam_head_turns.mp4"), end=0.1) as video:
        photo = next(iter(video)).photo
    crop = Crop(103.4, 37.9, 191.3, 256)
    assert torch.equal(crop.paste(photo.pixels, crop.apply(photo.pixels)), photo.pixels)
    dimmed = crop.paste(photo.pixels, crop.apply(photo.pixels) * 0.5)
    inside = (slice(45, 220), slice(110, 285))
    assert (dimmed - 0.5 * photo.pixels)[inside].abs().mean() < 0.01


@pytest.mark.refusal
def test_senseless_squares_and_boxes_are_refused(image):
    with pytest.raises(ParameterError, match="a crop must have finite numbers"):
        Crop(math.nan, 0.0, 1.0, 4)
    with pytest.raises(ParameterError, match="a crop must have a positive side and size"):
        Crop(0.0, 0.0, 0.0, 4)
    with pytest.raises(ParameterError, match="no frame has one: is there a face"):
        Crop.steady(torch.full((3, 4), math.nan), 64)
    with pytest.raises(ShapeError, match=r"times must have shape \(..., 3\)"):
        Crop.smoothed(torch.ones(3, 4), torch.ones(2), 64)
    with pytest.raises(ShapeError, match=r"crop must have shape \(..., 4, 4, 3\)"):
        Crop(0.0, 0.0, 9.0, 4).paste(image, torch.ones(5, 5, 3))
